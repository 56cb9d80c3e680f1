// Owns one run on screen: header, phases, then its steps, or the log of one of them.
import { ArrowLeft, ExternalLink, GitCommitHorizontal, PlugZap } from "lucide-react";
import { Link } from "react-router";
import { isActive, useRun } from "../api/runs";
import type { Run } from "../api/types";
import { useRunStream } from "../events/follow";
import { host, shortCommit } from "../format/format";
import { usePlaces } from "../project/places";
import { buttonClass } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { SiteLink } from "../ui/site-link";
import { Skeleton, SkeletonList } from "../ui/skeleton";
import { runLook, StatusBadge } from "../ui/status";
import { Ago, Took } from "../ui/time";
import { PhaseStrip } from "./phase-strip";
import { RunControls } from "./run-controls";
import { RunSteps } from "./run-steps";
import { StepLog, type LogAddress } from "./step-log";
import { Trouble } from "./trouble";

export function RunView({ id, project, at }: { id: string; project: string; at: LogAddress | undefined }) {
  const { data: run, error, refetch } = useRun(id);
  const place = usePlaces(project);
  useRunStream(id, isActive(run));
  if (error && !run) return <ProblemNote error={error} onRetry={() => void refetch()} className="m-4" />;
  if (!run) return <Loading />;
  if (at !== undefined) return <StepLog run={run} at={at} project={project} />;
  return (
    <div className="h-full overflow-y-auto" tabIndex={0} role="region" aria-label="Run">
      <div className="px-4 pt-3 pb-8">
        <Link to={place({ panel: "runs" })} className="mb-2 inline-flex items-center gap-1 rounded text-xs text-ink-3 hover:text-ink">
          <ArrowLeft className="size-3.5" aria-hidden /> All runs
        </Link>
        <Header run={run} />
        <Trouble run={run} project={project} />
        <PhaseStrip run={run} />
        <RunSteps run={run} project={project} />
      </div>
    </div>
  );
}

function Header({ run }: { run: Run }) {
  const away = run.servers.filter((server) => !server.online);
  return (
    <header>
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 text-base font-semibold break-words">{run.title}</h2>
        <StatusBadge look={runLook(run.state)} />
      </div>
      <p className="mt-0.5 flex flex-wrap items-center gap-x-2 text-xs text-ink-3">
        <Took from={run.started_at} to={run.finished_at} />
        <span aria-hidden>·</span>
        <span>started <Ago at={run.started_at} />{run.requested_by ? ` by ${run.requested_by}` : ""}</span>
        {run.commit && (
          <span className="inline-flex items-center gap-1" title={run.commit}>
            <GitCommitHorizontal className="size-3.5" aria-hidden />
            <code>{shortCommit(run.commit)}</code>
          </span>
        )}
      </p>
      {isActive(run) && away.length > 0 && (
        <p role="status" className="mt-2 flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          <PlugZap className="mt-0.5 size-4 shrink-0" aria-hidden />
          <span>
            {away.map((server) => server.name).join(", ")} {away.length === 1 ? "is" : "are"} offline. Nothing is lost: steps already permitted go on there, and their results arrive when it is back.
          </span>
        </p>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-2 empty:hidden">
        {run.url !== null && run.state === "completed" && (
          <SiteLink url={run.url} className={buttonClass("primary", "sm", "min-w-0 max-w-full hover:bg-primary-hover")}>
            <ExternalLink className="size-3.5 shrink-0" aria-hidden />
            <span className="truncate">Open {host(run.url)}</span>
          </SiteLink>
        )}
        <RunControls run={run} />
      </div>
    </header>
  );
}

function Loading() {
  return (
    <div className="p-4" role="status" aria-label="Loading the run">
      <Skeleton className="mb-3 h-12" />
      <SkeletonList rows={8} className="h-9" label="Loading steps" />
    </div>
  );
}
