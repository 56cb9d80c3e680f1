import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Problem } from "../api/problem";
import { readLog } from "../api/runs";
import type { LogPage } from "../api/types";
import { openStream } from "../events/stream";
import { stripAnsi } from "./ansi";
import { KEPT_LINES, LogBuffer, SPARE_LINES } from "./buffer";
import { type Log, Reading } from "./reading";
import { whole } from "./whole";

vi.mock("../api/runs", () => ({ readLog: vi.fn() }));
vi.mock("../events/stream", async (real) => ({ ...(await real<object>()), openStream: vi.fn(() => () => undefined) }));
const reads = vi.mocked(readLog);
const streams = vi.mocked(openStream);

const PLACE = { run: "run_1", server: "srv_1", step: 2, attempt: 1 };
const BUSY = new Problem(503, { title: "Service Unavailable" });
const CUT = new TypeError("network error");

/** Answers as the coordinator does, from a log that is over at its end. Every answer may be a failure first. */
function stored(text: string, { limit = 10, kept = 0, over = true, failures = [] as unknown[] } = {}) {
  reads.mockImplementation((_place, offset, most) => {
    const failure = failures.shift();
    if (failure !== undefined && failure !== null) return Promise.reject(failure as Error);
    const from = Math.max(offset, kept);
    const piece = text.slice(from, from + Math.min(limit, most));
    const next = from + piece.length;
    return Promise.resolve({ offset: from, next_offset: next, end: over && next === text.length, gaps: [], text: piece, length: text.length } as LogPage);
  });
}

function read(live = false) {
  const seen: Log[] = [];
  const reading = new Reading(PLACE, (log) => seen.push(log));
  reading.follow(live);
  const lines = () => {
    const { text, first, end } = seen.at(-1) ?? { text: new LogBuffer(), first: 1, end: 1 };
    return Array.from({ length: end - first }, (_, at) => stripAnsi(text.line(first + at)));
  };
  return { reading, seen, lines, last: () => seen.at(-1) };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  vi.useRealTimers();
  vi.clearAllMocks();
});

it("reads page after page, with the last line that has no end, and asks for no stream of what is over", async () => {
  stored("one\ntwo\nthree\nfour");
  const { lines, last } = read();
  await pass(200);
  expect(lines()).toEqual(["one", "two", "three", "four"]);
  expect([last()?.loading, last()?.error, streams.mock.calls.length]).toEqual([false, null, 0]);
});

it("goes on with the stream from where the pages ended, and reads the rest when the step is over", async () => {
  stored("one\ntw", { over: false });
  const { reading, lines } = read(true);
  await pass(200);
  const [options] = streams.mock.calls[0] ?? [];
  expect(options?.lastEventId).toBe("6");
  options?.onEvent({ id: "9", kind: "log", data: JSON.stringify({ offset: 6, text: "o\nt" }) });
  await pass(200);
  expect(lines()).toEqual(["one", "two", "t"]);
  stored("one\ntwo\nthree");
  reading.follow(false);
  await pass(200);
  expect(lines()).toEqual(["one", "two", "three"]);
});

it("says once where output was not kept, in pages and in the stream", async () => {
  stored("0123456789one\n", { kept: 10, over: false });
  const { lines } = read(true);
  await pass(200);
  const [options] = streams.mock.calls[0] ?? [];
  options?.onEvent({ id: "50", kind: "log", data: JSON.stringify({ offset: 50, text: "" }) });
  options?.onEvent({ id: "54", kind: "log", data: JSON.stringify({ offset: 50, text: "two\n" }) });
  await pass(200);
  expect(lines()).toEqual(["… 10 bytes of output were not kept …", "one", "… 36 bytes of output were not kept …", "two"]);
});

it("shows the same of a hidden mark, whether it was stored or came live", async () => {
  stored("a\u200bb\n", { over: false });
  const { lines } = read(true);
  await pass(200);
  const [options] = streams.mock.calls[0] ?? [];
  options?.onEvent({ id: "9", kind: "log", data: JSON.stringify({ offset: 4, text: "c\u200bd\n" }) });
  await pass(200);
  expect(lines()[1]).toBe("c[U+200B]d");
});

it("asks again for a page that was cut off, however many of them were before, and while the coordinator is busy", async () => {
  const failures = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? (at % 4 === 0 ? CUT : BUSY) : null));
  stored(`${"line 78\n".repeat(15)}end`, { failures });
  const { lines, last } = read();
  await pass(120_000);
  expect([lines().length, lines().at(-1), last()?.error]).toEqual([16, "end", null]);
});

it("gives up on what fails again and again, and begins once more when it is told to", async () => {
  stored("one\n", { failures: Array.from({ length: 6 }, () => CUT) });
  const { reading, lines, last } = read();
  await pass(120_000);
  expect(last()?.error).toBe(CUT);
  reading.retry();
  await pass(200);
  expect([lines(), last()?.error]).toEqual([["one"], null]);
});

it("does not ask again when that is of no use, or when nobody looks any more", async () => {
  const gone = new Problem(404, { title: "Not Found" });
  stored("one\n", { failures: [gone] });
  const first = read();
  await pass(60_000);
  expect([first.last()?.error, reads.mock.calls.length]).toEqual([gone, 1]);
  stored("one\n", { failures: [CUT] });
  const second = read();
  await pass(1);
  second.reading.end();
  await pass(60_000);
  expect([second.seen, reads.mock.calls.length]).toEqual([[], 2]);
});

it("shows the end of a very long log, and downloads all of it", async () => {
  const line = `${"x".repeat(1023)}\n`;
  const all = `first\n${line.repeat(20 * 1024)}last`;
  stored(all, { limit: 256 * 1024 });
  const { lines, last } = read();
  await pass(1_000);
  expect(lines().at(-1)).toBe("last");
  expect(lines().filter((one) => one.includes("the middle of this log is not shown"))).toHaveLength(1);
  const shown = last()?.text ?? new LogBuffer();
  vi.useRealTimers();
  const file = await whole(PLACE, shown, new AbortController().signal);
  expect(await file.text()).toBe(`${all}\n`);
});

it("downloads what was let go here, and reads nothing again when all is here", async () => {
  vi.useRealTimers();
  const all = Array.from({ length: KEPT_LINES + SPARE_LINES + 1 }, (_, at) => `${String(at)}\n`).join("");
  const shown = new LogBuffer();
  shown.take(0, all.length, all);
  expect(shown.dropped).toBeGreaterThan(0);
  stored(all, { limit: 256 * 1024 });
  expect(await (await whole(PLACE, shown, new AbortController().signal)).text()).toBe(all);
  reads.mockClear();
  const short = new LogBuffer();
  short.take(0, 6, "a\nb\nc\n");
  expect(await (await whole(PLACE, short, new AbortController().signal)).text()).toBe("a\nb\nc\n");
  expect(reads).not.toHaveBeenCalled();
});

it("makes no file of a part when nobody waits for it any more", async () => {
  vi.useRealTimers();
  const shown = new LogBuffer();
  shown.take(0, 1_000_000, "line\n".repeat(200_000));
  const ended = new AbortController();
  const file = whole(PLACE, shown, ended.signal);
  ended.abort();
  await expect(file).rejects.toThrow();
});
