import { describe, expect, it } from "vitest";
import { KEPT_LINES, LogBuffer } from "./buffer";

function filled(...pieces: string[]): LogBuffer {
  const buffer = new LogBuffer();
  for (const piece of pieces) buffer.take(buffer.offset, buffer.offset + piece.length, piece);
  return buffer;
}

describe("a log in pieces", () => {
  it("joins lines that were cut anywhere and shows the one still being written", () => {
    expect(filled("one\ntw", "o\nthr").all).toEqual(["one", "two", "thr"]);
  });

  it("ignores a piece that is already here, so a reconnect never doubles a line", () => {
    const buffer = filled("one\n");
    expect(buffer.take(0, 4, "one\n")).toBe(false);
    expect(buffer.all).toEqual(["one"]);
  });

  it("keeps the last state of a progress bar", () => {
    expect(filled("10 %\r50 %\r100 %\r\ndone\r\n").all).toEqual(["100 %", "done"]);
  });

  it("says where output is missing", () => {
    const buffer = filled("one\n");
    buffer.note("gap");
    buffer.take(100, 104, "two\n");
    expect(buffer.all.map((line) => line.replaceAll("\u001b[2m", "").replaceAll("\u001b[0m", ""))).toEqual(["one", "gap", "two"]);
  });

  it("lets the oldest lines go and counts them", () => {
    const buffer = filled("x\n".repeat(KEPT_LINES + 10));
    expect(buffer.all).toHaveLength(KEPT_LINES);
    expect(buffer.dropped).toBe(10);
  });
});
