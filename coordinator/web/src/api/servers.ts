// Owns calls about servers: the inventory and how a machine joins it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "./client";
import { keys } from "./keys";
import type { Adoption, Page, Server } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function useServers() {
  return useQuery({
    queryKey: keys.servers,
    queryFn: async () => (await take<Page<Server>>(api.GET("/servers"))).items,
  });
}

export function useServer(id: string, poll = false) {
  return useQuery({
    queryKey: keys.server(id),
    queryFn: () => take<Server>(api.GET("/servers/{id}", at(id))),
    refetchInterval: poll ? 2000 : false,
  });
}

export function useAdopt() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => take<Adoption>(api.POST("/servers/adopt", { body: { name }, headers: once() })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.servers }),
  });
}

export function useRenameServer(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => take<Server>(api.PATCH("/servers/{id}", { ...at(id), body: { name } })),
    onSuccess: (server) => {
      cache.setQueryData(keys.server(id), server);
      return cache.invalidateQueries({ queryKey: keys.servers });
    },
  });
}

export function useRevokeServer(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => take(api.DELETE("/servers/{id}", at(id))),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.servers }),
  });
}
