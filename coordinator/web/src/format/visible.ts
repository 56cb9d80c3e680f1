// Owns making hidden characters seen: marks that turn the direction of text let a name read as another one.
// Everything the API returns passes here once, so no view has to think of it.

const HIDDEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/;
const EACH = new RegExp(HIDDEN, "g");

const mark = (character: string) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;

/** A value as JSON has it, with every hidden mark in its texts spelled out. Same object when there is none. */
export function visible(value: unknown): unknown {
  if (typeof value === "string") return HIDDEN.test(value) ? value.replace(EACH, mark) : value;
  if (Array.isArray(value)) return keep(value, value.map(visible));
  if (typeof value !== "object" || value === null) return value;
  const before = value as Record<string, unknown>;
  const after = Object.fromEntries(Object.entries(before).map(([name, one]) => [name, visible(one)]));
  return Object.keys(before).every((name) => after[name] === before[name]) ? before : after;
}

function keep(before: unknown[], after: unknown[]): unknown[] {
  return before.every((one, index) => one === after[index]) ? before : after;
}
