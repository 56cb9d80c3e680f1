// Owns the trail of who did what. Every change is here, because it is written with the change.
import { useAudit } from "../api/account";
import type { AuditEntry } from "../api/types";
import { dateTime, words } from "../format/format";
import { Button } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";

export function Audit() {
  const audit = useAudit();
  if (audit.isPending) return <SkeletonList rows={8} className="h-11" label="Loading the audit trail" />;
  if (audit.isError) return <ProblemNote error={audit.error} onRetry={() => void audit.refetch()} />;
  const entries = audit.data.pages.flatMap((page) => page.items);
  return (
    <>
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface shadow-1">
        {entries.map((entry) => <Row key={entry.id} entry={entry} />)}
      </ul>
      {entries.length === 0 && <p className="py-10 text-center text-sm text-ink-2">Nothing has happened yet.</p>}
      {audit.hasNextPage && (
        <div className="mt-4 text-center">
          <Button busy={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>Load older</Button>
        </div>
      )}
    </>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const detail = entry.detail === null || entry.detail === undefined ? "" : JSON.stringify(entry.detail, null, 2);
  const more = detail !== "" && detail !== "{}";
  const line = (
    <>
      <time dateTime={new Date(entry.at).toISOString()} className="tnum w-40 shrink-0 text-xs text-ink-3 max-sm:w-auto">{dateTime(entry.at)}</time>
      <span className="min-w-0 flex-1 truncate text-sm">
        <span className="font-medium">{entry.actor.name}</span> <span className="text-ink-2">{words(entry.action)}</span>
      </span>
      <code className="max-w-56 truncate text-xs text-ink-3 max-md:hidden" title={entry.subject}>{entry.subject}</code>
    </>
  );
  if (!more) return <li className="flex items-center gap-3 px-4 py-2.5">{line}</li>;
  return (
    <li>
      <details>
        <summary className="flex list-none items-center gap-3 px-4 py-2.5 hover:bg-hover [&::-webkit-details-marker]:hidden">{line}</summary>
        <pre className="overflow-x-auto border-t border-line bg-sunken px-4 py-2 text-xs text-ink-2">{detail}</pre>
      </details>
    </li>
  );
}
