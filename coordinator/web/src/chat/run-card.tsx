// Owns a run in the chat: progress moves inside an old message, and its controls are here too.
import { ExternalLink, Play } from "lucide-react";
import { isActive, useRun } from "../api/runs";
import { useRunStream } from "../events/follow";
import { host, plural } from "../format/format";
import { usePlaces } from "../project/places";
import { RunControls } from "../runs/run-controls";
import { currentStep, failedStep, share, tally } from "../runs/tally";
import { headline } from "../ui/error-words";
import { ProblemNote } from "../ui/problem-note";
import { Progress } from "../ui/progress";
import { SiteLink } from "../ui/site-link";
import { Skeleton } from "../ui/skeleton";
import { runLook, StatusBadge, StatusIcon, STEP } from "../ui/status";
import { Took } from "../ui/time";
import { Card } from "./card";

export function RunCard({ id, project }: { id: string; project: string }) {
  const { data: run, error } = useRun(id);
  const place = usePlaces(project);
  useRunStream(id, isActive(run));
  if (error) return <ProblemNote error={error} />;
  if (!run) return <Skeleton className="h-32 rounded-xl" />;
  const counts = tally(run);
  const now = currentStep(run);
  const failed = failedStep(run);
  return (
    <Card
      icon={Play}
      title={run.title}
      state={<StatusBadge look={runLook(run.state)} />}
      to={place({ panel: "runs", item: run.id })}
      actions={isActive(run) || run.state === "failed" ? <RunControls run={run} size="sm" /> : undefined}
    >
      <Progress value={share(counts)} tone={runLook(run.state).tone} label="Progress of the run" />
      <p className="mt-2 flex justify-between gap-3 text-xs text-ink-3">
        <span className="tnum">
          {counts.done} of {plural(counts.all, "step")}
        </span>
        <Took from={run.started_at} to={run.finished_at} />
      </p>
      {now && (
        <p className="mt-2 flex min-w-0 items-center gap-2">
          <StatusIcon look={STEP[now.step.state]} />
          <span className="min-w-0 truncate">{now.step.title}</span>
          {now.step.doing && <span className="min-w-0 flex-1 truncate text-xs text-ink-3">{now.step.doing}</span>}
        </p>
      )}
      {failed?.step.error && (
        <p className="mt-2 flex min-w-0 gap-2 text-bad">
          <StatusIcon look={STEP.failed} className="mt-0.5 size-4" />
          <span className="min-w-0 break-words">
            {failed.step.title}: {headline(failed.step.error.message)} <code className="text-xs">({failed.step.error.code})</code>
          </span>
        </p>
      )}
      {run.state === "completed" && run.url !== null && (
        <SiteLink url={run.url} className="mt-3 inline-flex max-w-full items-center gap-1.5 font-medium text-accent hover:underline">
          <ExternalLink className="size-4 shrink-0" aria-hidden />
          <span className="truncate">{host(run.url)}</span>
        </SiteLink>
      )}
    </Card>
  );
}
