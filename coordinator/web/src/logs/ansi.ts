// Owns terminal output as styled text: colours and weight (SGR) are understood, every other control is dropped.
// The result is text for text nodes; nothing in a log can become markup, a link or a cursor movement.

export interface Span {
  text: string;
  color: Color | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}
export type Color = "black" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "white";
type Style = Omit<Span, "text">;

const COLORS: Color[] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const PLAIN: Style = { color: null, bold: false, dim: false, italic: false, underline: false };

// CSI sequences, OSC/DCS/APC/PM/SOS strings, two-byte escapes, stray controls, and marks that reorder text.
// eslint-disable-next-line no-control-regex
const CONTROL = /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][\s\S]*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** One line, without its line break. Styles do not run over into the next line. */
export function parseAnsi(line: string): Span[] {
  const spans: Span[] = [];
  let style = PLAIN;
  let from = 0;
  const push = (to: number) => {
    if (to > from) spans.push({ text: line.slice(from, to), ...style });
  };
  for (const match of line.matchAll(CONTROL)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = apply(style, match[1]);
  }
  push(line.length);
  return spans;
}

/** What remains when every control is gone. */
export function stripAnsi(line: string): string {
  return line.replace(CONTROL, "");
}

function apply(before: Style, text: string): Style {
  const codes = text === "" ? [0] : text.split(/[;:]/).map(Number);
  let style = { ...before };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) style = { ...PLAIN };
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code >= 30 && code <= 37) style.color = COLORS[code - 30] ?? null;
    else if (code >= 90 && code <= 97) style.color = COLORS[code - 90] ?? null;
    else if (code === 39) style.color = null;
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(at + 1));
      if (code === 38) style.color = color;
      at += used;
    }
  }
  return style;
}

/** 256 and 24-bit colours become the nearest of our eight, which keep their contrast in both themes. */
function extended(codes: number[]): [Color | null, number] {
  const [kind, a = 0, b = 0, c = 0] = codes;
  if (kind === 5) return [fromIndex(a), 2];
  if (kind === 2) return [nearest(a, b, c), 4];
  return [null, 1];
}

function fromIndex(index: number): Color | null {
  if (index < 16) return COLORS[index % 8] ?? null;
  if (index >= 232) return index < 244 ? "black" : "white";
  const cube = index - 16;
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function nearest(red: number, green: number, blue: number): Color {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 40) return most < 128 ? "black" : "white";
  const half = (most + least) / 2;
  return COLORS[(red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0)] ?? "white";
}
