// Owns progress bars: a share that is done, and a band that moves when nobody knows the share.
import { FILL, type Tone } from "./tone";

export function Progress({ value, tone, label }: { value: number; tone: Tone; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} className="h-1.5 overflow-hidden rounded-full bg-hover">
      <div className={`h-full rounded-full transition-[width] duration-500 ${FILL[tone]}`} style={{ width: `${String(percent)}%` }} />
    </div>
  );
}

/** Thin moving line under a header while a page's data is on its way. */
export function Moving({ label }: { label: string }) {
  return (
    <div role="progressbar" aria-label={label} data-loading className="h-0.5 overflow-hidden bg-hover">
      <div className="h-full w-1/3 animate-slide bg-run-strong" />
    </div>
  );
}
