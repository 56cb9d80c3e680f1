import { expect, it } from "vitest";
import { EventParser, type StreamEvent } from "./parse";

const TEXT = ": ping\n\nid: 7\nevent: run\ndata: {\"a\":1}\n\ndata: two\ndata: lines\r\n\r\nid: 8\n\nevent: lost";

it("reads the same events wherever the bytes are cut", () => {
  const whole = new EventParser().push(TEXT);
  expect(whole).toEqual([
    { id: "7", kind: "run", data: '{"a":1}' },
    { id: "7", kind: "message", data: "two\nlines" },
  ]);
  for (let at = 0; at <= TEXT.length; at += 1) {
    const parser = new EventParser();
    const events: StreamEvent[] = [...parser.push(TEXT.slice(0, at)), ...parser.push(TEXT.slice(at))];
    expect(events).toEqual(whole);
  }
});
