// Owns which projects this person starred, kept in this browser.
import { useSyncExternalStore } from "react";

const KEY = "hydron.favourites";
const listeners = new Set<() => void>();
let current: ReadonlySet<string> = load();

function load(): ReadonlySet<string> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
  } catch {
    return new Set();
  }
}

function toggle(id: string): void {
  const next = new Set(current);
  if (!next.delete(id)) next.add(id);
  current = next;
  localStorage.setItem(KEY, JSON.stringify([...next]));
  for (const listener of listeners) listener();
}

export function useFavourites(): { favourites: ReadonlySet<string>; toggle: (id: string) => void } {
  const favourites = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
  return { favourites, toggle };
}
