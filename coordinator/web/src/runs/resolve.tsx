// Owns the decision about a step whose outcome nobody can know: the connection or the machine died at the wrong moment.
import { CircleHelp, ScrollText } from "lucide-react";
import { useControl } from "../api/runs";
import type { Run } from "../api/types";
import { usePlaces } from "../project/places";
import { Button, LinkButton } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import type { Placed } from "./tally";

const CHOICES = [
  ["adopt_result", "It worked: go on", "Takes the step as done."],
  ["rerun", "Run it again", "Starts another attempt of this step."],
  ["stop", "Stop the run", "Leaves everything as it is now."],
] as const;

export function Resolve({ run, at, project }: { run: Run; at: Placed; project: string }) {
  const control = useControl(run.id);
  const place = usePlaces(project);
  const { server, step } = at;
  return (
    <section role="alert" className="mt-3 rounded-lg border border-warn-strong/40 bg-warn-soft px-3 py-2.5 text-sm">
      <h3 className="flex items-center gap-2 font-semibold text-ink">
        <CircleHelp className="size-4 shrink-0 text-warn" aria-hidden />
        <span className="min-w-0 break-words">Did “{step.title}” finish on {server.name}?</span>
      </h3>
      <p className="mt-1 text-ink-2">It was interrupted and left no record, so nobody can know. Look at the server or the log, then decide.</p>
      <ul className="mt-2 space-y-1.5">
        {CHOICES.map(([decision, label, effect]) => (
          <li key={decision} className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <Button size="sm" disabled={control.isPending} onClick={() => { control.mutate({ kind: "resolve", server_id: server.server_id, step: step.index, decision }); }}>
              {label}
            </Button>
            <span className="text-xs text-ink-2">{effect}</span>
          </li>
        ))}
      </ul>
      <LinkButton look="ghost" size="sm" icon={ScrollText} className="mt-1.5 -ml-2" to={place({ panel: "runs", item: run.id, query: { server: server.server_id, step: String(step.index) } })}>
        Read its log
      </LinkButton>
      {control.isError && <ProblemNote error={control.error} className="mt-2" />}
    </section>
  );
}
