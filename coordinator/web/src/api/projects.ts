// Owns calls about projects and the analyses of their source.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { Analysis, ProjectType } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function useProjects() {
  return useQuery({
    queryKey: keys.projects,
    queryFn: async () => (await take(api.GET("/projects"))).items,
  });
}

export function useProject(id: string) {
  return useQuery({ queryKey: keys.project(id), queryFn: () => take(api.GET("/projects/{id}", at(id))) });
}

export function useCreateProject() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; type?: ProjectType }) =>
      take(api.POST("/projects", { body })),
    onSuccess: (project) => {
      cache.setQueryData(keys.project(project.id), project);
      return cache.invalidateQueries({ queryKey: keys.projects });
    },
  });
}

export function useRenameProject(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => take(api.PATCH("/projects/{id}", { ...at(id), body: { name } })),
    onSuccess: (project) => {
      cache.setQueryData(keys.project(id), project);
      return cache.invalidateQueries({ queryKey: keys.projects });
    },
  });
}

export function useDeleteProject(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => take(api.DELETE("/projects/{id}", at(id))),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.projects }),
  });
}

export interface SourceForm {
  url: string;
  ref?: string;
  subdir?: string;
}
export function useAnalyze(project: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: SourceForm) =>
      take(api.POST("/projects/{id}/analyses", { ...at(project), body })),
    onSuccess: (analysis) => {
      cache.setQueryData(keys.analysis(analysis.id), analysis);
      return cache.invalidateQueries({ queryKey: keys.analyses(project) });
    },
  });
}

export function useAnalyses(project: string) {
  return useQuery({
    queryKey: keys.analyses(project),
    queryFn: async () => (await take(api.GET("/projects/{id}/analyses", at(project)))).items,
  });
}

export function useAnalysis(id: string) {
  return useQuery({
    queryKey: keys.analysis(id),
    queryFn: () => take(api.GET("/analyses/{id}", at(id))),
    // Progress inside an analysis is finer than the event stream: ask while it works.
    refetchInterval: (query) => (isWorking(query.state.data) ? 1000 : false),
  });
}

export function isWorking(analysis: Analysis | undefined): boolean {
  return analysis !== undefined && analysis.state !== "done" && analysis.state !== "failed";
}
