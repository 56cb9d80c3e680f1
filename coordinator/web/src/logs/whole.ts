// Owns a log as a file: all of it, also what is not on screen.
import { type LogPlace, readLog } from "../api/runs";
import { LogBuffer } from "./buffer";
import { takePage } from "./reading";
import { PlainText, plain } from "./search";

/** So little at once that none of its lines is let go before it was handed on, however short they are. */
const PAGE = 128 * 1024;

/** What is here already is not read again. */
export async function whole(place: LogPlace, shown: LogBuffer, signal: AbortSignal): Promise<Blob> {
  if (shown.dropped === 0 && !shown.skipped) return plain(shown, signal);
  const log = new LogBuffer();
  const text = new PlainText();
  let next = log.first;
  for (;;) {
    const page = await readLog(place, log.offset, PAGE, signal);
    const more = takePage(log, page) && !page.end;
    for (const end = more ? log.whole : log.end; next < end; next += 1) text.add(log.line(next));
    if (!more) return text.blob();
  }
}
