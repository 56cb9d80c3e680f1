// Owns a log for a view: it is read as long as somebody looks at it.
import { useCallback, useEffect, useRef, useState } from "react";
import type { LogPlace } from "../api/runs";
import { type Log, NOTHING_YET, Reading } from "./reading";

/** The log as it is now, and how to try again when it could not be read. */
export function useLog(place: LogPlace, live: boolean): [Log, () => void] {
  const [log, setLog] = useState<Log>(NOTHING_YET);
  const reading = useRef<Reading | null>(null);
  const { run, server, step, attempt } = place;
  useEffect(() => {
    const one = new Reading({ run, server, step, attempt }, setLog);
    reading.current = one;
    return () => { one.end(); };
  }, [run, server, step, attempt]);
  // What is here stays here when the step ends: only the rest is read.
  useEffect(() => {
    reading.current?.follow(live);
  }, [live, run, server, step, attempt]);
  const retry = useCallback(() => { reading.current?.retry(); }, []);
  return [log, retry];
}
