// Owns a log on screen: only the lines in sight exist; it follows the end until the reader scrolls up.
import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import type { LogPlace } from "../api/runs";
import { buttonClass } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { LogLine } from "./log-line";
import { LogTools } from "./log-tools";
import { useFollow } from "./follow";
import { useLog } from "./use-log";
import { useRows } from "./use-rows";

interface LogViewProps {
  place: LogPlace;
  live: boolean;
  waiting: boolean;
  name: string;
}

export function LogView({ place, live, waiting, name }: LogViewProps) {
  const [log, retry] = useLog(place, live);
  const { hash } = useLocation();
  const navigate = useNavigate();
  const [wrap, setWrap] = useState(() => localStorage.getItem("hydron.wrap") !== "no");
  const [needle, setNeedle] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const { text, first, end } = log;
  const rows = useRows(box, first, end, wrap);
  const marked = Number(/^#L(\d+)$/.exec(hash)?.[1] ?? 0);
  const follow = useFollow(box, log.version, live && marked === 0);

  const jump = (number: number) => {
    follow.stop();
    rows.show(number);
  };
  const mark = useCallback(
    (number: number) => void navigate({ search: location.search, hash: `#L${String(number)}` }, { replace: true, preventScrollReset: true }),
    [navigate],
  );
  const arrived = useRef(false);
  const arrive = useEffectEvent(() => {
    if (arrived.current || marked === 0 || end <= marked) return;
    arrived.current = true;
    jump(marked);
  });
  useEffect(() => {
    arrive();
  }, [end]);
  const setWrapping = (on: boolean) => {
    localStorage.setItem("hydron.wrap", on ? "yes" : "no");
    setWrap(on);
  };

  const empty = end === first;
  const digits = String(end).length;

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <LogTools log={log} place={place} name={name} wrap={wrap} onWrap={setWrapping} needle={needle} onNeedle={setNeedle} marked={marked} onJump={(number) => { mark(number); jump(number); }} />
      <div className="relative min-h-0 flex-1 bg-log">
        <div ref={box} className="h-full overflow-auto py-2 [overflow-anchor:none]" tabIndex={0} role="log" aria-label={`Log of ${name}`} aria-live="off" onScroll={() => { follow.onScroll(); rows.onScroll(); }}>
          {log.error !== null && <ProblemNote error={log.error} onRetry={retry} className="m-3" />}
          {log.loading && empty && <Loading />}
          {!log.loading && empty && log.error === null && (
            <p className="px-4 py-6 text-center text-sm text-ink-3">
              {waiting ? "This step has not started. Its output appears here, live." : live ? "No output yet." : "This step wrote nothing."}
            </p>
          )}
          {first > 1 && <p className="px-4 pb-1 text-xs text-ink-3">{first - 1} earlier lines are not shown.</p>}
          <div className="w-full min-w-max data-wrap:min-w-0" data-wrap={wrap || undefined} style={{ height: rows.height }}>
            <div style={{ transform: `translateY(${String(rows.top)}px)` }}>
              {rows.numbers.map((number) => (
                <div key={number} data-index={number}>
                  <LogLine number={number} digits={digits} text={text.line(number)} wrap={wrap} needle={needle} marked={marked === number} onMark={mark} />
                </div>
              ))}
            </div>
          </div>
        </div>
        {live && !follow.on && (
          <button type="button" onClick={follow.start} className={`${buttonClass("secondary", "sm", "absolute bottom-3 left-1/2 -translate-x-1/2")} hover:bg-hover`}>
            <ArrowDown className="size-3.5" aria-hidden /> Follow
          </button>
        )}
      </div>
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the log" className="space-y-2 px-4 py-1">
      {["w-2/3", "w-1/2", "w-3/4", "w-1/3", "w-3/5"].map((width) => (
        <Skeleton key={width} className={`h-3 ${width}`} />
      ))}
    </div>
  );
}
