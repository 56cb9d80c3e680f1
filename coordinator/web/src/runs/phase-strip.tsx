// Owns the phases of a run in one line: where it stands at a glance.
import { clsx } from "clsx";
import type { Run } from "../api/types";
import { phase as phaseWord } from "../format/format";
import { StatusIcon, STEP } from "../ui/status";
import { Took } from "../ui/time";
import { FILL } from "../ui/tone";

export function PhaseStrip({ run }: { run: Run }) {
  if (run.phases.length < 2) return null;
  return (
    <ol aria-label="Phases" className="mt-4 grid auto-cols-fr grid-flow-col gap-1.5">
      {run.phases.map((one) => {
        const look = STEP[one.state];
        const quiet = one.state === "pending" || one.state === "skipped";
        return (
          <li key={one.phase} className="min-w-0">
            <div className={clsx("mb-1.5 h-1 overflow-hidden rounded-full", quiet ? "bg-hover" : FILL[look.tone])}>
              {one.state === "running" && <div className="h-full w-1/3 animate-slide bg-surface/70" />}
            </div>
            <p className="flex items-center gap-1 text-xs font-medium">
              <StatusIcon look={look} className="size-3.5" />
              <span className={clsx("truncate", quiet && "text-ink-3", one.state === "skipped" && "line-through")}>{phaseWord(one.phase)}</span>
              <span className="sr-only">: {look.word}</span>
            </p>
            <p className="h-4.5 truncate pl-4.5 text-xs text-ink-3">
              <Took from={one.started_at} to={one.finished_at} going={one.state === "running"} />
            </p>
          </li>
        );
      })}
    </ol>
  );
}
