// Owns the list of services: what needs a person first, then the rest; a filter when there are many.
import { Boxes, Check, FileSearch, Search } from "lucide-react";
import { useState } from "react";
import { useProject } from "../api/projects";
import { useAcceptAll } from "../api/services";
import type { Service } from "../api/types";
import { plural } from "../format/format";
import { usePlaces } from "../project/places";
import { Button, LinkButton } from "../ui/button";
import { Empty } from "../ui/empty";
import { Input } from "../ui/field";
import { sayProblem } from "../ui/toast";
import { LastReading } from "./last-reading";
import { NextStep } from "./next-step";
import { ServiceCard } from "./service-card";

const MANY = 8;

export function ServiceList({ services, project }: { services: Service[]; project: string }) {
  const [text, setText] = useState("");
  const place = usePlaces(project);
  const acceptAll = useAcceptAll(project);
  const working = useProject(project).data?.status === "analyzing";
  if (services.length === 0 && working) {
    return (
      <Empty icon={FileSearch} title="Reading the code">
        <p>Services appear here as soon as the analysis is done.</p>
      </Empty>
    );
  }
  if (services.length === 0) {
    return (
      <Empty icon={Boxes} title="No services yet" action={<LinkButton to={place({})}>Connect a repository</LinkButton>}>
        <p>Services are the parts of your app that run: an API, a site, a worker, a database. Hydron finds them in your code.</p>
      </Empty>
    );
  }
  const pending = services.filter((service) => service.state === "pending");
  const shown = services.filter((service) => service.name.toLowerCase().includes(text.trim().toLowerCase())).toSorted(byNeed);
  return (
    <div className="h-full overflow-y-auto p-4" tabIndex={0} role="region" aria-label="Services">
      <header className="mb-3 flex min-h-7 items-center gap-2">
        <h2 className="min-w-0 flex-1 truncate text-base font-semibold">
          {plural(services.length, "service")}
          {pending.length > 0 && <span className="font-normal text-ink-3"> · {pending.length} to review</span>}
        </h2>
        {pending.length > 0 && (
          <Button look="primary" size="sm" icon={Check} busy={acceptAll.isPending} onClick={() => { acceptAll.mutate(undefined, { onError: sayProblem }); }}>
            Accept all
          </Button>
        )}
      </header>
      <NextStep services={services} project={project} />
      <LastReading project={project} />
      {services.length > MANY && (
        <div className="relative mb-3">
          <Search className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-ink-3" aria-hidden />
          <Input data-search aria-label="Search services" placeholder="Search services" value={text} onChange={(event) => { setText(event.target.value); }} className="pl-8" />
        </div>
      )}
      <ul className="space-y-3">
        {shown.map((service) => <ServiceCard key={service.id} service={service} project={project} />)}
      </ul>
      {shown.length === 0 && <p className="py-6 text-center text-sm text-ink-3">No service has that name.</p>}
    </div>
  );
}

function need(service: Service): number {
  if (service.state === "rejected") return 3;
  if (service.missing.length > 0) return 0;
  return service.state === "pending" ? 1 : 2;
}

function byNeed(a: Service, b: Service): number {
  return need(a) - need(b) || a.name.localeCompare(b.name);
}
