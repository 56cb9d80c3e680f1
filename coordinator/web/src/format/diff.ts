// Owns reading a unified diff of one file: lines with their numbers on both sides, cut into hunks.

export interface DiffLine {
  kind: "same" | "added" | "removed";
  /** Line in the file before and after; none where the line is not there. */
  before: number | null;
  after: number | null;
  text: string;
}

export interface Hunk {
  /** Unchanged lines that are left out before it. */
  skipped: number;
  lines: DiffLine[];
}

export interface Diff {
  hunks: Hunk[];
  added: number;
  removed: number;
}

const HEAD = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Lines before the first hunk name the files and are not shown; a line that is no diff is taken as unchanged text. */
export function parseDiff(text: string): Diff {
  const hunks: Hunk[] = [];
  let before = 1;
  let after = 1;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const head = HEAD.exec(line);
    if (head) {
      // A side without lines is named by the line before it.
      const start = Number(head[1]) + (head[2] === "0" ? 1 : 0);
      hunks.push({ skipped: Math.max(0, start - before), lines: [] });
      before = start;
      after = Number(head[3]) + (head[4] === "0" ? 1 : 0);
      continue;
    }
    const hunk = hunks.at(-1);
    if (!hunk || line.startsWith("\\")) continue;
    const rest = line.slice(1).replace(/\r$/, "");
    if (line.startsWith("+")) hunk.lines.push({ kind: "added", before: null, after: after++, text: rest });
    else if (line.startsWith("-")) hunk.lines.push({ kind: "removed", before: before++, after: null, text: rest });
    else hunk.lines.push({ kind: "same", before: before++, after: after++, text: rest });
  }
  const count = (kind: DiffLine["kind"]) => hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.kind === kind).length, 0);
  return { hunks, added: count("added"), removed: count("removed") };
}
