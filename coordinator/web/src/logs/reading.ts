// Owns a log on its way into the page: what is stored, page by page, then what comes, from exactly where that ended.
// Neighbours: buffer.ts keeps the lines, use-log.ts gives them to a view.
import { BASE } from "../api/client";
import { Problem } from "../api/problem";
import { type LogPlace, readLog } from "../api/runs";
import type { LogPage } from "../api/types";
import { openStream, waitFor } from "../events/stream";
import { visible } from "../format/visible";
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

export const NOTHING_YET: Log = picture(new LogBuffer(), 0, true, null);

export class Reading {
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

  /** Tries once more after an error. */
  retry(): void {
    this.failures = 0;
    this.follow(this.live);
  }

  end(): void {
    this.ended.abort();
    this.close?.();
    this.cancel?.();
  }

  private async read(): Promise<void> {
    this.reading = true;
    const { signal } = this.ended;
    do {
      this.again = false;
      try {
        await this.readAll(signal);
        this.failures = 0;
      } catch (error) {
        this.failures += 1;
        if (!signal.aborted && (!passes(error) || this.failures > TRIES)) {
          this.reading = false;
          this.show(false, error);
          return;
        }
        // A page that was cut off on its way is asked for again, from where the last one ended.
        if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, waitFor(this.failures, Math.random())));
        this.again = true;
      }
    } while (this.again && !signal.aborted);
    this.reading = false;
    if (signal.aborted) return;
    this.show(false);
    if (this.live) this.close = this.stream();
  }

  private async readAll(signal: AbortSignal): Promise<void> {
    const { text } = this;
    for (;;) {
      const page = await readLog(this.place, text.offset, PAGE, signal);
      this.failures = 0;
      if (!takePage(text, page) || page.end) return;
      if (page.length - text.offset > MOST) text.skip(page.length - MOST / 2);
      this.show(true);
    }
  }

  private stream(): () => void {
    const { text, place } = this;
    const query = new URLSearchParams({ server: place.server, step: String(place.step), attempt: String(place.attempt), offset: String(text.offset) });
    return openStream({
      url: `${BASE}/runs/${place.run}/logs/stream?${query.toString()}`,
      lastEventId: String(text.offset),
      onEvent: ({ id, data }) => {
        const piece = visible(JSON.parse(data)) as { offset: number; text: string };
        const next = Number(id ?? piece.offset + new TextEncoder().encode(piece.text).length);
        if (takePage(text, { ...piece, next_offset: next })) this.show(false);
      },
    });
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

/** Takes a piece, and says where output is missing before it. Returns whether there was anything new in it. */
export function takePage(text: LogBuffer, page: Pick<LogPage, "offset" | "next_offset" | "text">): boolean {
  const missing = page.offset > text.offset;
  if (missing) text.miss(page.offset);
  return text.take(page.offset, page.next_offset, page.text) || missing;
}

/** Whether asking again can help: the line was cut, or the coordinator is busy or starts. */
function passes(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Problem && (error.status >= 500 || error.status === 429));
}

function picture(text: LogBuffer, version: number, loading: boolean, error: unknown): Log {
  return { text, first: text.first, end: text.end, version, loading, error };
}

/** Does something with the next frame, or a little later. Returns what takes it back. */
function soon(later: boolean, act: () => void): () => void {
  let frame = 0;
  const timer = setTimeout(() => { frame = requestAnimationFrame(act); }, later ? BETWEEN_MS : 0);
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}
