// Owns one service: missing values first, then its variables, settings, Dockerfile, releases and the reasons for all of it.
import { ArrowLeft, Ban, Check, Lock, LockOpen, MoreHorizontal } from "lucide-react";
import { Link } from "react-router";
import { useJudge, type Verdict } from "../api/services";
import type { Service } from "../api/types";
import { plural } from "../format/format";
import { usePlaces } from "../project/places";
import { Button, IconButton } from "../ui/button";
import { Fold } from "../ui/fold";
import { Menu, MenuItem } from "../ui/menu";
import { SERVICE, StatusBadge } from "../ui/status";
import { sayProblem } from "../ui/toast";
import { describe } from "./describe";
import { DockerfileEditor } from "./dockerfile-editor";
import { VerdictBadge } from "./dockerfile-verdict";
import { EnvEditor } from "./env-editor";
import { EvidenceList } from "./evidence-list";
import { ServiceChanges } from "./last-reading";
import { MissingValues } from "./missing-values";
import { Operations } from "./operations";
import { Releases } from "./releases";
import { ServiceSettings } from "./service-settings";

export function ServiceView({ service, project }: { service: Service | undefined; project: string }) {
  const place = usePlaces(project);
  const judge = useJudge(project);
  const back = (
    <Link to={place({ panel: "services" })} className="mb-2 inline-flex items-center gap-1 rounded text-xs text-ink-3 hover:text-ink">
      <ArrowLeft className="size-3.5" aria-hidden /> All services
    </Link>
  );
  if (service === undefined) return <div className="p-4">{back}<p className="text-sm text-ink-2">There is no such service in this project.</p></div>;
  const decide = (verdict: Verdict) => () => { judge.mutate({ id: service.id, verdict }, { onError: sayProblem }); };
  return (
    <div className="h-full overflow-y-auto px-4 pt-3 pb-10" tabIndex={0} role="region" aria-label={`Service ${service.name}`}>
      {back}
      <header className="mb-3 flex flex-wrap items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="flex items-center gap-2 text-base font-semibold">
            <span className="truncate" title={service.name}>{service.name}</span>
            {service.locked && <Lock className="size-4 shrink-0 text-ink-3" aria-label="Locked" />}
          </h2>
          <p className="text-sm text-ink-2">{describe(service)}</p>
        </div>
        <StatusBadge look={SERVICE[service.state]} />
        {service.state !== "accepted" && !service.locked && (
          <Button look="primary" size="sm" icon={Check} busy={judge.isPending} onClick={decide("accept")}>Accept</Button>
        )}
        <Menu trigger={<IconButton icon={MoreHorizontal} label={`More for ${service.name}`} />}>
          {service.state !== "rejected" && <MenuItem icon={Ban} disabled={service.locked} onSelect={decide("reject")}>Reject: leave it out</MenuItem>}
          {service.locked ? (
            <MenuItem icon={LockOpen} onSelect={decide("unlock")}>Unlock</MenuItem>
          ) : (
            <MenuItem icon={Lock} onSelect={decide("lock")}>Lock against changes</MenuItem>
          )}
        </Menu>
      </header>
      {service.locked && <p className="mb-3 rounded-md bg-idle-soft px-3 py-2 text-sm text-ink-2">Locked: its settings, variables and Dockerfile cannot change until it is unlocked.</p>}
      {service.missing.length > 0 && <MissingValues service={service} project={project} />}
      {service.live_release && <Operations service={service} project={project} />}
      <ServiceChanges project={project} service={service.id} />
      <Fold title={`Environment · ${plural(service.env.length, "variable")}`} open>
        <EnvEditor service={service} project={project} />
      </Fold>
      <Fold title="Build and start" open={service.state === "pending"}>
        <ServiceSettings service={service} project={project} />
      </Fold>
      {service.dockerfile && (
        <Fold title="Dockerfile" aside={service.dockerfile.verdict && <VerdictBadge verdict={service.dockerfile.verdict} />}>
          <DockerfileEditor service={service} project={project} />
        </Fold>
      )}
      <Fold title="Releases">
        <Releases service={service} project={project} />
      </Fold>
      {service.evidence.length > 0 && (
        <Fold title={`Why · ${plural(service.evidence.length, "reason")}`}>
          <EvidenceList evidence={service.evidence} />
        </Fold>
      )}
    </div>
  );
}
