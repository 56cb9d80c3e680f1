// Owns the search of a log on screen: started anew with every letter, continued with every line.
import { useEffect, useEffectEvent, useRef, useState } from "react";
import type { Log } from "./reading";
import { Search } from "./search";

export interface Matches {
  count: number;
  /** Whether lines are still being looked at. */
  looking: boolean;
  /** The match after a line or before it, once everything has been looked at. */
  beside: (number: number, forward: boolean) => Promise<{ index: number; number: number } | null>;
}

export function useSearch(log: Log, needle: string): Matches {
  const [seen, setSeen] = useState({ needle: "", count: 0, looking: false });
  const search = useRef<Search | null>(null);
  const { text } = log;
  const look = useEffectEvent(async (one: Search) => {
    const say = (looking: boolean) => {
      if (search.current === one) setSeen({ needle: one.needle, count: one.count, looking });
    };
    // What stands there stays until there is something better to say: a short search does not flicker.
    const slow = setTimeout(say, 120, true);
    await one.run();
    clearTimeout(slow);
    say(false);
  });
  useEffect(() => {
    const ended = new AbortController();
    search.current = new Search(text, needle, ended.signal);
    void look(search.current);
    return () => { ended.abort(); };
  }, [text, needle]);
  useEffect(() => {
    if (search.current !== null) void look(search.current);
  }, [log.version]);
  return {
    count: seen.needle === needle ? seen.count : 0,
    looking: seen.looking || seen.needle !== needle,
    beside: async (number, forward) => {
      const one = search.current;
      if (one === null) return null;
      await one.run();
      return search.current === one ? one.beside(number, forward) : null;
    },
  };
}
