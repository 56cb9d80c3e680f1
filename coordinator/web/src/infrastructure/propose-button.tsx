// Owns asking for a plan: at once with one server, by choosing from the inventory with several.
import { useState } from "react";
import { usePropose } from "../api/plans";
import type { Server } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Checkbox } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { serverLook, StatusBadge } from "../ui/status";
import { sayProblem } from "../ui/toast";

interface ProposeButtonProps {
  project: string;
  servers: Server[];
  label?: string;
  size?: "sm" | "md";
}

export function ProposeButton({ project, servers, label = "Make a plan", size = "md" }: ProposeButtonProps) {
  const propose = usePropose(project);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const usable = servers.filter((server) => server.enrolled_at !== null);
  const start = () => {
    if (usable.length > 1) setOpen(true);
    else propose.mutate([], { onError: sayProblem });
  };
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <Button look={size === "md" ? "primary" : "secondary"} size={size} busy={propose.isPending} onClick={start}>
        {label}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Choose servers"
        description="From your inventory. Choose none and Hydron decides."
        footer={
          <>
            <Button onClick={() => { setOpen(false); }}>Cancel</Button>
            <Button look="primary" busy={propose.isPending} onClick={() => { propose.mutate([...chosen], { onSuccess: () => { setOpen(false); } }); }}>
              {chosen.size === 0 ? "Let Hydron choose" : `Plan on ${String(chosen.size)} ${chosen.size === 1 ? "server" : "servers"}`}
            </Button>
          </>
        }
      >
        <ul className="divide-y divide-line rounded-lg border border-line">
          {usable.map((server) => (
            <li key={server.id} className="flex items-center gap-3 px-3 py-2">
              <Checkbox label={<span className="truncate font-medium text-ink">{server.name}</span>} checked={chosen.has(server.id)} onChange={() => { toggle(server.id); }} className="flex-1" />
              <StatusBadge look={serverLook(server)} />
            </li>
          ))}
        </ul>
        {propose.isError && <ProblemNote error={propose.error} className="mt-3" />}
      </Dialog>
    </>
  );
}
