// Owns the variables of a service. A secret can be replaced but never read back.
import { EyeOff, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useDropEnv } from "../api/services";
import type { EnvVar, Service } from "../api/types";
import { Badge } from "../ui/badge";
import { Button, IconButton } from "../ui/button";
import { sayProblem } from "../ui/toast";
import { seenIn } from "./describe";
import { EnvForm } from "./env-form";

const ORIGIN: Record<NonNullable<EnvVar["origin"]>, string> = {
  user: "set by you",
  analysis: "from the code",
  generated: "generated",
  reference: "from another service",
};

export function EnvEditor({ service, project }: { service: Service; project: string }) {
  const [editing, setEditing] = useState<EnvVar | "new" | null>(null);
  const close = () => { setEditing(null); };
  return (
    <>
      {service.env.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line">
          {service.env.map((one) => (
            <li key={one.name} className="px-3 py-2">
              {editing !== "new" && editing?.name === one.name ? (
                <EnvForm service={service} project={project} known={one} onClose={close} />
              ) : (
                <Row one={one} service={service} project={project} onEdit={() => { setEditing(one); }} />
              )}
            </li>
          ))}
        </ul>
      )}
      {editing === "new" ? (
        <div className="mt-2 rounded-lg border border-line p-3">
          <EnvForm service={service} project={project} known={null} onClose={close} />
        </div>
      ) : (
        <Button size="sm" icon={Plus} className="mt-2" disabled={service.locked} onClick={() => { setEditing("new"); }}>
          Add variable
        </Button>
      )}
    </>
  );
}

interface RowProps {
  one: EnvVar;
  service: Service;
  project: string;
  onEdit: () => void;
}

function Row({ one, service, project, onEdit }: RowProps) {
  const drop = useDropEnv(project, service.id);
  const own = one.origin === null || one.origin === "user" || one.origin === "analysis";
  return (
    <div className="flex items-center gap-2">
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 flex-wrap items-center gap-x-2">
          <code className="max-w-full truncate text-xs font-medium text-ink" title={one.name}>{one.name}</code>
          {one.required && !one.set && <Badge tone="warn">missing</Badge>}
        </p>
        <p className="flex min-w-0 items-center gap-1.5 text-xs text-ink-3">
          {one.secret ? (
            <span className="inline-flex items-center gap-1"><EyeOff className="size-3" aria-hidden />{one.set ? "secret, set" : "secret, not set"}</span>
          ) : (
            <code className="min-w-0 truncate text-ink-2" title={one.value ?? ""}>{one.set ? (one.value ?? "") : "not set"}</code>
          )}
          {one.origin && <span className="whitespace-nowrap">· {ORIGIN[one.origin]}</span>}
          {one.source && one.origin !== "generated" && <span className="whitespace-nowrap">· {seenIn(one.source)}</span>}
          {one.description && <span className="truncate" title={one.description}>· {one.description}</span>}
        </p>
      </div>
      {own && (
        <>
          <IconButton icon={Pencil} label={`${one.set ? "Change" : "Set"} ${one.name}`} disabled={service.locked} onClick={onEdit} />
          <IconButton icon={Trash2} label={`Remove ${one.name}`} disabled={service.locked || drop.isPending} onClick={() => { drop.mutate(one.name, { onError: sayProblem }); }} />
        </>
      )}
    </div>
  );
}
