// Owns the steps of a run, by server and phase. Each opens its log.
import { clsx } from "clsx";
import { ChevronRight, Server, Unplug } from "lucide-react";
import { Link } from "react-router";
import type { Run, RunServer, RunStep } from "../api/types";
import { phase } from "../format/format";
import { byPhase } from "../infrastructure/measure";
import { usePlaces } from "../project/places";
import { Badge } from "../ui/badge";
import { headline } from "../ui/error-words";
import { StatusIcon, STEP } from "../ui/status";
import { Took } from "../ui/time";

export function RunSteps({ run, project }: { run: Run; project: string }) {
  return (
    <div className="mt-4 space-y-4">
      {run.servers.map((server) => (
        <section key={server.server_id} aria-label={`Steps on ${server.name}`} className="overflow-hidden rounded-lg border border-line bg-surface">
          <h3 className="flex items-center gap-2 border-b border-line px-3 py-2 text-sm font-semibold">
            <Server className="size-4 text-ink-3" aria-hidden />
            <span className="truncate" title={server.name}>{server.name}</span>
            {!server.online && <Badge tone="warn" icon={Unplug}>offline</Badge>}
          </h3>
          {byPhase(server.steps).map((group) => (
            <div key={`${group.phase}-${String(group.steps[0]?.index)}`}>
              <h4 className="border-b border-line bg-sunken px-3 py-1 text-xs font-medium text-ink-3">{phase(group.phase)}</h4>
              <ol>
                {group.steps.map((step) => (
                  <Row key={step.index} step={step} server={server} run={run} project={project} />
                ))}
              </ol>
            </div>
          ))}
        </section>
      ))}
    </div>
  );
}

function Row({ step, server, run, project }: { step: RunStep; server: RunServer; run: Run; project: string }) {
  const place = usePlaces(project);
  const look = STEP[step.state];
  return (
    <li className="border-b border-line last:border-b-0">
      <Link
        to={place({ panel: "runs", item: run.id, query: { server: server.server_id, step: String(step.index) } })}
        className={clsx("group flex min-h-9 items-start gap-2 px-3 py-1.5 text-sm hover:bg-hover", step.state === "running" && "bg-run-soft/50", step.state === "failed" && "bg-bad-soft/60", step.state === "unknown" && "bg-warn-soft/60")}
      >
        <StatusIcon look={look} className="mt-0.5 size-4" />
        <span className="min-w-0 flex-1">
          <span className={clsx("break-words", step.state === "pending" && "text-ink-2", step.state === "skipped" && "text-ink-3 line-through")}>{step.title}</span>
          <span className="sr-only"> ({look.word})</span>
          {step.state === "running" && step.doing && <span className="block truncate text-xs text-ink-2" title={step.doing}>{step.doing}</span>}
          {step.error && <span className="block text-xs break-words text-bad">{headline(step.error.message)}</span>}
        </span>
        {step.attempt > 1 && <Badge tone="warn">attempt {step.attempt}</Badge>}
        {step.already_done && <Badge title="It was true already, so nothing was changed">already so</Badge>}
        <span className="w-16 shrink-0 text-right text-xs leading-5 text-ink-3">
          <Took from={step.started_at} to={step.finished_at} going={step.state === "running"} />
        </span>
        <ChevronRight className="mt-0.5 size-4 shrink-0 text-ink-3 opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100" aria-hidden />
      </Link>
    </li>
  );
}
