// Owns the way back of the focus: when a dialog closes, to where it was when the dialog came, unless something else has taken
// it meanwhile. A dialog that was opened from another one that is gone by then gives it back to where that one had it from.
import { useState } from "react";

/** Where the focus was before the newest dialog, and before the one that it was opened from. */
let newest: HTMLElement[] = [];

/** For `onCloseAutoFocus` of a dialog that no trigger of the library opened. */
export function useWayBack(): (event: Event) => void {
  const [openers] = useState(() => (newest = focused()));
  return (event) => {
    event.preventDefault();
    const free = document.activeElement === null || document.activeElement === document.body;
    if (free) openers.find((opener) => opener.isConnected)?.focus({ preventScroll: true });
  };
}

/** Of a menu's entry, which is gone by then, the button that opened the menu. */
function focused(): HTMLElement[] {
  const active = document.activeElement;
  const menu = active?.closest("[role=menu]");
  const found = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : active;
  const before = active?.closest("[role=dialog]") ? newest : [];
  return found instanceof HTMLElement ? [found, ...before] : before;
}
