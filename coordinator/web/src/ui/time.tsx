// Owns times on screen: relative to now, exact on hover, and durations that run while something runs.
import { useNow } from "../format/clock";
import { ago, dateTime, duration } from "../format/format";

export function Ago({ at }: { at: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="whitespace-nowrap">
      {ago(at, now)}
    </time>
  );
}

export function Took({ from, to, going = true }: { from: number | null; to: number | null; going?: boolean }) {
  if (from === null || (to === null && !going)) return null;
  return to === null ? <Running from={from} /> : <span className="tnum whitespace-nowrap">{duration(to - from)}</span>;
}

function Running({ from }: { from: number }) {
  const now = useNow();
  return <span className="tnum whitespace-nowrap">{duration(Math.max(0, Math.floor((now - from) / 1000) * 1000))}</span>;
}
