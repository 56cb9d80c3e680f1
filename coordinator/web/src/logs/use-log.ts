// Owns getting a log: stored pages first, then the live stream from exactly where they ended.
import { useEffect, useRef, useState } from "react";
import { BASE } from "../api/client";
import { type LogPlace, readLog } from "../api/runs";
import { openStream, waitFor } from "../events/stream";
import { LogBuffer } from "./buffer";

const PAGE = 256 * 1024;
/** More than this is not read into a page; the end is what matters then. */
const MOST = 16 * 1024 * 1024;

/** With more lines than this, what is new is shown less often: every time costs what all of them need to be laid out. */
const MANY = 20_000;
const BETWEEN_MS = 100;
/** How often in a row a page of a log may be cut off. */
const TRIES = 5;

export interface Log {
  text: LogBuffer;
  /** The lines of this picture of it; the text itself may be further. */
  first: number;
  end: number;
  /** Another number for every picture: the last line may have grown and nothing else. */
  version: number;
  loading: boolean;
  error: unknown;
}

export function useLog(place: LogPlace, live: boolean): Log {
  const [log, setLog] = useState<Log>(() => picture(new LogBuffer(), 0, true, null));
  const reading = useRef<Reading | null>(null);
  const { run, server, step, attempt } = place;
  useEffect(() => {
    const one = new Reading({ run, server, step, attempt }, setLog);
    reading.current = one;
    return () => { one.end(); };
  }, [run, server, step, attempt]);
  // What is here stays here when the step ends: only the rest is read.
  useEffect(() => {
    reading.current?.follow(live);
  }, [live, run, server, step, attempt]);
  return log;
}

/** One log on its way into the page: what is stored, then what comes. */
class Reading {
  private readonly text = new LogBuffer();
  private readonly ended = new AbortController();
  private readonly place: LogPlace;
  private readonly tell: (log: Log) => void;
  private state: { loading: boolean; error: unknown } = { loading: true, error: null };
  private version = 0;
  private live = false;
  private reading = false;
  /** Whether the log ended or began to grow while it was read. */
  private again = false;
  private failures = 0;
  private close: (() => void) | undefined;
  private cancel: (() => void) | undefined;

  constructor(place: LogPlace, tell: (log: Log) => void) {
    this.place = place;
    this.tell = tell;
  }

  /** Reads what there is; goes on with what comes as long as the log is live. */
  follow(live: boolean): void {
    this.live = live;
    if (!live) {
      this.close?.();
      this.close = undefined;
    }
    if (this.reading) this.again = true;
    else if (this.close === undefined) void this.read();
  }

  end(): void {
    this.ended.abort();
    this.close?.();
    this.cancel?.();
  }

  private async read(): Promise<void> {
    this.reading = true;
    try {
      await readAll(this.place, this.text, this.ended.signal, () => { this.show(true); });
      this.show(false);
    } catch (error) {
      if (this.ended.signal.aborted) return;
      this.failures += 1;
      // A page that was cut off on its way is asked for again, from where the last one ended.
      if (error instanceof TypeError && this.failures <= TRIES) {
        await new Promise((resolve) => setTimeout(resolve, waitFor(this.failures, Math.random())));
        return await this.read();
      }
      this.show(false, error);
      return;
    } finally {
      this.reading = false;
    }
    this.failures = 0;
    if (this.again) {
      this.again = false;
      return this.read();
    }
    if (this.live && !this.ended.signal.aborted) this.close = stream(this.place, this.text, () => { this.show(false); });
  }

  private show(loading: boolean, error: unknown = null): void {
    if (this.ended.signal.aborted) return;
    this.state = { loading, error };
    this.cancel ??= soon(this.text.end - this.text.first > MANY, () => {
      this.cancel = undefined;
      this.version += 1;
      this.tell(picture(this.text, this.version, this.state.loading, this.state.error));
    });
  }
}

const picture = (text: LogBuffer, version: number, loading: boolean, error: unknown): Log => ({ text, first: text.first, end: text.end, version, loading, error });

/** Does something with the next frame, or a little later. Returns what takes it back. */
function soon(later: boolean, act: () => void): () => void {
  let frame = 0;
  const timer = setTimeout(() => { frame = requestAnimationFrame(act); }, later ? BETWEEN_MS : 0);
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}

async function readAll(place: LogPlace, buffer: LogBuffer, signal: AbortSignal, changed: () => void): Promise<void> {
  for (;;) {
    const page = await readLog(place, buffer.offset, PAGE, signal);
    if (page.offset > buffer.offset) {
      buffer.note(`… ${String(page.offset - buffer.offset)} bytes of output were not kept …`);
      buffer.offset = page.offset;
    }
    const moved = buffer.take(page.offset, page.next_offset, page.text);
    if (!moved || page.end) return;
    if (page.length - buffer.offset > MOST) {
      buffer.note("… the middle of this log is not shown; download it to read all …");
      buffer.offset = page.length - MOST / 2;
    }
    changed();
  }
}

function stream(place: LogPlace, buffer: LogBuffer, changed: () => void): () => void {
  const query = new URLSearchParams({
    server: place.server,
    step: String(place.step),
    attempt: String(place.attempt),
    offset: String(buffer.offset),
  });
  return openStream({
    url: `${BASE}/runs/${place.run}/logs/stream?${query.toString()}`,
    lastEventId: String(buffer.offset),
    onEvent: ({ id, data }) => {
      const { offset, text } = JSON.parse(data) as { offset: number; text: string };
      const next = Number(id ?? offset + new TextEncoder().encode(text).length);
      if (offset > buffer.offset) buffer.note(`… ${String(offset - buffer.offset)} bytes of output were not kept …`);
      if (buffer.take(offset, next, text)) changed();
    },
  });
}
