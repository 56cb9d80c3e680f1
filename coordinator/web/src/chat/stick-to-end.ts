// Owns the scroll of the conversation: it stays at the end while the reader is there, and nowhere else.
import { type RefCallback, useCallback, useEffect, useRef } from "react";

const NEAR = 80;

export function useStickToEnd(content: unknown): RefCallback<HTMLElement> {
  const element = useRef<HTMLElement | null>(null);
  const atEnd = useRef(true);
  const attach = useCallback((node: HTMLElement | null) => {
    element.current = node;
    if (node === null) return;
    const onScroll = () => {
      atEnd.current = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;
    };
    // Cards grow after they were added, so the size decides, not the count.
    const watch = new ResizeObserver(() => {
      if (atEnd.current) node.scrollTop = node.scrollHeight;
    });
    node.addEventListener("scroll", onScroll, { passive: true });
    for (const child of node.children) watch.observe(child);
    return () => {
      node.removeEventListener("scroll", onScroll);
      watch.disconnect();
    };
  }, []);
  useEffect(() => {
    if (atEnd.current && element.current !== null) element.current.scrollTop = element.current.scrollHeight;
  }, [content]);
  return attach;
}
