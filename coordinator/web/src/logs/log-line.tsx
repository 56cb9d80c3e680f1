// Owns one line of a log: its number is its address; its text is text.
import { clsx } from "clsx";
import { memo } from "react";
import { parseAnsi, type Color, type Span } from "./ansi";
import { cut } from "./search";

const COLOR: Record<Color, string> = {
  black: "text-ansi-black",
  red: "text-ansi-red",
  green: "text-ansi-green",
  yellow: "text-ansi-yellow",
  blue: "text-ansi-blue",
  magenta: "text-ansi-magenta",
  cyan: "text-ansi-cyan",
  white: "text-ansi-white",
};

interface LogLineProps {
  number: number;
  /** How many the widest number of this log has. */
  digits: number;
  text: string;
  wrap: boolean;
  needle: string;
  marked: boolean;
  onMark: (number: number) => void;
}

export const LogLine = memo(function LogLine({ number, digits, text, wrap, needle, marked, onMark }: LogLineProps) {
  return (
    <div className={clsx("flex pr-3 font-mono text-xs leading-5", marked ? "bg-mark/50" : "hover:bg-hover")}>
      <a
        href={`#L${String(number)}`}
        aria-label={`Line ${String(number)}`}
        onClick={(event) => {
          event.preventDefault();
          onMark(number);
        }}
        tabIndex={-1}
        style={{ width: `calc(${String(Math.max(4, digits))}ch + 1.25rem)` }}
        className={clsx("tnum shrink-0 pr-3 text-right text-ink-3 select-none hover:text-ink hover:underline", marked && "font-semibold text-ink")}
      >
        {number}
      </a>
      <span className={clsx("min-w-0 text-log-ink", wrap ? "break-all whitespace-pre-wrap" : "whitespace-pre")}>
        {parseAnsi(text).map((span, index) => (
          <Piece key={index} span={span} needle={needle} />
        ))}
      </span>
    </div>
  );
});

function Piece({ span, needle }: { span: Span; needle: string }) {
  const style = clsx(
    span.color && COLOR[span.color],
    span.bold && "font-bold",
    span.dim && "text-ink-3",
    span.italic && "italic",
    span.underline && "underline",
  );
  const text =
    needle === ""
      ? span.text
      : cut(span.text, needle).map((piece, index) =>
          piece.hit ? (
            <mark key={index} className="rounded-xs bg-mark text-on-mark">
              {piece.text}
            </mark>
          ) : (
            piece.text
          ),
        );
  return style === "" ? text : <span className={style}>{text}</span>;
}
