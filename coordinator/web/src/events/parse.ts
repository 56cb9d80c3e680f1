// Owns the text format of server-sent events: bytes in any pieces go in, whole events come out.

export interface StreamEvent {
  id: string | null;
  kind: string;
  data: string;
}

/** Feed it text as it arrives; each call returns the events that became complete. */
export class EventParser {
  private rest = "";
  private id: string | null = null;
  private kind = "";
  private data: string[] = [];

  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.rest += text;
    for (;;) {
      const end = this.rest.search(/\r\n|\n|\r/);
      // A lone CR at the very end may be half of CRLF: wait for what follows.
      if (end < 0 || (this.rest.charAt(end) === "\r" && end === this.rest.length - 1)) return events;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      const event = this.line(line);
      if (event !== null) events.push(event);
    }
  }

  private line(line: string): StreamEvent | null {
    if (line === "") return this.finish();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.kind = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private finish(): StreamEvent | null {
    const event = { id: this.id, kind: this.kind === "" ? "message" : this.kind, data: this.data.join("\n") };
    const empty = this.data.length === 0;
    this.kind = "";
    this.data = [];
    return empty ? null : event;
  }
}
