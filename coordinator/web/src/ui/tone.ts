// Owns the six tones in which a state can be shown. A tone is never alone: an icon and a word stand beside it.

export type Tone = "idle" | "run" | "ok" | "bad" | "warn" | "accent";

export const SOFT: Record<Tone, string> = {
  idle: "bg-idle-soft text-idle",
  run: "bg-run-soft text-run",
  ok: "bg-ok-soft text-ok",
  bad: "bg-bad-soft text-bad",
  warn: "bg-warn-soft text-warn",
  accent: "bg-accent-soft text-accent",
};
export const TEXT: Record<Tone, string> = {
  idle: "text-idle",
  run: "text-run",
  ok: "text-ok",
  bad: "text-bad",
  warn: "text-warn",
  accent: "text-accent",
};
export const FILL: Record<Tone, string> = {
  idle: "bg-idle-strong",
  run: "bg-run-strong",
  ok: "bg-ok-strong",
  bad: "bg-bad-strong",
  warn: "bg-warn-strong",
  accent: "bg-accent",
};
