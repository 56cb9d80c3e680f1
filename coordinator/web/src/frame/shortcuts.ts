// Owns the keys that work everywhere. Single letters never fire while somebody types.
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";

export const SHORTCUTS: { keys: string[]; does: string }[] = [
  { keys: ["Ctrl", "K"], does: "Command palette: go anywhere, do anything" },
  { keys: ["?"], does: "This help" },
  { keys: ["g", "p"], does: "All projects" },
  { keys: ["g", "v"], does: "Servers" },
  { keys: ["c"], does: "Write in the project's chat" },
  { keys: ["s"], does: "Services of the project" },
  { keys: ["i"], does: "Infrastructure of the project" },
  { keys: ["r"], does: "Runs of the project" },
  { keys: ["/"], does: "Search in the list or log on screen" },
  { keys: ["Esc"], does: "Close what is open" },
];

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu]") !== null;
}

export function useShortcuts(show: (overlay: "palette" | "help") => void): void {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  useEffect(() => {
    let leader = 0;
    const project = /^\/projects\/([^/]+)/.exec(pathname)?.[1];
    const panel = (name: string) => {
      if (project !== undefined) void navigate({ pathname: `/projects/${project}/${name}`, search });
    };
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        show("palette");
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const afterG = event.timeStamp - leader < 1200;
      leader = 0;
      if (event.key === "g") leader = event.timeStamp;
      else if (afterG && event.key === "p") void navigate("/");
      else if (afterG && event.key === "v") void navigate("/servers");
      else if (event.key === "?") show("help");
      else if (event.key === "s") panel("services");
      else if (event.key === "i") panel("infrastructure");
      else if (event.key === "r") panel("runs");
      else if (event.key === "c") focusOn(event, "[data-composer]");
      else if (event.key === "/") focusOn(event, "[data-search]");
    };
    addEventListener("keydown", onKey);
    return () => { removeEventListener("keydown", onKey); };
  }, [navigate, pathname, search, show]);
}

function focusOn(event: KeyboardEvent, selector: string): void {
  const found = [...document.querySelectorAll<HTMLElement>(selector)].find((one) => one.offsetParent !== null);
  if (found === undefined) return;
  event.preventDefault();
  found.focus();
}
