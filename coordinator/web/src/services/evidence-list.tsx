// Owns the reasons: which file and line say so, how sure, and what lost.
import { clsx } from "clsx";
import type { Evidence } from "../api/types";

export function EvidenceList({ evidence }: { evidence: Evidence[] }) {
  return (
    <ul className="divide-y divide-line rounded-lg border border-line text-sm">
      {evidence.map((one, index) => (
        <li key={`${one.field}-${one.rule}-${String(index)}`} className="px-3 py-2">
          <p className={clsx("flex min-w-0 items-baseline gap-2", !one.chosen && "text-ink-3")}>
            <span className="w-24 shrink-0 truncate text-xs text-ink-3" title={one.field}>{one.field.replaceAll("_", " ")}</span>
            <span className={clsx("min-w-0 flex-1 font-medium break-words", !one.chosen && "line-through")}>{one.value}</span>
            <span className={clsx("tnum text-xs", one.confidence < 0.7 ? "font-medium text-warn" : "text-ink-3")}>
              {Math.round(one.confidence * 100)} %{one.confidence < 0.7 && " · please check"}
            </span>
          </p>
          <p className="pl-26 text-xs break-all text-ink-3">
            {one.file ? <code>{one.file}{one.line ? `:${String(one.line)}` : ""}</code> : "by default"}
            {!one.chosen && " · not used"}
          </p>
        </li>
      ))}
    </ul>
  );
}
