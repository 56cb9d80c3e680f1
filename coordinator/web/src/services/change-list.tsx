// Owns what a reading says that the one before did not: by service, each field before and after, and what a person's edit keeps.
import { ArrowRight, Lock } from "lucide-react";
import { useState } from "react";
import type { AnalysisChange } from "../api/types";
import { plural } from "../format/format";
import { Badge } from "../ui/badge";
import { fieldName, valueWord } from "./change-words";

const FIRST = 6;

export function ChangeList({ changes }: { changes: AnalysisChange[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? changes : changes.slice(0, FIRST);
  const hidden = changes.length - shown.length;
  return (
    <div className="text-sm">
      {byService(shown).map(([service, list]) => (
        <section key={service} aria-label={`Changes of ${service}`} className="border-t border-line py-2 first:border-t-0 first:pt-0 last:pb-0">
          <h4 className="mb-1 font-medium break-words">{service}</h4>
          <ul className="space-y-1">
            {list.map((change) => <Change key={`${change.field ?? ""} ${change.change}`} change={change} />)}
          </ul>
        </section>
      ))}
      {hidden > 0 && (
        <button type="button" onClick={() => { setAll(true); }} className="mt-2 text-xs font-medium text-accent hover:underline">
          Show {plural(hidden, "more change")}
        </button>
      )}
    </div>
  );
}

function Change({ change }: { change: AnalysisChange }) {
  if (change.change === "added") return <li className="flex flex-wrap items-baseline gap-x-2"><Badge tone="ok">new service</Badge> <Code text={change.after} /></li>;
  if (change.change === "removed") return <li className="flex flex-wrap items-baseline gap-x-2"><Badge tone="bad">no longer found</Badge> <Code text={change.before} /></li>;
  const field = change.field ?? "";
  return (
    <li className="flex flex-wrap items-baseline gap-x-3">
      <span className="w-36 shrink-0 text-xs break-words text-ink-3">{fieldName(field)}</span>
      <span className="min-w-44 flex-1 break-words">
        <span className="sr-only">before: </span>
        {change.before === null ? <span className="text-ink-3">{valueWord(field, null)}</span> : <del className="text-ink-3">{valueWord(field, change.before)}</del>}
        <ArrowRight className="mx-1.5 inline size-3.5 align-[-2px] text-ink-3" aria-hidden />
        <span className="sr-only">, now: </span>
        {change.after === null ? <span className="text-ink-3">{valueWord(field, null)}</span> : <ins className="font-medium no-underline">{valueWord(field, change.after)}</ins>}
      </span>
      {change.kept && <Badge icon={Lock} title="A person set this field or locked the service; the new reading does not change it.">your value stays</Badge>}
    </li>
  );
}

function Code({ text }: { text: string | null }) {
  return text === null ? null : <code className="min-w-0 text-xs break-all text-ink-3">{text === "." ? "repository root" : text}</code>;
}

/** In the order in which they come. */
function byService(changes: AnalysisChange[]): [string, AnalysisChange[]][] {
  const groups = new Map<string, AnalysisChange[]>();
  for (const change of changes) groups.set(change.service, [...(groups.get(change.service) ?? []), change]);
  return [...groups];
}
