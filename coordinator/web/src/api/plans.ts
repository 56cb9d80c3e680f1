// Owns calls about plans: proposing, placing, editing, and approving by the digest that was seen.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { Approval, InfrastructurePlan, ProvisioningPlan } from "./types";

const at = (id: string) => ({ params: { path: { id } } });

export function usePlans(project: string) {
  return useQuery({
    queryKey: keys.plans(project),
    queryFn: async () => {
      const page = await take(api.GET("/projects/{id}/infrastructure-plans", at(project)));
      return page.items.toSorted((a, b) => b.created_at - a.created_at);
    },
  });
}

export function useProvisioning(plan: InfrastructurePlan | undefined) {
  const id = plan?.id ?? "";
  return useQuery({
    queryKey: [...keys.provisioning(id), plan?.digest],
    enabled: plan !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async () =>
      (await take(api.GET("/infrastructure-plans/{id}/provisioning-plans", at(id)))).items,
  });
}

function usePlanChange<T, R>(project: string, call: (input: T) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => {
      void Promise.all([
        cache.invalidateQueries({ queryKey: keys.plans(project) }),
        cache.invalidateQueries({ queryKey: ["provisioning"] }),
        cache.invalidateQueries({ queryKey: keys.runs(project) }),
        cache.invalidateQueries({ queryKey: keys.project(project) }),
      ]);
    },
  });
}

export const usePropose = (project: string) =>
  usePlanChange(project, (server_ids: string[]) =>
    take(
      api.POST("/projects/{id}/infrastructure-plans", {
        ...at(project),
        body: server_ids.length > 0 ? { server_ids } : {},
      }),
    ),
  );

export const usePlace = (project: string, plan: string) =>
  usePlanChange(project, (placement: Record<string, string>) =>
    take(api.PATCH("/infrastructure-plans/{id}", { ...at(plan), body: { placement } })),
  );

export interface StepEdit {
  index: number;
  title?: string;
  timeout_s?: number;
}
export const useEditSteps = (project: string, provisioning: string) =>
  usePlanChange(project, (steps: StepEdit[]) =>
    take(api.PATCH("/provisioning-plans/{id}", { ...at(provisioning), body: { steps } })),
  );

export interface Seen {
  plan: InfrastructurePlan;
  provisioning: ProvisioningPlan[];
}
/** Sends back exactly the digests of what was on screen; the server refuses anything else. */
export const useApprovePlan = (project: string) =>
  usePlanChange(project, ({ plan, provisioning }: Seen) =>
    take(
      api.POST("/infrastructure-plans/{id}/approve", {
        ...at(plan.id),
        body: {
          digest: plan.digest,
          start: true,
          provisioning_digests: Object.fromEntries(provisioning.map((one) => [one.id, one.digest])),
        },
      }),
    ),
  );

export function useApprovals() {
  return useQuery({
    queryKey: keys.approvals,
    queryFn: async () =>
      (await take(api.GET("/approvals", { params: { query: { state: "pending" } } }))).items,
  });
}

export function useDecide() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ approval, approve }: { approval: Approval; approve: boolean }): Promise<unknown> =>
      approve
        ? take(api.POST("/approvals/{id}/approve", { ...at(approval.id), body: { digest: approval.digest } }))
        : take(api.POST("/approvals/{id}/decline", at(approval.id))),
    onSettled: () => cache.invalidateQueries(),
  });
}
