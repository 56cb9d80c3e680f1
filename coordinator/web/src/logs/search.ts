// Owns finding things in a log: text as typed, and the lines that look like the cause of a failure.
// Rule: nothing looks through all lines at once; a search goes on where it was when the log has grown.
import { stripAnsi } from "./ansi";
import type { LogBuffer } from "./buffer";
import { inSlices } from "../ui/slices";

/** The lines that contain a text, ignoring case. */
export class Search {
  /** Numbers of the lines that were found, in order; of the line that is still being written, as it was last looked at. */
  get found(): readonly number[] {
    return this.last === null ? this.whole : [...this.whole, this.last];
  }
  private readonly whole: number[] = [];
  private last: number | null = null;
  private next = 0;
  private going: Promise<void> | null = null;
  readonly needle: string;
  private readonly wanted: string;
  private readonly log: LogBuffer;
  private readonly signal: AbortSignal;

  constructor(log: LogBuffer, needle: string, signal: AbortSignal) {
    this.log = log;
    this.needle = needle;
    this.wanted = folded(needle);
    this.signal = signal;
  }

  get count(): number {
    return this.whole.length + (this.last === null ? 0 : 1);
  }

  /** Looks through what has come; whoever calls while that goes on waits for the same. */
  run(): Promise<void> {
    this.going ??= this.look().finally(() => {
      this.going = null;
    });
    return this.going;
  }

  /** The match after the line with this number, or before it; around the end. Null when nothing was found. */
  beside(number: number, forward: boolean): { index: number; number: number } | null {
    const { found } = this;
    const index = forward ? found.findIndex((one) => one > number) : found.findLastIndex((one) => one < number);
    const at = index >= 0 ? index : forward ? 0 : found.length - 1;
    const beside = found[at];
    return beside === undefined ? null : { index: at, number: beside };
  }

  private async look(): Promise<void> {
    if (this.wanted === "") return;
    await inSlices(Math.max(this.next, this.log.first), () => this.log.whole, this.signal, (number) => {
      this.next = number + 1;
      if (this.hits(number)) this.whole.push(number);
      return false;
    });
    const gone = this.whole.findIndex((number) => number >= this.log.first);
    if (gone !== 0) this.whole.splice(0, gone < 0 ? this.whole.length : gone);
    const { whole } = this.log;
    this.last = this.hits(whole) ? whole : null;
  }

  private hits(number: number): boolean {
    return folded(stripAnsi(this.log.line(number))).includes(this.wanted);
  }
}

/** In small letters, and as long as before: what is found in it stands in the text at the same place. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (letter) => (letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter)).join("");
}

const ERROR = /\b(error|err!|fatal|panic(?:ked)?|exception|traceback|failed|failure|denied|cannot|refused|killed|segfault)\b/i;

/** The first line after number `after` that looks like an error; from the start again at the end. */
export async function nextError(log: LogBuffer, after: number, signal: AbortSignal): Promise<number | null> {
  let found: number | null = null;
  const look = (number: number) => {
    if (ERROR.test(stripAnsi(log.line(number)))) found = number;
    return found !== null;
  };
  const { end } = log;
  const from = Math.max(log.first, after + 1);
  await inSlices(from, () => end, signal, look);
  if (found === null) await inSlices(log.first, () => Math.min(from, end), signal, look);
  return found;
}

/** Characters of plain text that are handed over at once. */
const PIECE = 131_072;

/** Lines as plain text, in pieces that never were one string. */
export class PlainText {
  private readonly pieces: Blob[] = [];
  private piece = "";

  add(line: string): void {
    this.piece += `${stripAnsi(line)}\n`;
    if (this.piece.length <= PIECE) return;
    this.pieces.push(new Blob([this.piece]));
    this.piece = "";
  }

  blob(): Blob {
    return new Blob([...this.pieces, this.piece], { type: "text/plain" });
  }
}

/** Everything that is here as plain text. Who no longer waits for it gets none: a part would look like all. */
export async function plain(log: LogBuffer, signal: AbortSignal): Promise<Blob> {
  const text = new PlainText();
  const { end } = log;
  await inSlices(log.first, () => end, signal, (number) => {
    // What was let go meanwhile is not an empty line.
    if (number >= log.first) text.add(log.line(number));
    return false;
  });
  signal.throwIfAborted();
  return text.blob();
}

/** Pieces of a text, alternating outside and inside of matches. */
export function cut(text: string, needle: string): { text: string; hit: boolean }[] {
  if (needle === "") return [{ text, hit: false }];
  const pieces: { text: string; hit: boolean }[] = [];
  const lower = folded(text);
  const wanted = folded(needle);
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    pieces.push({ text: text.slice(at, at + wanted.length), hit: true });
    from = at + wanted.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}
