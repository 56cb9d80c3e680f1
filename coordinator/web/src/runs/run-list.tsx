// Owns the history of runs, newest first, and starting the next one.
import { GitCommitHorizontal, Play, Rocket } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { useProject } from "../api/projects";
import { isActive, useRedeploy, useRuns } from "../api/runs";
import type { Run } from "../api/types";
import { shortCommit } from "../format/format";
import { usePlaces } from "../project/places";
import { after } from "../ui/after";
import { Button, LinkButton } from "../ui/button";
import { Empty } from "../ui/empty";
import { headline } from "../ui/error-words";
import { ProblemNote } from "../ui/problem-note";
import { Progress } from "../ui/progress";
import { SkeletonList } from "../ui/skeleton";
import { runLook, StatusIcon } from "../ui/status";
import { Ago, Took } from "../ui/time";
import { sayProblem } from "../ui/toast";
import { currentStep, share, tally } from "./tally";

export function RunList({ project }: { project: string }) {
  const runs = useRuns(project);
  const { data } = useProject(project);
  const place = usePlaces(project);
  const redeploy = useRedeploy(project);
  const navigate = useNavigate();
  if (runs.isPending) return <div className="p-4"><SkeletonList rows={5} className="h-16" label="Loading runs" /></div>;
  if (runs.isError) return <ProblemNote error={runs.error} onRetry={() => void runs.refetch()} className="m-4" />;
  if (runs.data.length === 0) {
    return (
      <Empty icon={Play} title="No runs yet" action={<LinkButton to={place({ panel: "infrastructure" })}>See the plan</LinkButton>}>
        <p>When you approve a plan, its run shows here: every step, live, with its log.</p>
      </Empty>
    );
  }
  const active = runs.data.some(isActive);
  const deployed = data?.url !== null || runs.data.some((run) => run.kind === "deploy" && run.state === "completed");
  return (
    <div className="h-full overflow-y-auto p-4" tabIndex={0} role="region" aria-label="Runs">
      <header className="mb-3 flex items-center gap-2">
        <h2 className="flex-1 text-base font-semibold">Runs</h2>
        {deployed && (
          <Button
            size="sm"
            icon={Rocket}
            busy={redeploy.isPending}
            disabled={active}
            title={active ? "A run is active" : "Deploy the newest commit; services that did not change stay as they are"}
            onClick={() => { after(redeploy.mutateAsync({}), (run) => void navigate(place({ panel: "runs", item: run.id })), sayProblem); }}
          >
            Redeploy newest commit
          </Button>
        )}
      </header>
      <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {runs.data.map((run) => <Row key={run.id} run={run} to={place({ panel: "runs", item: run.id })} />)}
      </ul>
    </div>
  );
}

function Row({ run, to }: { run: Run; to: string }) {
  const look = runLook(run.state);
  const counts = tally(run);
  const now = currentStep(run);
  return (
    <li className="relative flex gap-3 px-3 py-2.5 hover:bg-hover">
      <StatusIcon look={look} className="mt-0.5 size-4.5" />
      <div className="min-w-0 flex-1">
        <p className="flex items-baseline gap-2">
          <Link to={to} className="min-w-0 truncate text-sm font-medium after:absolute after:inset-0" title={run.title}>{run.title}</Link>
          <span className="ml-auto text-xs text-ink-3"><Ago at={run.started_at} /></span>
        </p>
        <p className="flex flex-wrap items-center gap-x-2 text-xs text-ink-3">
          <span>{look.word}</span>
          <span aria-hidden>·</span>
          <Took from={run.started_at} to={run.finished_at} />
          {run.commit && (
            <span className="inline-flex items-center gap-1"><GitCommitHorizontal className="size-3.5" aria-hidden /><code>{shortCommit(run.commit)}</code></span>
          )}
          {run.requested_by && <span className="truncate">by {run.requested_by}</span>}
        </p>
        {run.error && <p className="mt-0.5 truncate text-xs text-bad" title={run.error.message}>{headline(run.error.message)}</p>}
        {isActive(run) && (
          <div className="mt-1.5 space-y-1">
            <Progress value={share(counts)} tone={look.tone} label={`Progress of ${run.title}`} />
            {now && <p className="truncate text-xs text-ink-2">{now.step.title}{now.step.doing ? ` · ${now.step.doing}` : ""}</p>}
          </div>
        )}
      </div>
    </li>
  );
}
