// Owns calls about servers: the inventory and how a machine joins it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";

const at = (id: string) => ({ params: { path: { id } } });

export function useServers() {
  return useQuery({
    queryKey: keys.servers,
    queryFn: async () => (await take(api.GET("/servers"))).items,
  });
}

export function useServer(id: string, poll = false) {
  return useQuery({
    queryKey: keys.server(id),
    queryFn: () => take(api.GET("/servers/{id}", at(id))),
    refetchInterval: poll ? 2000 : false,
  });
}

export function useAdopt() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => take(api.POST("/servers/adopt", { body: { name } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.servers }),
  });
}

export function useRenameServer(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => take(api.PATCH("/servers/{id}", { ...at(id), body: { name } })),
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
