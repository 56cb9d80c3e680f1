// Owns a service in the list: what it is, what is missing, whether it goes into the plan.
import { Box, Check, Database, FileCode, GitCommitHorizontal, KeyRound, Link2, Lock, type LucideIcon, Package, PanelsTopLeft, RefreshCcw, X } from "lucide-react";
import { clsx } from "clsx";
import { Link } from "react-router";
import { useJudge } from "../api/services";
import type { Service } from "../api/types";
import { list, shortCommit } from "../format/format";
import { usePlaces } from "../project/places";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { RELEASE, SERVICE, StatusBadge } from "../ui/status";
import { sayProblem } from "../ui/toast";
import { describe } from "./describe";
import { VerdictBadge } from "./dockerfile-verdict";

const ICON: Record<Service["kind"], LucideIcon> = { web: Box, worker: RefreshCcw, static: PanelsTopLeft, dependency: Database };

export function ServiceCard({ service, project }: { service: Service; project: string }) {
  const place = usePlaces(project);
  const judge = useJudge(project);
  const Icon = ICON[service.kind];
  const to = place({ panel: "services", item: service.id });
  const rejected = service.state === "rejected";
  const decide = (verdict: "accept" | "reject") => () => { judge.mutate({ id: service.id, verdict }, { onError: sayProblem }); };
  return (
    <li className={clsx("rounded-lg border bg-surface shadow-1", service.missing.length > 0 && !rejected ? "border-warn-strong/50" : "border-line")}>
      <div className="relative flex items-start gap-3 px-3.5 pt-3 pb-2.5">
        <span className="flex size-8 shrink-0 items-center justify-center rounded-md bg-idle-soft text-idle">
          <Icon className="size-4" aria-hidden />
        </span>
        <div className="min-w-0 flex-1">
          <h3 className="flex items-center gap-1.5 text-sm font-semibold">
            <Link to={to} title={service.name} className={clsx("truncate after:absolute after:inset-0 hover:text-accent", rejected && "text-ink-3 line-through")}>{service.name}</Link>
            {service.locked && <Lock className="size-3.5 shrink-0 text-ink-3" aria-label="Locked" />}
          </h3>
          <p className="truncate text-xs text-ink-2">{describe(service)}</p>
        </div>
        {service.live_release ? <StatusBadge look={RELEASE[service.live_release.state]} /> : <StatusBadge look={SERVICE[service.state]} />}
      </div>
      {service.missing.length > 0 && !rejected && (
        <Link to={to} className="mx-3.5 mb-2.5 flex items-start gap-2 rounded-md bg-warn-soft px-2.5 py-1.5 text-xs text-warn hover:underline">
          <KeyRound className="mt-0.5 size-3.5 shrink-0" aria-hidden />
          <span className="min-w-0 break-words">
            Needs a value for <span className="font-mono">{list(service.missing)}</span>
          </span>
        </Link>
      )}
      <div className="flex flex-wrap items-center gap-1.5 px-3.5 pb-3">
        {service.path && service.kind !== "dependency" && <Badge icon={Package}>{service.path === "." ? "repository root" : service.path}</Badge>}
        {service.dockerfile && <DockerfileBadge dockerfile={service.dockerfile} />}
        {service.depends_on.length > 0 && <Badge icon={Link2}>needs {list(service.depends_on)}</Badge>}
        {service.live_release?.commit && <Badge icon={GitCommitHorizontal} title={service.live_release.commit}>{shortCommit(service.live_release.commit)}</Badge>}
        <span className="ml-auto flex gap-1.5">
          {service.state !== "accepted" && !service.locked && (
            <Button size="sm" icon={Check} onClick={decide("accept")} disabled={judge.isPending} aria-label={`Accept ${service.name}`}>Accept</Button>
          )}
          {service.state === "pending" && !service.locked && (
            <Button size="sm" look="ghost" icon={X} onClick={decide("reject")} disabled={judge.isPending} aria-label={`Reject ${service.name}`}>Reject</Button>
          )}
        </span>
      </div>
    </li>
  );
}

function DockerfileBadge({ dockerfile: { verdict, origin } }: { dockerfile: NonNullable<Service["dockerfile"]> }) {
  return verdict === null ? <Badge icon={FileCode}>{DOCKERFILE[origin]}</Badge> : <VerdictBadge verdict={verdict} />;
}

const DOCKERFILE: Record<NonNullable<Service["dockerfile"]>["origin"], string> = {
  repository: "own Dockerfile",
  generated: "generated Dockerfile",
  edited: "edited Dockerfile",
};
