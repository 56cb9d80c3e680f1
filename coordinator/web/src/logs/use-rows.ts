// Owns which lines of a log exist on screen: those in sight and some around them.
import { type RefObject, useEffect, useLayoutEffect, useState, useSyncExternalStore } from "react";
import { Sight } from "./sight";

/** Lines above and below those in sight: what a wheel turns by in one go. Every one of them is work for the browser. */
const AROUND = 10;

export interface Rows {
  numbers: number[];
  /** Where the first of them stands, and how tall everything is. */
  top: number;
  height: number;
  onScroll: () => void;
  /** Puts a line in the middle. */
  show: (number: number) => void;
}

/** Rows are elements with the number of their line in `data-index`; `wrap` says that they can be taller than one row. */
export function useRows(box: RefObject<HTMLDivElement | null>, first: number, end: number, wrap: boolean): Rows {
  const [sight] = useState(() => new Sight());
  const { top, tall } = useSyncExternalStore(sight.subscribe, sight.current);
  const { heights } = sight;
  useEffect(() => (box.current === null ? undefined : sight.watch(box.current)), [box, sight]);
  useEffect(() => { sight.forget(); }, [sight, wrap]);
  useLayoutEffect(() => { sight.drawn(first, end, wrap); });
  const from = Math.max(first, heights.at(first, end, top) - AROUND);
  const to = Math.min(end, heights.at(first, end, top + tall) + 1 + AROUND);
  return {
    numbers: Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index),
    top: heights.between(first, from),
    height: heights.between(first, end),
    onScroll: sight.look,
    show: (number) => { sight.show(number); },
  };
}
