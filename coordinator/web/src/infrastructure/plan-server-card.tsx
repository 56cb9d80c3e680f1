// Owns one server of a plan: what runs there and why, and moving a service elsewhere.
import { Server as ServerIcon } from "lucide-react";
import { Link } from "react-router";
import { usePlace } from "../api/plans";
import { useServers } from "../api/servers";
import type { InfrastructurePlan, PlannedServer } from "../api/types";
import { Select } from "../ui/field";
import { sayProblem } from "../ui/toast";

interface PlanServerCardProps {
  server: PlannedServer;
  plan: InfrastructurePlan;
  project: string;
  movable: boolean;
}

export function PlanServerCard({ server, plan, project, movable }: PlanServerCardProps) {
  const { data: servers = [] } = useServers();
  const place = usePlace(project, plan.id);
  const targets = servers.filter((one) => one.enrolled_at !== null);
  return (
    <section className="rounded-lg border border-line bg-surface">
      <header className="flex items-start gap-2.5 px-3 py-2.5">
        <ServerIcon className="mt-0.5 size-4 shrink-0 text-ink-3" aria-hidden />
        <div className="min-w-0 flex-1">
          <h4 className="truncate text-sm font-semibold">
            <Link to={`/servers/${server.server_id}`} className="hover:text-accent hover:underline" title={server.name}>{server.name}</Link>
          </h4>
          <p className="text-xs break-words text-ink-2 first-letter:uppercase">{server.reason}</p>
        </div>
      </header>
      <ul className="divide-y divide-line border-t border-line">
        {server.services.map((service) => (
          <li key={service.service_id} className="flex items-center gap-3 px-3 py-2 pl-9.5">
            <div className="min-w-0 flex-1">
              <p className="truncate text-sm font-medium" title={service.name}>{service.name}</p>
              <p className="text-xs break-words text-ink-2 first-letter:uppercase">{service.reason}</p>
            </div>
            {movable && targets.length > 1 && (
              <Select
                aria-label={`Server of ${service.name}`}
                value={server.server_id}
                disabled={place.isPending}
                onChange={(event) => { place.mutate({ [service.service_id]: event.target.value }, { onError: sayProblem }); }}
                className="h-7! w-36! text-xs!"
              >
                {targets.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
              </Select>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
