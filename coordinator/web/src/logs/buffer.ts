// Owns the lines of one log as its bytes arrive: pieces may end anywhere, and a piece that is already here is ignored.

export const KEPT_LINES = 200_000;

export class LogBuffer {
  /** Whole lines, oldest first. */
  lines: string[] = [];
  /** Offset in the log up to which everything has arrived. */
  offset: number;
  /** Lines that were let go at the start to bound memory. */
  dropped = 0;
  private rest = "";

  constructor(offset = 0) {
    this.offset = offset;
  }

  /** Takes text that stands at `offset` and ends before `next`. Returns whether it was new. */
  take(offset: number, next: number, text: string): boolean {
    if (offset < this.offset || next <= offset) return false;
    this.offset = next;
    this.append(text);
    return true;
  }

  /** A line of ours: output that the server no longer has. */
  note(text: string): void {
    if (this.rest !== "") this.append("\n");
    this.append(`\u001b[2m${text}\u001b[0m\n`);
  }

  /** What a reader sees: whole lines and the one that is still being written. */
  get all(): string[] {
    return this.rest === "" ? this.lines : [...this.lines, overwritten(this.rest)];
  }

  private append(text: string): void {
    const parts = (this.rest + text).split("\n");
    this.rest = parts.pop() ?? "";
    for (const part of parts) this.lines.push(overwritten(part));
    if (this.lines.length > KEPT_LINES) {
      const extra = this.lines.length - KEPT_LINES;
      this.lines.splice(0, extra);
      this.dropped += extra;
    }
  }
}

/** A carriage return starts the line again: of a progress bar only its last state is kept. */
function overwritten(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}
