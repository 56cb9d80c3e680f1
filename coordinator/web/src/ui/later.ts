// Owns code that no first sight of a page needs: it comes when the page is at rest, or when somebody is about to use it.
// Rule: once it is here, using it takes no longer than if it had always been here.
import { useEffect, useSyncExternalStore } from "react";

const AT_REST_MS = 1500;

interface State<T> {
  here: T | null;
  failure: { error: unknown } | null;
}

export interface Later<T> {
  state: () => State<T>;
  /** Asks for it, unless it is here or on its way. */
  fetch: () => Promise<void>;
  fail: (error: unknown) => void;
  subscribe: (listener: () => void) => () => void;
}

const known: Later<unknown>[] = [];
let resting = false;

export function later<T>(load: () => Promise<T>): Later<T> {
  let state: State<T> = { here: null, failure: null };
  let coming: Promise<void> | null = null;
  const listeners = new Set<() => void>();
  const set = (next: State<T>) => {
    state = next;
    for (const listener of [...listeners]) listener();
  };
  const one: Later<T> = {
    state: () => state,
    fetch: () => {
      coming ??= load()
        .then((here) => { set({ here, failure: null }); })
        .catch((error: unknown) => {
          coming = null;
          throw error;
        });
      return coming;
    },
    fail: (error) => { set({ here: null, failure: { error } }); },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  known.push(one);
  if (resting) setTimeout(() => { soon(one); }, AT_REST_MS);
  return one;
}

/** What is here of it, and null before. What is `wanted` is asked for; if it cannot come, that is an error of the page. */
export function useLater<T>(one: Later<T>, wanted: boolean): T | null {
  const { here, failure } = useSyncExternalStore(one.subscribe, one.state);
  useEffect(() => {
    if (wanted) one.fetch().catch(one.fail);
  }, [one, wanted]);
  if (wanted && failure !== null) throw failure.error;
  return here;
}

/** Asks for it without anybody waiting: who needs it will ask again. */
export function soon(one: Later<unknown>): void {
  one.fetch().catch(() => undefined);
}

/** Once the page is at rest, everything that was left for later comes. */
export function useRest(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      resting = true;
      known.forEach(soon);
    }, AT_REST_MS);
    return () => { clearTimeout(timer); };
  }, []);
}
