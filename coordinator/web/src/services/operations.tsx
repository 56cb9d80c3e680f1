// Owns the operations on what runs: signed, closed, each a short run whose log is its answer.
import { Play, RotateCw, ScrollText, Square } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { type Operation, useOperate } from "../api/services";
import type { Service } from "../api/types";
import { usePlaces } from "../project/places";
import { after } from "../ui/after";
import { Button } from "../ui/button";
import { Confirm } from "../ui/confirm";
import { sayProblem } from "../ui/toast";

export function Operations({ service, project }: { service: Service; project: string }) {
  const operate = useOperate(project);
  const navigate = useNavigate();
  const place = usePlaces(project);
  const [stopping, setStopping] = useState(false);
  const start = (kind: Exclude<Operation["kind"], "rollback">) => {
    after(operate.mutateAsync({ kind, service: service.id }), (run) => {
      setStopping(false);
      const server = run.servers[0]?.server_id ?? "";
      const query: Record<string, string> = kind === "logs" ? { server, step: "0" } : {};
      void navigate(place({ panel: "runs", item: run.id, query }));
    }, sayProblem);
  };
  return (
    <div className="mb-4 flex flex-wrap gap-2" role="group" aria-label={`Operations on ${service.name}`}>
      <Button size="sm" icon={ScrollText} disabled={operate.isPending} onClick={() => { start("logs"); }}>Logs</Button>
      <Button size="sm" icon={RotateCw} disabled={operate.isPending} onClick={() => { start("restart"); }}>Restart</Button>
      <Button size="sm" icon={Play} disabled={operate.isPending} onClick={() => { start("start"); }}>Start</Button>
      <Button size="sm" icon={Square} look="danger" disabled={operate.isPending} onClick={() => { setStopping(true); }}>Stop</Button>
      <Confirm open={stopping} onOpenChange={setStopping} title={`Stop ${service.name}?`} action="Stop the service" busy={operate.isPending} error={operate.error} onConfirm={() => { start("stop"); }}>
        <p>Its containers stop and its addresses answer 503 until you start it again. Its data stays.</p>
      </Confirm>
    </div>
  );
}
