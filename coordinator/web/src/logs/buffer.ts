// Owns the lines of one log as its bytes arrive: pieces may end anywhere, and a piece that is already here is ignored.
// Rule: a line has the number that it has in the log, also when earlier ones were let go; taking a piece costs what the
// piece is long, never what is here already.

export const KEPT_LINES = 200_000;
/** So many more may be here before the oldest are let go, all at once: a reader in the middle is not moved with every line. */
export const SPARE_LINES = 10_000;
/** A line without an end is shown as several, so that no element and no string grows without an end. */
export const LONGEST_LINE = 16_384;

export class LogBuffer {
  /** Offset in the log up to which everything has arrived. */
  offset: number;
  /** Lines that were let go at the start to bound memory. */
  dropped = 0;
  /** Whether output was passed over that could be read. */
  skipped = false;
  private lines: string[] = [];
  private rest = "";

  constructor(offset = 0) {
    this.offset = offset;
  }

  /** The number of the oldest line that is here; the first line of a log has number 1. */
  get first(): number {
    return this.dropped + 1;
  }

  /** The number after the newest line, the one that is still being written among them. */
  get end(): number {
    return this.whole + (this.rest === "" ? 0 : 1);
  }

  /** The number after the newest line that will not change any more. */
  get whole(): number {
    return this.first + this.lines.length;
  }

  /** What a reader sees of a line; nothing of one that is not here. */
  line(number: number): string {
    return number === this.whole ? overwritten(this.rest) : (this.lines[number - this.first] ?? "");
  }

  /** Takes text that stands at `offset` and ends before `next`. Returns whether it was new. */
  take(offset: number, next: number, text: string): boolean {
    if (offset < this.offset || next <= offset) return false;
    this.offset = next;
    this.append(text);
    return true;
  }

  /** Goes on at `offset`: in between there is output that the server no longer has. A line of ours says so. */
  miss(offset: number): void {
    this.note(`… ${String(offset - this.offset)} bytes of output were not kept …`);
    this.offset = offset;
  }

  /** Goes on at `offset`, because all would be too much. */
  skip(offset: number): void {
    this.note("… the middle of this log is not shown; download it to read all …");
    this.offset = offset;
    this.skipped = true;
  }

  private note(text: string): void {
    if (this.rest !== "") this.append("\n");
    this.append(`\u001b[2m${text}\u001b[0m\n`);
  }

  private append(text: string): void {
    const parts = (this.rest + text).split("\n");
    this.rest = unfinished(parts.pop() ?? "");
    for (const part of parts) this.push(overwritten(part));
    while (this.rest.length > LONGEST_LINE) {
      const end = wholeLetters(this.rest, LONGEST_LINE);
      this.push(this.rest.slice(0, end));
      this.rest = this.rest.slice(end);
    }
    if (this.lines.length > KEPT_LINES + SPARE_LINES) {
      const extra = this.lines.length - KEPT_LINES;
      this.lines.splice(0, extra);
      this.dropped += extra;
    }
  }

  private push(line: string): void {
    let from = 0;
    while (line.length - from > LONGEST_LINE) {
      const end = wholeLetters(line, from + LONGEST_LINE);
      this.lines.push(line.slice(from, end));
      from = end;
    }
    this.lines.push(from === 0 ? line : line.slice(from));
  }
}

/** Where to cut, at most at `end`: a letter of two halves stays in one piece. */
function wholeLetters(text: string, end: number): number {
  const before = text.charCodeAt(end - 1);
  return before >= 0xd800 && before < 0xdc00 ? end - 1 : end;
}

/** A carriage return starts the line again: of a progress bar only its last state is kept. */
function overwritten(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}

/** The same of a line that goes on: a carriage return at its end may be half of a line break. */
function unfinished(line: string): string {
  return line.endsWith("\r") ? `${overwritten(line)}\r` : overwritten(line);
}
