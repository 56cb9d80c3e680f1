// Owns sums over plans.
import type { InfrastructurePlan, PlanStep, ProvisioningPlan } from "../api/types";

/** Declared interruption of the whole plan, seconds. */
export function totalDowntime(plan: Pick<InfrastructurePlan, "downtime">): number {
  return plan.downtime.reduce((sum, one) => sum + one.seconds, 0);
}

export function stepCount(plans: readonly Pick<ProvisioningPlan, "steps">[]): number {
  return plans.reduce((sum, plan) => sum + plan.steps.length, 0);
}

/** Steps in order, cut where the phase changes. */
export function byPhase<T extends Pick<PlanStep, "phase">>(steps: readonly T[]): { phase: T["phase"]; steps: T[] }[] {
  const groups: { phase: T["phase"]; steps: T[] }[] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last?.phase === step.phase) last.steps.push(step);
    else groups.push({ phase: step.phase, steps: [step] });
  }
  return groups;
}
