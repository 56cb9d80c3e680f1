// Owns what the analysis wants a person to know: what was seen, and what to do about it.
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Finding } from "../api/types";
import { plural } from "../format/format";

const ICON = { error: CircleAlert, warning: TriangleAlert, info: Info };
const TONE = { error: "text-bad", warning: "text-warn", info: "text-run" };
const FIRST = 3;

export function FindingList({ findings }: { findings: Finding[] }) {
  const [all, setAll] = useState(false);
  if (findings.length === 0) return null;
  const shown = all ? findings : findings.slice(0, FIRST);
  return (
    <div className="mt-3">
      <ul className="space-y-2">
        {shown.map((finding, index) => {
          const Icon = ICON[finding.severity];
          return (
            <li key={`${finding.code}-${String(index)}`} className="flex gap-2 text-sm">
              <Icon className={`mt-0.5 size-4 shrink-0 ${TONE[finding.severity]}`} aria-label={finding.severity} />
              <div className="min-w-0">
                <p className="break-words text-ink">
                  {finding.service && <span className="font-medium">{finding.service}: </span>}
                  {finding.message}
                </p>
                <p className="text-xs break-words text-ink-2">
                  {finding.advice}
                  {finding.file && (
                    <code className="ml-1 text-ink-3">
                      {finding.file}
                      {finding.line ? `:${String(finding.line)}` : ""}
                    </code>
                  )}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
      {findings.length > FIRST && !all && (
        <button type="button" onClick={() => { setAll(true); }} className="mt-2 text-xs font-medium text-accent hover:underline">
          Show {plural(findings.length - FIRST, "more finding")}
        </button>
      )}
    </div>
  );
}
