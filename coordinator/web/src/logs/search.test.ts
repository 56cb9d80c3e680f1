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

async function matches(buffer: LogBuffer, needle: string): Promise<readonly number[]> {
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

it("finds the last line, too, when no line break follows it", async () => {
  const buffer = log(["one hit"]);
  buffer.take(buffer.offset, buffer.offset + 8, "last hit");
  const search = new Search(buffer, "hit", NEVER);
  await search.run();
  expect([search.found, search.count]).toEqual([[1, 2], 2]);
  buffer.take(buffer.offset, buffer.offset + 5, "\rgone");
  await search.run();
  expect(search.found).toEqual([1]);
  buffer.take(buffer.offset, buffer.offset + 10, " and hit\nx");
  await search.run();
  expect(search.found).toEqual([1, 2]);
});

it("goes from match to match in both directions, around the end, also when matches were let go", async () => {
  const buffer = log(["hit", "", "hit", "", "hit"]);
  const search = new Search(buffer, "hit", NEVER);
  await search.run();
  const from = (number: number, forward: boolean) => search.beside(number, forward)?.number;
  expect([from(0, true), from(1, true), from(3, true), from(5, true)]).toEqual([1, 3, 5, 1]);
  expect([from(0, false), from(5, false), from(3, false), from(1, false)]).toEqual([5, 3, 1, 5]);
  expect(search.beside(3, true)).toEqual({ index: 2, number: 5 });
  add(buffer, [...Array.from({ length: KEPT_LINES + SPARE_LINES }, () => "no"), "hit", "hit"]);
  await search.run();
  const end = KEPT_LINES + SPARE_LINES + 6;
  expect([from(5, true), from(5, false), from(end, true)]).toEqual([end, end + 1, end + 1]);
  expect(new Search(buffer, "nowhere", NEVER).beside(1, true)).toBeNull();
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

it("gives no empty lines for those that are let go meanwhile", async () => {
  const buffer = log(Array.from({ length: KEPT_LINES }, (_, at) => `line ${String(at)}`));
  const copy = plain(buffer, NEVER);
  add(buffer, Array.from({ length: KEPT_LINES }, () => "more"));
  const lines = (await (await copy).text()).split("\n").slice(0, -1);
  expect(lines.filter((line) => line === "")).toEqual([]);
});

it("marks what was found, whatever letters stand before it", async () => {
  expect(cut("İİ foo", "FOO")).toEqual([{ text: "İİ ", hit: false }, { text: "foo", hit: true }]);
  expect(await matches(log(["İİ foo"]), "foo")).toEqual([1]);
});

it("cuts a text into hits and the rest without losing a letter", () => {
  const pieces = cut("Foo foo", "foo");
  expect(pieces).toEqual([{ text: "Foo", hit: true }, { text: " ", hit: false }, { text: "foo", hit: true }]);
  expect(cut("x", "")).toEqual([{ text: "x", hit: false }]);
});
