// Owns a diff on screen: signs and line numbers beside each line, colour only on top of them, long lines scroll inside the box.
import { clsx } from "clsx";
import { Fragment, useMemo } from "react";
import { type DiffLine, type Hunk, parseDiff } from "../format/diff";
import { plural } from "../format/format";

const LOOK: Record<DiffLine["kind"], { sign: string; word: string; row: string; ink: string }> = {
  same: { sign: "", word: "", row: "", ink: "" },
  added: { sign: "+", word: "added", row: "bg-ok-soft", ink: "text-ok" },
  removed: { sign: "−", word: "removed", row: "bg-bad-soft", ink: "text-bad" },
};

export function DiffView({ diff, title, label }: { diff: string; title: string; label: string }) {
  const { hunks, added, removed } = useMemo(() => parseDiff(diff), [diff]);
  return (
    <figure className="overflow-hidden rounded-lg border border-line text-xs">
      <figcaption className="flex items-center gap-3 border-b border-line bg-sunken px-3 py-1.5">
        <code className="min-w-0 flex-1 truncate text-ink-2" title={title}>{title}</code>
        <span className="tnum shrink-0 font-medium whitespace-nowrap">
          <span aria-hidden>
            <span className="text-ok">+{added}</span> <span className="text-bad">−{removed}</span>
          </span>
          <span className="sr-only">{plural(added, "line")} added, {plural(removed, "line")} removed</span>
        </span>
      </figcaption>
      <div tabIndex={0} role="region" aria-label={label} className="max-h-96 overflow-auto bg-log font-mono leading-5 text-log-ink">
        <table className="w-full min-w-max border-collapse">
          <thead className="sr-only">
            <tr>
              <th scope="col">Line before</th>
              <th scope="col">Line now</th>
              <th scope="col">Change</th>
              <th scope="col">Text</th>
            </tr>
          </thead>
          <tbody>
            {hunks.map((hunk, index) => <HunkRows key={index} hunk={hunk} />)}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function HunkRows({ hunk }: { hunk: Hunk }) {
  return (
    <Fragment>
      {hunk.skipped > 0 && (
        <tr>
          <td colSpan={4} className="border-y border-line bg-sunken px-3 py-0.5 font-sans text-ink-3 first:border-t-0 select-none">
            {plural(hunk.skipped, "line")} unchanged
          </td>
        </tr>
      )}
      {hunk.lines.map((line, index) => {
        const look = LOOK[line.kind];
        return (
          <tr key={index} className={look.row} data-change={line.kind}>
            <Number at={line.before} />
            <Number at={line.after} />
            <td className={clsx("w-5 text-center font-semibold select-none", look.ink)}>
              <span aria-hidden>{look.sign}</span>
              <span className="sr-only">{look.word}</span>
            </td>
            <td className="pr-3 whitespace-pre">
              <Text line={line} />
            </td>
          </tr>
        );
      })}
    </Fragment>
  );
}

function Number({ at }: { at: number | null }) {
  return <td className="tnum w-8 min-w-8 pr-1 pl-2 text-right text-ink-3 select-none">{at}</td>;
}

function Text({ line }: { line: DiffLine }) {
  switch (line.kind) {
    case "same":
      return <>{line.text}</>;
    case "added":
      return <ins className="no-underline">{line.text}</ins>;
    case "removed":
      return <del className="no-underline">{line.text}</del>;
  }
}
