// Owns the choice of light, dark or the system's. The first paint is `public/theme.js`, with the same rule.
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";
const KEY = "hydron.theme";
const media = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function read(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

function paint(): void {
  const theme = read();
  document.documentElement.dataset["theme"] = theme === "system" ? (media.matches ? "dark" : "light") : theme;
  for (const listener of listeners) listener();
}

media.addEventListener("change", paint);
// The system may have changed between the first paint and now.
paint();

export function setTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  paint();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, read);
}
