// Owns calls about runs: their steps, controls and logs.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { Decision, LogPage, Run } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function useRuns(project: string) {
  return useQuery({
    queryKey: keys.runs(project),
    queryFn: async () => {
      const page = await take(api.GET("/projects/{id}/runs", at(project)));
      return page.items.toSorted((a, b) => b.started_at - a.started_at);
    },
  });
}

export function useRun(id: string) {
  return useQuery({ queryKey: keys.run(id), queryFn: () => take(api.GET("/runs/{id}", at(id))) });
}

export function isActive(run: Pick<Run, "state"> | undefined): boolean {
  return run !== undefined && (run.state === "started" || run.state === "in_progress" || run.state === "paused");
}

export interface RedeployForm {
  commit?: string;
  services?: string[];
}
export function useRedeploy(project: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: RedeployForm) =>
      take(api.POST("/projects/{id}/runs", { ...at(project), body: { kind: "redeploy", ...body } })),
    onSuccess: (run) => {
      cache.setQueryData(keys.run(run.id), run);
      return cache.invalidateQueries({ queryKey: keys.runs(project) });
    },
  });
}

export type RunCommand =
  | { kind: "pause" | "resume" | "stop" }
  | { kind: "retry"; step?: number }
  | { kind: "resolve"; server_id: string; step: number; decision: Decision };

export function useControl(run: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (command: RunCommand) => control(run, command),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

function control(run: string, command: RunCommand): Promise<unknown> {
  switch (command.kind) {
    case "pause":
      return take(api.POST("/runs/{id}/pause", at(run)));
    case "resume":
      return take(api.POST("/runs/{id}/resume", at(run)));
    case "stop":
      return take(api.POST("/runs/{id}/stop", at(run)));
    case "retry":
      return take(api.POST("/runs/{id}/retry", { ...at(run), body: { step: command.step } }));
    case "resolve": {
      const { server_id, step, decision } = command;
      return take(api.POST("/runs/{id}/resolve", { ...at(run), body: { server_id, step, decision } }));
    }
  }
}

export interface LogPlace {
  run: string;
  server: string;
  step: number;
  attempt: number;
}
export function readLog(place: LogPlace, offset: number, limit: number, signal: AbortSignal): Promise<LogPage> {
  const { run, ...query } = place;
  return take(
    api.GET("/runs/{id}/logs", { params: { path: { id: run }, query: { ...query, offset, limit } }, signal }),
  );
}
