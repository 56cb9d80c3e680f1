// Owns the team's stream: what happens anywhere in the team marks the cached answers it touches as old.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { BASE } from "../api/client";
import { affected, parseTeamEvent } from "./affected";
import { openStream, type StreamState } from "./stream";

/** Many events in one moment become one round of requests. */
const GATHER_MS = 120;

let state: StreamState = "connecting";
const listeners = new Set<() => void>();

function setState(next: StreamState): void {
  state = next;
  for (const listener of listeners) listener();
}

function gatherer(cache: QueryClient) {
  const old = new Map<string, readonly unknown[]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (found: (readonly unknown[])[]) => {
    for (const key of found) old.set(JSON.stringify(key), key);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const queryKey of old.values()) void cache.invalidateQueries({ queryKey });
      old.clear();
    }, GATHER_MS);
  };
}

export function useTeamStream(team: string): void {
  const cache = useQueryClient();
  useEffect(() => {
    const mark = gatherer(cache);
    let wasOpen = false;
    return openStream({
      url: `${BASE}/teams/${team}/events`,
      onEvent: ({ data }) => {
        const event = parseTeamEvent(data);
        if (event !== null) mark(affected(event));
      },
      onState: (next) => {
        // After a gap, ask for everything on screen once: events name changes, answers are the truth.
        if (next === "open" && wasOpen) void cache.invalidateQueries();
        wasOpen ||= next === "open";
        setState(next);
      },
    });
  }, [cache, team]);
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
