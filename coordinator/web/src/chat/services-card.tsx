// Owns the services in the chat: what was found, what is missing, accept with one click.
import { Boxes, Check, KeyRound } from "lucide-react";
import { Link } from "react-router";
import { useAcceptAll, useJudge, useServices } from "../api/services";
import { plural } from "../format/format";
import { usePlaces } from "../project/places";
import { Button, IconButton } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { SERVICE, StatusIcon } from "../ui/status";
import { sayProblem } from "../ui/toast";
import { describe } from "../services/describe";
import { Card } from "./card";

const SHOWN = 8;

export function ServicesCard({ project }: { project: string }) {
  const { data, error } = useServices(project);
  const acceptAll = useAcceptAll(project);
  const judge = useJudge(project);
  const place = usePlaces(project);
  if (error) return <ProblemNote error={error} />;
  if (!data) return <Skeleton className="h-40 rounded-xl" />;
  const pending = data.filter((service) => service.state === "pending");
  return (
    <Card
      icon={Boxes}
      title={plural(data.length, "service")}
      to={place({ panel: "services" })}
      open="Review"
      actions={
        pending.length > 0 ? (
          <Button look="primary" size="sm" icon={Check} busy={acceptAll.isPending} onClick={() => { acceptAll.mutate(undefined, { onError: sayProblem }); }}>
            Accept all services
          </Button>
        ) : undefined
      }
    >
      <ul className="divide-y divide-line">
        {data.slice(0, SHOWN).map((service) => (
          <li key={service.id} className="flex min-h-9 items-center gap-2 py-1">
            <StatusIcon look={SERVICE[service.state]} />
            <span className="sr-only">{SERVICE[service.state].word}:</span>
            <Link to={place({ panel: "services", item: service.id })} className="min-w-0 truncate font-medium hover:text-accent hover:underline">
              {service.name}
            </Link>
            <span className="min-w-0 flex-1 truncate text-xs text-ink-3">{describe(service)}</span>
            {service.missing.length > 0 && service.state !== "rejected" && (
              <Link to={place({ panel: "services", item: service.id })} className="flex items-center gap-1 text-xs font-medium text-warn hover:underline">
                <KeyRound className="size-3.5" aria-hidden />
                {plural(service.missing.length, "value")} missing
              </Link>
            )}
            {service.state === "pending" && (
              <IconButton icon={Check} label={`Accept ${service.name}`} onClick={() => { judge.mutate({ id: service.id, verdict: "accept" }, { onError: sayProblem }); }} />
            )}
          </li>
        ))}
      </ul>
      {data.length > SHOWN && <p className="pt-1 text-xs text-ink-3">and {plural(data.length - SHOWN, "more")}</p>}
    </Card>
  );
}
