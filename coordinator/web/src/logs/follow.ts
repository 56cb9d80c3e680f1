// Owns following the end of a log: on while it grows, off as soon as the reader scrolls up, on again at the end.
import { type RefObject, useEffect, useRef, useState } from "react";

const NEAR = 24;

export interface Follow {
  on: boolean;
  start: () => void;
  stop: () => void;
  onScroll: () => void;
}

export function useFollow(box: RefObject<HTMLDivElement | null>, version: number, wanted: boolean): Follow {
  const [on, setOn] = useState(wanted);
  const before = useRef(0);
  useEffect(() => {
    if (!on) return;
    toEnd(box.current);
    // Row heights are measured after they are drawn: go to the end again in the next frame.
    const frame = requestAnimationFrame(() => { toEnd(box.current); });
    return () => { cancelAnimationFrame(frame); };
  }, [box, on, version]);
  return {
    on,
    start: () => { setOn(true); },
    stop: () => { setOn(false); },
    onScroll: () => {
      const node = box.current;
      if (node === null) return;
      const up = node.scrollTop < before.current - 2;
      before.current = node.scrollTop;
      const atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;
      if (up && !atEnd) setOn(false);
      else if (atEnd && !on) setOn(wanted);
    },
  };
}

function toEnd(node: HTMLDivElement | null): void {
  node?.scrollTo({ top: node.scrollHeight });
}
