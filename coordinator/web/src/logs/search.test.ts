import { expect, it } from "vitest";
import { KEPT_LINES, LogBuffer, SPARE_LINES } from "./buffer";
import { cut, nextError, plain, Search } from "./search";

const NEVER = new AbortController().signal;

function log(lines: string[]): LogBuffer {
  const buffer = new LogBuffer();
  add(buffer, lines);
  return buffer;
}

function add(buffer: LogBuffer, lines: string[]): void {
  const text = lines.map((line) => `${line}\n`).join("");
  buffer.take(buffer.offset, buffer.offset + text.length, text);
}

async function matches(buffer: LogBuffer, needle: string): Promise<number[]> {
  const search = new Search(buffer, needle, NEVER);
  await search.run();
  return search.found;
}

it("finds text through colours, ignoring case, by the lines' numbers", async () => {
  expect(await matches(log(["a \u001b[31mEr\u001b[0mror", "fine", "error"]), "error")).toEqual([1, 3]);
  expect(await matches(log(["a"]), "")).toEqual([]);
});

it("goes on where it was when the log has grown, and forgets what is gone", async () => {
  const buffer = log(["hit 1", "no"]);
  const search = new Search(buffer, "hit", NEVER);
  await Promise.all([search.run(), search.run()]);
  add(buffer, ["hit 3"]);
  await search.run();
  expect(search.found).toEqual([1, 3]);
  add(buffer, [...Array.from({ length: KEPT_LINES + SPARE_LINES }, () => "no"), "hit"]);
  await search.run();
  expect(search.found).toEqual([KEPT_LINES + SPARE_LINES + 4]);
});

it("lets the page have its turn while it looks through very many lines, and ends when nobody waits", async () => {
  const buffer = log(Array.from({ length: 100_000 }, (_, at) => `line \u001b[32m${String(at)}\u001b[0m`));
  const ended = new AbortController();
  const search = new Search(buffer, "line", ended.signal);
  const done = search.run();
  expect(search.found.length).toBeLessThan(100_000);
  ended.abort();
  await done;
  expect(search.found.length).toBeLessThan(100_000);
});

it("jumps to the next line that looks like a failure, around the end", async () => {
  const lines = log(["ok", "ERROR: no such package", "ok", "Traceback (most recent call last):"]);
  expect(await nextError(lines, 0, NEVER)).toBe(2);
  expect(await nextError(lines, 2, NEVER)).toBe(4);
  expect(await nextError(lines, 4, NEVER)).toBe(2);
  expect(await nextError(log(["0 errored? no", "terror"]), 0, NEVER)).toBeNull();
});

it("gives everything as plain text", async () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => `line ${String(at)}`);
  expect(await (await plain(log(["\u001b[1mbold\u001b[0m", ...lines]), NEVER)).text()).toBe(`bold\n${lines.join("\n")}\n`);
});

it("cuts a text into hits and the rest without losing a letter", () => {
  const pieces = cut("Foo foo", "foo");
  expect(pieces).toEqual([{ text: "Foo", hit: true }, { text: " ", hit: false }, { text: "foo", hit: true }]);
  expect(cut("x", "")).toEqual([{ text: "x", hit: false }]);
});
