// Owns one step of a run with its log: the way back, the neighbours, the attempts.
import { ArrowLeft, ChevronDown, ChevronUp } from "lucide-react";
import { Link, useNavigate } from "react-router";
import type { Run } from "../api/types";
import { LogView } from "../logs/log-view";
import { usePlaces } from "../project/places";
import { Badge } from "../ui/badge";
import { IconButton } from "../ui/button";
import { headline } from "../ui/error-words";
import { Select } from "../ui/field";
import { StatusBadge, STEP } from "../ui/status";
import { Took } from "../ui/time";

export interface LogAddress {
  server: string;
  step: number;
  attempt: number;
}

export function StepLog({ run, at, project }: { run: Run; at: LogAddress; project: string }) {
  const place = usePlaces(project);
  const navigate = useNavigate();
  const server = run.servers.find((one) => one.server_id === at.server) ?? run.servers[0];
  const step = server?.steps.find((one) => one.index === at.step);
  const address = (index: number, attempt?: number) =>
    place({ panel: "runs", item: run.id, query: { server: server?.server_id ?? "", step: String(index), ...(attempt ? { attempt: String(attempt) } : {}) } });
  const back = (
    <Link to={place({ panel: "runs", item: run.id })} className="inline-flex min-w-0 items-center gap-1 rounded text-xs text-ink-3 hover:text-ink">
      <ArrowLeft className="size-3.5 shrink-0" aria-hidden />
      <span className="truncate">{run.title}</span>
    </Link>
  );
  if (server === undefined || step === undefined) return <div className="p-4">{back}<p className="mt-3 text-sm text-ink-2">This run has no such step.</p></div>;
  const attempt = at.attempt > 0 ? at.attempt : Math.max(1, step.attempt);
  const latest = attempt === Math.max(1, step.attempt);
  return (
    <div className="flex h-full flex-col">
      <header className="shrink-0 px-4 pt-3 pb-2.5">
        <div className="flex items-center justify-between gap-2">
          {back}
          <span className="flex">
            <IconButton icon={ChevronUp} label="Previous step" disabled={step.index === 0} onClick={() => void navigate(address(step.index - 1))} />
            <IconButton icon={ChevronDown} label="Next step" disabled={step.index >= server.steps.length - 1} onClick={() => void navigate(address(step.index + 1))} />
          </span>
        </div>
        <div className="mt-1 flex flex-wrap items-center gap-2">
          <h2 className="min-w-0 text-base font-semibold break-words">{step.title}</h2>
          <StatusBadge look={STEP[step.state]} />
          {step.already_done && <Badge>already so</Badge>}
          <span className="text-xs text-ink-3"><Took from={step.started_at} to={step.finished_at} going={step.state === "running"} /></span>
          {step.attempt > 1 && (
            <Select aria-label="Attempt" value={attempt} onChange={(event) => void navigate(address(step.index, Number(event.target.value)))} className="h-7! w-auto! text-xs!">
              {Array.from({ length: step.attempt }, (_, index) => (
                <option key={index} value={index + 1}>Attempt {index + 1}</option>
              ))}
            </Select>
          )}
        </div>
        {step.state === "running" && step.doing && <p className="mt-0.5 truncate text-xs text-ink-2">{step.doing}</p>}
        {step.error && latest && (
          <p className="mt-1 text-sm break-words text-bad">
            {headline(step.error.message)} <code className="text-xs">({step.error.code})</code>
          </p>
        )}
      </header>
      <LogView
        key={`${server.server_id}-${String(step.index)}-${String(attempt)}`}
        place={{ run: run.id, server: server.server_id, step: step.index, attempt }}
        live={latest && (step.state === "running" || step.state === "pending")}
        waiting={step.state === "pending"}
        name={`${step.title} (attempt ${String(attempt)})`}
      />
    </div>
  );
}
