import { describe, expect, it } from "vitest";
import { KEPT_LINES, LogBuffer, LONGEST_LINE, SPARE_LINES } from "./buffer";

function filled(...pieces: string[]): LogBuffer {
  const buffer = new LogBuffer();
  for (const piece of pieces) buffer.take(buffer.offset, buffer.offset + piece.length, piece);
  return buffer;
}

const shown = (buffer: LogBuffer) => Array.from({ length: buffer.end - buffer.first }, (_, index) => buffer.line(buffer.first + index));

describe("a log in pieces", () => {
  it("joins lines that were cut anywhere and shows the one still being written", () => {
    expect(shown(filled("one\ntw", "o\nthr"))).toEqual(["one", "two", "thr"]);
  });

  it("ignores a piece that is already here, so a reconnect never doubles a line", () => {
    const buffer = filled("one\n");
    expect(buffer.take(0, 4, "one\n")).toBe(false);
    expect(shown(buffer)).toEqual(["one"]);
  });

  it("keeps the last state of a progress bar", () => {
    expect(shown(filled("10 %\r50 %\r100 %\r\ndone\r\n"))).toEqual(["100 %", "done"]);
  });

  it("says where output is missing", () => {
    const buffer = filled("one\n");
    buffer.miss(100);
    buffer.take(100, 104, "two\n");
    buffer.take(104, 107, "thr");
    buffer.skip(1_000);
    expect([buffer.offset, buffer.skipped]).toEqual([1_000, true]);
    expect(shown(buffer).map((line) => line.replaceAll("\u001b[2m", "").replaceAll("\u001b[0m", ""))).toEqual([
      "one",
      "… 96 bytes of output were not kept …",
      "two",
      "thr",
      "… the middle of this log is not shown; download it to read all …",
    ]);
  });

  it("lets the oldest lines go, many at once, and no line gets another number by that", () => {
    const buffer = new LogBuffer();
    const many = KEPT_LINES + SPARE_LINES + 1;
    for (let number = 1; number <= many; number += 1) buffer.take(buffer.offset, buffer.offset + 1, `${String(number)}\n`);
    expect([buffer.first, buffer.end, buffer.dropped]).toEqual([SPARE_LINES + 2, many + 1, SPARE_LINES + 1]);
    expect([buffer.line(buffer.first), buffer.line(many), buffer.line(1)]).toEqual([String(SPARE_LINES + 2), String(many), ""]);
  });

  it("shows a line without an end as several, and of an endless progress bar its last state", () => {
    const buffer = new LogBuffer();
    for (let piece = 0; piece < 100; piece += 1) buffer.take(buffer.offset, buffer.offset + 1000, "x".repeat(1000));
    expect(shown(buffer).every((line) => line.length <= LONGEST_LINE)).toBe(true);
    expect(shown(buffer).join("")).toHaveLength(100_000);
    expect(shown(filled("\r10 %", "\r20 %\r", "30 %"))).toEqual(["30 %"]);
    expect(shown(filled("done\r", "\nnext\r", "\n"))).toEqual(["done", "next"]);
  });

  it("cuts a line without an end between letters, never inside of one", () => {
    const smiles = "\u{1f600}".repeat(LONGEST_LINE);
    for (const buffer of [filled(`x${smiles}\n`), filled(`x${smiles}`), filled(`x${smiles}`, "\n")]) {
      expect(shown(buffer).some((line) => /[\ud800-\udfff]/u.test(line))).toBe(false);
      expect(shown(buffer).join("")).toBe(`x${smiles}`);
    }
  });
});
