import { describe, expect, it } from "vitest";
import { parseAnsi, stripAnsi } from "./ansi";

const shape = (line: string) => parseAnsi(line).map(({ text, color, bold }) => [text, color, bold]);

describe("colours", () => {
  it("are understood and end where they end", () => {
    expect(shape("a \x1b[31mred\x1b[0m b")).toEqual([["a ", null, false], ["red", "red", false], [" b", null, false]]);
    expect(shape("\x1b[1;92mok\x1b[22;39m!")).toEqual([["ok", "green", true], ["!", null, false]]);
  });

  it("of 256 and 24 bit become the nearest of ours, backgrounds are left out", () => {
    expect(shape("\x1b[38;5;196mx")).toEqual([["x", "red", false]]);
    expect(shape("\x1b[38;2;0;200;255mx")).toEqual([["x", "cyan", false]]);
    expect(shape("\x1b[48;5;196mx")).toEqual([["x", null, false]]);
  });
});

describe("every other control", () => {
  it("disappears: cursor movement, titles, links, stray escapes, reordering marks", () => {
    expect(stripAnsi("\x1b[2J\x1b[1;1Hhello")).toBe("hello");
    expect(stripAnsi("\x1b]0;owned\x07title")).toBe("title");
    expect(stripAnsi("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\")).toBe("click");
    expect(stripAnsi("a\x00\x08\x9bb\u202ec")).toBe("abc");
    expect(stripAnsi("\x1bPq#0\x1b\\after")).toBe("after");
  });

  it("leaves the text before an escape that never ends", () => {
    expect(stripAnsi("safe\x1b[")).toBe("safe");
    expect(stripAnsi("safe\x1b]0;title")).toBe("safe");
  });
});

it("keeps markup as the text it is", () => {
  expect(shape("<script>alert(1)</script>")).toEqual([["<script>alert(1)</script>", null, false]]);
});

// The same in every run (mulberry32); what falls becomes a line above.
function dice(seed: number): (end: number) => number {
  return (end) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) % end;
  };
}

describe("whatever a program writes", () => {
  const pieces = [
    "\x1b[", "\x1b]", "\x1bP", "\x1b\\", "\x1b", "\x07", "\x9b", "\x9d", "\x90", "38;5;", "48;2;1;2;", "31", "1;", "m", "H", "J", "0;title",
    "8;;https://evil.example", "?25l", "\u202e", "\u2066", "\x00", "\x7f", "\r", "\t", "text", "<img src=x onerror=alert(1)>", "ä", "\u{1f600}", ":", ";;;", "99999999999",
  ];
  // eslint-disable-next-line no-control-regex
  const left = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

  it("is shown without a control, and its text is the text of its spans", () => {
    const roll = dice(7);
    for (let round = 0; round < 20_000; round += 1) {
      const line = Array.from({ length: 1 + roll(12) }, () => pieces[roll(pieces.length)]).join("");
      const shown = parseAnsi(line).map((span) => span.text).join("");
      expect(shown, JSON.stringify(line)).toBe(stripAnsi(line));
      expect(left.test(shown), JSON.stringify(line)).toBe(false);
    }
  });

  it("takes time that grows with its length and not faster", () => {
    for (const piece of pieces) {
      const began = performance.now();
      parseAnsi(piece.repeat(20_000));
      expect(performance.now() - began, JSON.stringify(piece)).toBeLessThan(2_000);
    }
  });
});
