// Owns the tools above a log: search, jump to the error, wrap, copy, download.
import { ChevronDown, ChevronUp, Download, Search, TriangleAlert, WrapText } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useMemo, useState } from "react";
import { CopyButton } from "../ui/copy";
import { IconButton } from "../ui/button";
import { Input } from "../ui/field";
import { stripAnsi } from "./ansi";
import { matches, nextError } from "./search";

interface LogToolsProps {
  lines: string[];
  name: string;
  wrap: boolean;
  onWrap: (on: boolean) => void;
  needle: string;
  onNeedle: (text: string) => void;
  marked: number;
  onJump: (index: number) => void;
}

export function LogTools({ lines, name, wrap, onWrap, needle, onNeedle, marked, onJump }: LogToolsProps) {
  const wanted = useDeferredValue(needle);
  const found = useMemo(() => matches(lines, wanted), [lines, wanted]);
  const [at, setAt] = useState(-1);
  const text = useMemo(() => lines.map(stripAnsi).join("\n"), [lines]);
  const go = (step: number) => {
    const list = wanted === needle ? found : matches(lines, needle);
    if (list.length === 0) return;
    const next = (at + step + list.length) % list.length;
    setAt(next);
    onJump(list[next] ?? 0);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") {
      onNeedle("");
      event.currentTarget.blur();
    }
  };
  const toError = () => {
    const index = nextError(lines, marked - 1);
    if (index !== null) onJump(index);
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
            setAt(-1);
          }}
          onKeyDown={onKeyDown}
          className="h-7! pl-7 text-xs!"
        />
      </div>
      {needle !== "" && (
        <>
          <span role="status" className="tnum px-1 text-xs whitespace-nowrap text-ink-3">
            {found.length === 0 ? "none" : `${at < 0 ? "" : `${String(at + 1)} of `}${String(found.length)}`}
          </span>
          <IconButton icon={ChevronUp} label="Previous match" onClick={() => { go(-1); }} />
          <IconButton icon={ChevronDown} label="Next match" onClick={() => { go(1); }} />
        </>
      )}
      <IconButton icon={TriangleAlert} label="Jump to the next error" onClick={toError} disabled={lines.length === 0} />
      <IconButton icon={WrapText} label="Wrap long lines" pressed={wrap} onClick={() => { onWrap(!wrap); }} />
      <CopyButton text={text} label="Copy the log" />
      <IconButton icon={Download} label="Download the log" disabled={lines.length === 0} onClick={() => { download(name, text); }} />
    </div>
  );
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(/[^\w.-]+/g, "-").toLowerCase()}.log`;
  link.click();
  URL.revokeObjectURL(url);
}
