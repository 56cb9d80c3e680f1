// Owns finding things in a log: text as typed, and the lines that look like the cause of a failure.
import { stripAnsi } from "./ansi";

/** Indices of the lines that contain the text, ignoring case. */
export function matches(lines: readonly string[], text: string): number[] {
  const needle = text.toLowerCase();
  if (needle === "") return [];
  const found: number[] = [];
  lines.forEach((line, index) => {
    if (stripAnsi(line).toLowerCase().includes(needle)) found.push(index);
  });
  return found;
}

const ERROR = /\b(error|err!|fatal|panic(?:ked)?|exception|traceback|failed|failure|denied|cannot|refused|killed|segfault)\b/i;

/** The first line after `from` that looks like an error; from the start again at the end. */
export function nextError(lines: readonly string[], from: number): number | null {
  for (let step = 1; step <= lines.length; step += 1) {
    const index = (from + step) % lines.length;
    if (ERROR.test(stripAnsi(lines[index] ?? ""))) return index;
  }
  return null;
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
