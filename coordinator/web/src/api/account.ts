// Owns calls about who is here: set-up, sign-in, the team, its tokens and its audit trail.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import { chooseTeam } from "./team";
import type { Me, TeamRef } from "./types";

export function useSetupNeeded() {
  return useQuery({
    queryKey: keys.setup,
    queryFn: () => take(api.GET("/setup")),
    staleTime: Infinity,
  });
}

export function useMe() {
  return useQuery({ queryKey: keys.me, queryFn: () => take(api.GET("/me")), staleTime: 5 * 60_000, retry: false });
}

/** Whether the door is shown because a session came to its end. */
export function useEnded(): boolean {
  return useQueryClient().getQueryData(keys.ended) === true;
}

/** For pages behind the gate, where somebody is known to be signed in. */
export function useSession(): { user: NonNullable<Me["user"]>; team: TeamRef; teams: TeamRef[] } {
  const { data } = useMe();
  if (!data?.user || !data.team) throw new Error("useSession outside the gate");
  return { user: data.user, team: data.team, teams: data.teams };
}

function useEntry<T>(call: (body: T) => Promise<Me>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: (me) => {
      chooseTeam(me.team?.id ?? null);
      // What somebody else may have seen in this browser is not shown to whoever comes in now.
      cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] && queryKey[0] !== keys.setup[0] });
      cache.setQueryData(keys.setup, { needed: false });
      cache.setQueryData(keys.me, me);
    },
  });
}

export interface SetupForm {
  token: string;
  email: string;
  name: string;
  password: string;
  team_name: string;
}
export const useSetup = () => useEntry((body: SetupForm) => take(api.POST("/setup", { body })));
export const useLogin = () =>
  useEntry((body: { email: string; password: string }) => take(api.POST("/auth/login", { body })));

export function useLogout() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => take(api.POST("/auth/logout")),
    onSettled: () => {
      chooseTeam(null);
      cache.clear();
      location.assign("/signin");
    },
  });
}

export function useMembers(team: string) {
  return useQuery({
    queryKey: keys.members(team),
    queryFn: async () =>
      (await take(api.GET("/teams/{id}/members", { params: { path: { id: team } } }))).items,
  });
}

export function useTokens() {
  return useQuery({
    queryKey: keys.tokens,
    queryFn: async () => (await take(api.GET("/tokens"))).items,
  });
}

export function useCreateToken() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; expires_in_days?: number }) => take(api.POST("/tokens", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => take(api.DELETE("/tokens/{id}", { params: { path: { id } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useAudit() {
  return useInfiniteQuery({
    queryKey: keys.audit,
    queryFn: ({ pageParam }) =>
      take(api.GET("/audit", { params: { query: pageParam ? { cursor: pageParam } : {} } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}
