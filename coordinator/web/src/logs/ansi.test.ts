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
