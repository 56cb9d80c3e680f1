// Owns the warning on a plan whose inputs changed, with the reasons and the way to a fresh one.
import { TriangleAlert } from "lucide-react";
import { usePropose } from "../api/plans";
import type { InfrastructurePlan } from "../api/types";
import { Button } from "../ui/button";
import { sayProblem } from "../ui/toast";

export function StaleBanner({ plan, project }: { plan: InfrastructurePlan; project: string }) {
  const propose = usePropose(project);
  return (
    <div role="status" className="mt-3 rounded-lg border border-warn-strong/40 bg-warn-soft px-3 py-2.5 text-sm">
      <p className="flex items-center gap-2 font-medium text-warn">
        <TriangleAlert className="size-4 shrink-0" aria-hidden /> This plan is stale and cannot be approved
      </p>
      {plan.stale_reasons.length > 0 && (
        <ul className="mt-1 list-disc pl-9 text-ink-2">
          {plan.stale_reasons.map((reason) => (
            <li key={reason} className="break-words">{reason}</li>
          ))}
        </ul>
      )}
      <Button
        size="sm"
        className="mt-2 ml-6"
        busy={propose.isPending}
        onClick={() => { propose.mutate(plan.servers.map((server) => server.server_id), { onError: sayProblem }); }}
      >
        Make a new plan
      </Button>
    </div>
  );
}
