// Owns the way back of the focus: when a dialog closes, to where it was when the dialog came, unless something else has taken
// it meanwhile.
import { useState } from "react";

/** For `onCloseAutoFocus` of a dialog that no trigger of the library opened. */
export function useWayBack(): (event: Event) => void {
  const [opener] = useState(focused);
  return (event) => {
    event.preventDefault();
    const free = document.activeElement === null || document.activeElement === document.body;
    if (free && opener?.isConnected === true) opener.focus({ preventScroll: true });
  };
}

/** Of a menu's entry, which is gone by then, the button that opened the menu. */
function focused(): HTMLElement | null {
  const active = document.activeElement;
  const menu = active?.closest("[role=menu]");
  const found = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : active;
  return found instanceof HTMLElement ? found : null;
}
