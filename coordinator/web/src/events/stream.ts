// Owns the one event-stream client: `fetch` instead of EventSource because the team is named in a header. It resumes
// with Last-Event-ID, backs off with jitter, and calls a silent connection dead (the server pings every 15 s).
import { problemFrom } from "../api/problem";
import { teamHeaders } from "../api/team";
import { Slice } from "../ui/slices";
import { EventParser, type StreamEvent } from "./parse";

export type StreamState = "connecting" | "open" | "waiting" | "closed";
export interface StreamOptions {
  url: string;
  lastEventId?: string;
  onEvent: (event: StreamEvent) => void;
  onState?: (state: StreamState) => void;
}

const SILENCE_MS = 45_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

/** Opens a stream and keeps it open. Returns the function that ends it. */
export function openStream(options: StreamOptions): () => void {
  const ended = new AbortController();
  void keepOpen(options, ended.signal);
  return () => {
    ended.abort();
  };
}

async function keepOpen(options: StreamOptions, ended: AbortSignal): Promise<void> {
  let last = options.lastEventId;
  let failures = 0;
  const say = (state: StreamState) => {
    if (!ended.aborted) options.onState?.(state);
  };
  while (!ended.aborted) {
    say("connecting");
    try {
      await readOnce(options.url, last, ended, {
        open: () => {
          say("open");
        },
        event: (event) => {
          failures = 0;
          if (event.id !== null) last = event.id;
          if (!ended.aborted) options.onEvent(event);
        },
      });
    } catch (error) {
      if (isFinal(error)) {
        say("closed");
        return;
      }
    }
    if (ended.aborted) return;
    say("waiting");
    await pause(waitFor(failures, Math.random()), ended);
    failures += 1;
  }
}

/** Milliseconds before the next try: doubled each time, at least half of it kept. */
export function waitFor(failures: number, random: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  return most / 2 + (most / 2) * random;
}

/** 4xx says that asking again is useless (not signed in, not ours, gone). */
function isFinal(error: unknown): boolean {
  const status = (error as { status?: number }).status ?? 0;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

interface Listener {
  open: () => void;
  event: (event: StreamEvent) => void;
}

async function readOnce(url: string, last: string | undefined, ended: AbortSignal, on: Listener): Promise<void> {
  const silent = new AbortController();
  const signal = AbortSignal.any([ended, silent.signal]);
  const headers: Record<string, string> = { Accept: "text/event-stream", ...teamHeaders() };
  if (last !== undefined) headers["Last-Event-ID"] = last;
  let watch = setTimeout(() => {
    silent.abort();
  }, SILENCE_MS);
  try {
    const response = await fetch(url, { headers, signal, credentials: "same-origin", cache: "no-store" });
    if (!response.ok || response.body === null) throw problemFrom(response.status, null);
    on.open();
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    const slice = new Slice();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watch);
      watch = setTimeout(() => {
        silent.abort();
      }, SILENCE_MS);
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        on.event(event);
        await slice.over();
      }
    }
  } finally {
    clearTimeout(watch);
  }
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ended.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
