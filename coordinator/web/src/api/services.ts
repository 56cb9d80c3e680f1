// Owns calls about services: their settings, variables, releases and the operations on what runs.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { Run, ServiceEdit } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function useServices(project: string) {
  return useQuery({
    queryKey: keys.services(project),
    queryFn: async () => (await take(api.GET("/projects/{id}/services", at(project)))).items,
  });
}

/** After any change of a service the list and the plans that were made from it are old. */
function useServiceChange<T, R>(project: string, call: (input: T) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => {
      void Promise.all([
        cache.invalidateQueries({ queryKey: keys.services(project) }),
        cache.invalidateQueries({ queryKey: keys.plans(project) }),
        cache.invalidateQueries({ queryKey: keys.project(project) }),
      ]);
    },
  });
}

export type Verdict = "accept" | "reject" | "lock" | "unlock";
export function useJudge(project: string) {
  return useServiceChange(project, ({ id, verdict }: { id: string; verdict: Verdict }) => {
    switch (verdict) {
      case "accept":
        return take(api.POST("/services/{id}/accept", at(id)));
      case "reject":
        return take(api.POST("/services/{id}/reject", at(id)));
      case "lock":
        return take(api.POST("/services/{id}/lock", at(id)));
      case "unlock":
        return take(api.POST("/services/{id}/unlock", at(id)));
    }
  });
}

export const useAcceptAll = (project: string) =>
  useServiceChange(project, () => take(api.POST("/projects/{id}/services/accept-all", at(project))));

export const useEditService = (project: string, id: string) =>
  useServiceChange(project, (body: ServiceEdit) => take(api.PATCH("/services/{id}", { ...at(id), body })));

export interface EnvInput {
  name: string;
  value: string;
  secret: boolean;
}
export const useSetEnv = (project: string, id: string) =>
  useServiceChange(project, (vars: EnvInput[]) => take(api.PUT("/services/{id}/env", { ...at(id), body: { vars } })));

export const useDropEnv = (project: string, id: string) =>
  useServiceChange(project, (name: string) =>
    take(api.DELETE("/services/{id}/env/{name}", { params: { path: { id, name } } })),
  );

export function useReleases(service: string) {
  return useQuery({
    queryKey: keys.releases(service),
    queryFn: async () => (await take(api.GET("/services/{id}/releases", at(service)))).items,
  });
}

export type Operation = { kind: "restart" | "stop" | "start" | "logs"; service: string } | { kind: "rollback"; release: string };
export function useOperate(project: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (operation: Operation) => operate(operation),
    onSuccess: (run) => {
      cache.setQueryData(keys.run(run.id), run);
      return cache.invalidateQueries({ queryKey: keys.runs(project) });
    },
  });
}

function operate(operation: Operation): Promise<Run> {
  switch (operation.kind) {
    case "restart":
      return take(api.POST("/services/{id}/restart", { ...at(operation.service) }));
    case "stop":
      return take(api.POST("/services/{id}/stop", { ...at(operation.service) }));
    case "start":
      return take(api.POST("/services/{id}/start", { ...at(operation.service) }));
    case "logs":
      return take(api.POST("/services/{id}/logs", { ...at(operation.service), body: { lines: 1000 } }));
    case "rollback":
      return take(api.POST("/releases/{id}/rollback", { ...at(operation.release) }));
  }
}
