// Owns how wide the right panel is: dragged or moved by keys, remembered, never wider than leaves room to chat.
import { type CSSProperties, type RefObject, useState, useSyncExternalStore } from "react";

const KEY = "hydron.panel";
const LEAST = 360;
const CHAT_LEAST = 380;
const room = matchMedia("(min-width: 56.25rem)");

export interface PanelSize {
  width: number;
  wide: boolean;
  style: CSSProperties | undefined;
  setWidth: (width: number) => void;
  setWide: (wide: boolean) => void;
}

export function usePanelSize(frame: RefObject<HTMLElement | null>): PanelSize {
  const [width, setState] = useState(load);
  const [wide, setWide] = useState(false);
  const beside = useSyncExternalStore(
    (listener) => {
      room.addEventListener("change", listener);
      return () => { room.removeEventListener("change", listener); };
    },
    () => room.matches,
  );
  const setWidth = (wanted: number) => {
    const most = Math.max(LEAST, (frame.current?.clientWidth ?? 1200) - CHAT_LEAST);
    const next = Math.round(Math.min(most, Math.max(LEAST, wanted)));
    localStorage.setItem(KEY, String(next));
    setState(next);
  };
  const style = beside && !wide ? { width: `min(${String(width)}px, calc(100% - ${String(CHAT_LEAST)}px))` } : undefined;
  return { width, wide: wide && beside, style, setWidth, setWide };
}

function load(): number {
  const stored = Number(localStorage.getItem(KEY));
  return stored >= LEAST ? stored : 560;
}
