// Owns one step of a plan: what it does in words, its risk, its limits; the exact action on demand.
import { clsx } from "clsx";
import { ChevronRight, Pencil } from "lucide-react";
import { useId, useState } from "react";
import type { PlanStep } from "../api/types";
import { seconds, words } from "../format/format";
import { Badge } from "../ui/badge";
import { IconButton } from "../ui/button";
import { RiskBadge } from "./risk-badge";

const INTERRUPTED: Record<PlanStep["on_interrupt"], string> = {
  rerun: "runs again",
  check_then_rerun: "looks first, runs again if needed",
  ask: "asks you",
};

export function PlanStepRow({ step, onEdit }: { step: PlanStep; onEdit: (() => void) | undefined }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <li>
      <div className="flex items-center gap-1 pr-1.5">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => { setOpen(!open); }}
          className="flex min-h-9 min-w-0 flex-1 items-center gap-2 py-1.5 pl-2 text-left text-sm hover:text-accent"
        >
          <ChevronRight className={clsx("size-3.5 shrink-0 text-ink-3", open && "rotate-90")} aria-hidden />
          <span className="tnum w-5 shrink-0 text-right text-xs text-ink-3">{step.index + 1}</span>
          <span className="min-w-0 flex-1 break-words">{step.title}</span>
        </button>
        {step.downtime_s > 0 && <Badge tone="warn">{seconds(step.downtime_s)} down</Badge>}
        <RiskBadge risk={step.risk} />
        {onEdit && <IconButton icon={Pencil} label={`Edit step ${String(step.index + 1)}`} onClick={onEdit} />}
      </div>
      <div id={id} hidden={!open} className="border-t border-line bg-sunken px-3 py-2.5 pl-11 text-sm">
        {open && (
          <>
            <p className="break-words whitespace-pre-wrap text-ink-2">{step.summary}</p>
            <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs">
              <dt className="text-ink-3">Kind</dt>
              <dd>{words(step.kind)}</dd>
              <dt className="text-ink-3">Longest time</dt>
              <dd>{seconds(step.timeout_s)}</dd>
              <dt className="text-ink-3">If interrupted</dt>
              <dd>{INTERRUPTED[step.on_interrupt]}</dd>
            </dl>
            <pre tabIndex={0} aria-label="The exact action" className="mt-2 max-h-64 overflow-auto rounded-md border border-line bg-log p-2.5 text-xs leading-5 text-log-ink">
              {JSON.stringify(step.action, null, 2)}
            </pre>
          </>
        )}
      </div>
    </li>
  );
}
