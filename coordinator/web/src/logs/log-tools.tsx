// Owns the tools above a log: search, jump to the error, wrap, copy, download.
import { ChevronDown, ChevronUp, Download, Search, TriangleAlert, WrapText } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { LogPlace } from "../api/runs";
import { CopyButton } from "../ui/copy";
import { IconButton } from "../ui/button";
import { Input } from "../ui/field";
import { sayProblem } from "../ui/toast";
import { nextError, plain } from "./search";
import type { Log } from "./reading";
import { useSearch } from "./use-search";
import { whole } from "./whole";

interface LogToolsProps {
  log: Log;
  place: LogPlace;
  name: string;
  wrap: boolean;
  onWrap: (on: boolean) => void;
  needle: string;
  onNeedle: (text: string) => void;
  marked: number;
  onJump: (number: number) => void;
}

export function LogTools({ log, place, name, wrap, onWrap, needle, onNeedle, marked, onJump }: LogToolsProps) {
  const found = useSearch(log, needle);
  /** The match where the reader was brought last. */
  const [at, setAt] = useState<{ index: number; number: number } | null>(null);
  const [saving, setSaving] = useState(false);
  const gone = useGone();
  const empty = log.end === log.first;
  const go = async (forward: boolean) => {
    const next = await found.beside(at?.number ?? 0, forward);
    if (next === null) return;
    setAt(next);
    onJump(next.number);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") void go(!event.shiftKey);
    else if (event.key === "Escape") {
      onNeedle("");
      event.currentTarget.blur();
    }
  };
  const save = async () => {
    const signal = gone();
    setSaving(true);
    try {
      download(name, await whole(place, log.text, signal));
    } catch (error) {
      if (!signal.aborted) sayProblem(error);
    }
    setSaving(false);
  };
  const toError = async () => {
    const number = await nextError(log.text, marked, gone());
    if (number !== null) onJump(number);
  };
  return (
    <div className="flex shrink-0 items-center gap-1 border-y border-line bg-surface px-3 py-1.5" role="toolbar" aria-label="Log tools">
      <div className="relative min-w-0 flex-1">
        <Search className="pointer-events-none absolute top-2 left-2 size-3.5 text-ink-3" aria-hidden />
        <Input
          data-search
          aria-label="Search the log"
          placeholder="Search"
          value={needle}
          onChange={(event) => {
            onNeedle(event.target.value);
            setAt(null);
          }}
          onKeyDown={onKeyDown}
          className="h-7! pl-7 text-xs!"
        />
      </div>
      {needle !== "" && (
        <>
          <span role="status" className="tnum px-1 text-xs whitespace-nowrap text-ink-3">
            {found.count === 0 ? (found.looking ? "…" : "none") : `${at === null ? "" : `${String(at.index + 1)} of `}${String(found.count)}${found.looking ? "…" : ""}`}
          </span>
          <IconButton icon={ChevronUp} label="Previous match" onClick={() => void go(false)} />
          <IconButton icon={ChevronDown} label="Next match" onClick={() => void go(true)} />
        </>
      )}
      <IconButton icon={TriangleAlert} label="Jump to the next error" onClick={() => void toError()} disabled={empty} />
      <IconButton icon={WrapText} label="Wrap long lines" pressed={wrap} onClick={() => { onWrap(!wrap); }} />
      <CopyButton text={() => plain(log.text, gone())} label="Copy the log" />
      <IconButton icon={Download} label="Download the log" disabled={empty || saving} aria-busy={saving || undefined} onClick={() => void save()} />
    </div>
  );
}

/** Ends what still looks through the log when nobody looks at it any more. */
function useGone(): () => AbortSignal {
  const ended = useRef<AbortController | null>(null);
  useEffect(() => () => { ended.current?.abort(); }, []);
  return () => (ended.current ??= new AbortController()).signal;
}

function download(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(/[^\w.-]+/g, "-").toLowerCase()}.log`;
  link.click();
  URL.revokeObjectURL(url);
}
