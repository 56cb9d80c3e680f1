// Owns one plan on screen: state, reasons, servers, downtime, steps, and the approval at the bottom where it stays.
import { Globe, History } from "lucide-react";
import { useNavigate } from "react-router";
import { useProvisioning } from "../api/plans";
import { useServers } from "../api/servers";
import type { InfrastructurePlan } from "../api/types";
import { dateTime, host, plural } from "../format/format";
import { usePlaces } from "../project/places";
import { LinkButton } from "../ui/button";
import { Select } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { PLAN, StatusBadge } from "../ui/status";
import { Ago } from "../ui/time";
import { ApproveButton } from "./approve-button";
import { DigestLine } from "./digest-line";
import { Downtime } from "./downtime";
import { PlanServerCard } from "./plan-server-card";
import { ProposeButton } from "./propose-button";
import { ProvisioningSteps } from "./provisioning-steps";
import { RiskBadge } from "./risk-badge";
import { Warnings } from "./warnings";
import { StaleBanner } from "./stale-banner";

const NOW = {
  approved: "This plan was approved. Its run did not finish.",
  executing: "This plan is running on your servers.",
  completed: "This plan was carried out.",
};

interface PlanViewProps {
  plan: InfrastructurePlan;
  plans: InfrastructurePlan[];
  project: string;
}

export function PlanView({ plan, plans, project }: PlanViewProps) {
  const provisioning = useProvisioning(plan);
  const { data: servers = [] } = useServers();
  const place = usePlaces(project);
  const navigate = useNavigate();
  const newest = plans[0]?.id === plan.id;
  const open = plan.state === "ready" || plan.state === "draft";
  return (
    <div className="flex h-full flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto px-4 pt-4 pb-8" tabIndex={0} role="region" aria-label="Infrastructure plan">
        <header className="flex flex-wrap items-center gap-2">
          <h2 className="text-base font-semibold">Infrastructure plan</h2>
          <StatusBadge look={PLAN[plan.state]} />
          <span className="text-xs text-ink-3"><Ago at={plan.created_at} /></span>
          <span className="ml-auto flex items-center gap-2">
            {plans.length > 1 && (
              <Select
                aria-label="Plans of this project"
                value={plan.id}
                onChange={(event) => void navigate(place({ panel: "infrastructure", item: event.target.value }))}
                className="h-7! w-auto! text-xs!"
              >
                {plans.map((one, index) => (
                  <option key={one.id} value={one.id}>{index === 0 ? "Newest" : dateTime(one.created_at)}</option>
                ))}
              </Select>
            )}
            {newest && plan.state !== "executing" && plan.state !== "stale" && <ProposeButton project={project} servers={servers} label="New plan" size="sm" />}
          </span>
        </header>
        {!newest && (
          <p className="mt-3 flex items-center gap-2 rounded-md bg-idle-soft px-3 py-2 text-sm text-ink-2">
            <History className="size-4 shrink-0" aria-hidden /> An older plan, kept for reference.
          </p>
        )}
        {plan.state === "stale" && newest && <StaleBanner plan={plan} project={project} />}
        <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <RiskBadge risk={plan.risk} />
          <DigestLine digest={plan.digest} />
          {plan.url && (
            <span className="inline-flex min-w-0 items-center gap-1.5 text-xs text-ink-2" title="Where it will answer">
              <Globe className="size-3.5 shrink-0 text-ink-3" aria-hidden />
              <span className="truncate">{host(plan.url)}</span>
            </span>
          )}
        </div>
        <h3 className="mt-5 mb-2 text-sm font-semibold">{plural(plan.servers.length, "server")}</h3>
        <div className="space-y-3">
          {plan.servers.map((server) => (
            <PlanServerCard key={server.server_id} server={server} plan={plan} project={project} movable={open && newest} />
          ))}
        </div>
        <Warnings texts={plan.warnings} />
        <Downtime plan={plan} />
        {provisioning.isPending && <SkeletonList rows={5} className="mt-3 h-10" label="Loading steps" />}
        {provisioning.isError && <ProblemNote error={provisioning.error} onRetry={() => void provisioning.refetch()} className="mt-4" />}
        {provisioning.data?.map((one) => (
          <ProvisioningSteps
            key={one.id}
            plan={one}
            server={plan.servers.find((server) => server.server_id === one.server_id)?.name ?? one.server_id}
            project={project}
            editable={open && newest}
          />
        ))}
      </div>
      <footer className="shrink-0 border-t border-line bg-sunken px-4 py-3 empty:hidden">
        <ApproveButton plan={plan} project={project} wide offered={open && newest} />
      </footer>
      {(plan.state === "approved" || plan.state === "executing" || plan.state === "completed") && newest && (
        <footer className="flex shrink-0 items-center justify-between gap-3 border-t border-line bg-sunken px-4 py-3 text-sm text-ink-2">
          {NOW[plan.state]}
          <LinkButton size="sm" to={place({ panel: "runs", ...(plan.run_id && { item: plan.run_id }) })}>Open the run</LinkButton>
        </footer>
      )}
    </div>
  );
}
