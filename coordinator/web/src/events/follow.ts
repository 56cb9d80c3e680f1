// Owns the streams of one thing: a run's state and a chat's messages go straight into the query cache.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { keepMessage } from "../api/chats";
import { BASE } from "../api/client";
import { keys } from "../api/keys";
import type { Message, Run } from "../api/types";
import { visible } from "../format/visible";
import { openStream } from "./stream";

function read(data: string): Record<string, unknown> | null {
  try {
    const value = visible(JSON.parse(data));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** While `active`, the run's own stream keeps it fresh: whole states replace it, anything else says "ask again". */
export function useRunStream(run: string, active: boolean): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (!active) return;
    return openStream({
      url: `${BASE}/runs/${run}/events`,
      onEvent: ({ kind, data }) => {
        const value = read(data);
        if (value === null) return;
        if (kind === "doing") cache.setQueryData<Run>(keys.run(run), (known) => known && withDoing(known, value));
        else if (isRun(value)) cache.setQueryData(keys.run(run), value);
        else void cache.invalidateQueries({ queryKey: keys.run(run) });
      },
    });
  }, [cache, run, active]);
}

function isRun(value: Record<string, unknown>): boolean {
  return typeof value["id"] === "string" && Array.isArray(value["servers"]) && Array.isArray(value["phases"]);
}

export function withDoing(run: Run, event: Record<string, unknown>): Run {
  const { server_id, step, doing } = event;
  if (typeof doing !== "string") return run;
  const servers = run.servers.map((server) =>
    server_id !== undefined && server.server_id !== server_id
      ? server
      : { ...server, steps: server.steps.map((one) => (one.index === step ? { ...one, doing } : one)) },
  );
  return { ...run, servers };
}

export function useChatStream(chat: string | undefined): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (chat === undefined) return;
    return openStream({
      url: `${BASE}/chats/${chat}/events`,
      onEvent: ({ data }) => {
        const value = read(data);
        if (value !== null && typeof value["chat_id"] === "string" && Array.isArray(value["cards"])) {
          keepMessage(cache, value as unknown as Message);
        } else void cache.invalidateQueries({ queryKey: keys.messages(chat) });
      },
    });
  }, [cache, chat]);
}
