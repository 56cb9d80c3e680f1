// Owns finding things in a log: text as typed, and the lines that look like the cause of a failure.
// Rule: nothing looks through all lines at once; a search goes on where it was when the log has grown.
import { stripAnsi } from "./ansi";
import type { LogBuffer } from "./buffer";
import { inSlices } from "../ui/slices";

/** The lines that contain a text, ignoring case. */
export class Search {
  /** Numbers of the lines that were found, in order. */
  readonly found: number[] = [];
  private next = 0;
  private going: Promise<void> | null = null;
  readonly needle: string;
  private readonly wanted: string;
  private readonly log: LogBuffer;
  private readonly signal: AbortSignal;

  constructor(log: LogBuffer, needle: string, signal: AbortSignal) {
    this.log = log;
    this.needle = needle;
    this.wanted = needle.toLowerCase();
    this.signal = signal;
  }

  /** Looks through what has come; whoever calls while that goes on waits for the same. */
  run(): Promise<void> {
    this.going ??= this.look().finally(() => {
      this.going = null;
    });
    return this.going;
  }

  private async look(): Promise<void> {
    if (this.wanted === "") return;
    await inSlices(Math.max(this.next, this.log.first), () => this.log.whole, this.signal, (number) => {
      this.next = number + 1;
      if (this.hits(number)) this.found.push(number);
      return false;
    });
    const gone = this.found.findIndex((number) => number >= this.log.first);
    if (gone !== 0) this.found.splice(0, gone < 0 ? this.found.length : gone);
  }

  private hits(number: number): boolean {
    return stripAnsi(this.log.line(number)).toLowerCase().includes(this.wanted);
  }
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

/** Everything as plain text, in pieces that never were one string and are handed over one by one. */
export async function plain(log: LogBuffer, signal: AbortSignal): Promise<Blob> {
  const pieces: Blob[] = [];
  let piece = "";
  const { end } = log;
  await inSlices(log.first, () => end, signal, (number) => {
    piece += `${stripAnsi(log.line(number))}\n`;
    if (piece.length > PIECE) {
      pieces.push(new Blob([piece]));
      piece = "";
    }
    return false;
  });
  return new Blob([...pieces, piece], { type: "text/plain" });
}

/** Pieces of a text, alternating outside and inside of matches. */
export function cut(text: string, needle: string): { text: string; hit: boolean }[] {
  if (needle === "") return [{ text, hit: false }];
  const pieces: { text: string; hit: boolean }[] = [];
  const lower = text.toLowerCase();
  const wanted = needle.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    pieces.push({ text: text.slice(at, at + wanted.length), hit: true });
    from = at + wanted.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}
