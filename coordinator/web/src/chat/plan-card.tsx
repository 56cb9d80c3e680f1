// Owns a plan in the chat: where things go, what it costs in downtime and risk, and the approval.
import { ServerCog } from "lucide-react";
import { usePlans, useProvisioning } from "../api/plans";
import type { InfrastructurePlan } from "../api/types";
import { list, plural } from "../format/format";
import { ApproveButton } from "../infrastructure/approve-button";
import { totalDowntime } from "../infrastructure/measure";
import { RiskBadge } from "../infrastructure/risk-badge";
import { StaleBanner } from "../infrastructure/stale-banner";
import { usePlaces } from "../project/places";
import { Badge } from "../ui/badge";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { PLAN, StatusBadge } from "../ui/status";
import { Card } from "./card";

export function PlanCard({ id, project }: { id: string; project: string }) {
  const { data, error } = usePlans(project);
  const plan = data?.find((one) => one.id === id) ?? (data && id === "" ? data[0] : undefined);
  if (error) return <ProblemNote error={error} />;
  if (!data) return <Skeleton className="h-40 rounded-xl" />;
  if (!plan) return <p className="text-sm text-ink-3">This plan was replaced by a newer one.</p>;
  return <Shown plan={plan} project={project} newest={data[0]?.id === plan.id} />;
}

function Shown({ plan, project, newest }: { plan: InfrastructurePlan; project: string; newest: boolean }) {
  const place = usePlaces(project);
  const provisioning = useProvisioning(plan);
  const steps = provisioning.data?.reduce((sum, one) => sum + one.steps.length, 0);
  const open = plan.state === "ready" || plan.state === "draft";
  return (
    <Card
      icon={ServerCog}
      title="Infrastructure plan"
      state={<StatusBadge look={PLAN[plan.state]} />}
      to={place({ panel: "infrastructure", item: plan.id })}
      open={open ? "Review" : "Open"}
      actions={<ApproveButton plan={plan} project={project} offered={open && newest} />}
    >
      <ul className="space-y-1.5">
        {plan.servers.map((server) => (
          <li key={server.server_id} className="min-w-0">
            <span className="font-medium break-words">{server.name}</span>{" "}
            <span className="text-ink-2">runs {list(server.services.map((service) => service.name))}</span>
          </li>
        ))}
      </ul>
      <div className="mt-3 flex flex-wrap gap-1.5">
        {steps !== undefined && <Badge>{plural(steps, "step")}</Badge>}
        <Badge tone={totalDowntime(plan) > 0 ? "warn" : "ok"}>{totalDowntime(plan)} s downtime</Badge>
        <RiskBadge risk={plan.risk} />
      </div>
      {plan.state === "stale" && newest && <StaleBanner plan={plan} project={project} />}
    </Card>
  );
}
