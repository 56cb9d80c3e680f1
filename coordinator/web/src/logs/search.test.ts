import { expect, it } from "vitest";
import { cut, matches, nextError } from "./search";

it("finds text through colours, ignoring case", () => {
  expect(matches(["a \u001b[31mEr\u001b[0mror", "fine", "error"], "error")).toEqual([0, 2]);
  expect(matches(["a"], "")).toEqual([]);
});

it("jumps to the next line that looks like a failure, around the end", () => {
  const lines = ["ok", "ERROR: no such package", "ok", "Traceback (most recent call last):"];
  expect(nextError(lines, -1)).toBe(1);
  expect(nextError(lines, 1)).toBe(3);
  expect(nextError(lines, 3)).toBe(1);
  expect(nextError(["0 errored? no", "terror"], -1)).toBeNull();
});

it("cuts a text into hits and the rest without losing a letter", () => {
  const pieces = cut("Foo foo", "foo");
  expect(pieces).toEqual([{ text: "Foo", hit: true }, { text: " ", hit: false }, { text: "foo", hit: true }]);
  expect(cut("x", "")).toEqual([{ text: "x", hit: false }]);
});
