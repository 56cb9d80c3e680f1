// Owns the choice of theme.
import { clsx } from "clsx";
import { type LucideIcon, Monitor, Moon, Sun } from "lucide-react";
import { setTheme, type Theme, useTheme } from "../ui/theme";

const THEMES: [Theme, string, LucideIcon][] = [
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
  ["system", "As the system", Monitor],
];

export function Appearance() {
  const theme = useTheme();
  return (
    <fieldset>
      <legend className="mb-3 text-sm text-ink-2">Kept in this browser.</legend>
      <div className="flex flex-wrap gap-3">
        {THEMES.map(([value, label, Icon]) => (
          <label
            key={value}
            className={clsx(
              "flex w-40 cursor-pointer items-center gap-2.5 rounded-lg border bg-surface px-4 py-3 text-sm font-medium shadow-1 has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
              theme === value ? "border-accent text-accent" : "border-line text-ink hover:border-line-strong",
            )}
          >
            <input type="radio" name="theme" className="sr-only" checked={theme === value} onChange={() => { setTheme(value); }} />
            <Icon className="size-4" aria-hidden />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
