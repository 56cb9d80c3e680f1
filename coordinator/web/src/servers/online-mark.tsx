// Owns whether a server's agent is connected, in word and colour.
import type { Server } from "../api/types";

export function OnlineMark({ server }: { server: Server }) {
  const word = server.online ? "online" : server.enrolled_at === null ? "not joined" : "offline";
  return (
    <span className={`inline-flex items-center gap-1.5 text-xs ${server.online ? "text-ok" : "text-ink-3"}`}>
      <span className={`size-2 rounded-full ${server.online ? "bg-ok-strong" : "border border-line-strong"}`} aria-hidden />
      {word}
    </span>
  );
}
