// Owns getting a log: stored pages first, then the live stream from exactly where they ended.
import { useEffect, useState } from "react";
import { BASE } from "../api/client";
import { type LogPlace, readLog } from "../api/runs";
import { openStream } from "../events/stream";
import { LogBuffer } from "./buffer";

const PAGE = 256 * 1024;
/** More than this is not read into a page; the end is what matters then. */
const MOST = 16 * 1024 * 1024;

export interface Log {
  lines: string[];
  dropped: number;
  loading: boolean;
  error: unknown;
}

const EMPTY: Log = { lines: [], dropped: 0, loading: true, error: null };

export function useLog(place: LogPlace, live: boolean): Log {
  const [log, setLog] = useState<Log>(EMPTY);
  const { run, server, step, attempt } = place;
  useEffect(() => {
    const ended = new AbortController();
    const buffer = new LogBuffer();
    let close: (() => void) | undefined;
    let frame = 0;
    const show = (loading: boolean, error: unknown = null) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        setLog({ lines: [...buffer.all], dropped: buffer.dropped, loading, error });
      });
    };
    const start = async () => {
      await readAll({ run, server, step, attempt }, buffer, ended.signal, () => { show(true); });
      if (ended.signal.aborted) return;
      show(false);
      if (live) close = follow({ run, server, step, attempt }, buffer, () => { show(false); });
    };
    start().catch((error: unknown) => {
      if (!ended.signal.aborted) show(false, error);
    });
    return () => {
      ended.abort();
      close?.();
      cancelAnimationFrame(frame);
    };
  }, [run, server, step, attempt, live]);
  return log;
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

function follow(place: LogPlace, buffer: LogBuffer, changed: () => void): () => void {
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
