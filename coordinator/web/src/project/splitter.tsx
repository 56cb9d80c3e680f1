// Owns the line between chat and panel, for pointer and keyboard.
import type { KeyboardEvent, PointerEvent, RefObject } from "react";
import type { PanelSize } from "./panel-size";

const STEP = 32;

export function Splitter({ size, frame }: { size: PanelSize; frame: RefObject<HTMLElement | null> }) {
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || frame.current === null) return;
    size.setWidth(frame.current.getBoundingClientRect().right - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") size.setWidth(size.width + STEP);
    else if (event.key === "ArrowRight") size.setWidth(size.width - STEP);
    else return;
    event.preventDefault();
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the details panel"
      aria-valuenow={size.width}
      aria-valuemin={360}
      aria-valuemax={1200}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onKeyDown={onKeyDown}
      onDoubleClick={() => { size.setWidth(560); }}
      className="absolute inset-y-0 -left-px z-10 w-px cursor-col-resize touch-none transition-colors before:absolute before:inset-y-0 before:-left-1.5 before:w-3 hover:bg-accent focus-visible:bg-accent max-md:hidden"
    />
  );
}
