// Owns what a person must look at in a run: the step that failed, or the one whose outcome nobody can know.
import { CircleX, ScrollText } from "lucide-react";
import type { ReactNode } from "react";
import { isActive } from "../api/runs";
import type { Run } from "../api/types";
import { usePlaces } from "../project/places";
import { LinkButton } from "../ui/button";
import { ErrorWords } from "../ui/error-words";
import { failedStep, journalLost, unknownStep } from "./tally";
import { Resolve } from "./resolve";

export function Trouble({ run, project }: { run: Run; project: string }) {
  const place = usePlaces(project);
  const unknown = unknownStep(run);
  if (unknown && isActive(run)) return <Resolve run={run} at={unknown} project={project} />;
  const failed = failedStep(run);
  const error = failed?.step.error ?? run.error;
  if (run.state !== "failed" || !error) return null;
  const log = failed ? place({ panel: "runs", item: run.id, query: { server: failed.server.server_id, step: String(failed.step.index) } }) : undefined;
  return (
    <Box title={failed ? `“${failed.step.title}” failed` : "The run failed"}>
      <ErrorWords message={error.message} />
      <p className="mt-1 text-xs text-ink-2">
        Code <code>{error.code}</code>
        {failed && ` · attempt ${String(failed.step.attempt)} on ${failed.server.name}`}
      </p>
      {unknown && <p className="mt-2 break-words text-ink-2">How “{unknown.step.title}” has ended on {unknown.server.name} is not known.</p>}
      {!journalLost(run) && <p className="mt-2 text-ink-2">What was live before is still live. Fix the cause and retry, or change the service and make a new plan.</p>}
      {log !== undefined && (
        <LinkButton to={log} size="sm" icon={ScrollText} className="mt-2">
          Read its log
        </LinkButton>
      )}
    </Box>
  );
}

function Box({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section role="alert" className="mt-3 flex gap-2.5 rounded-lg border border-bad/30 bg-bad-soft px-3 py-2.5 text-sm">
      <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden />
      <div className="min-w-0 flex-1">
        <h3 className="font-semibold break-words">{title}</h3>
        {children}
      </div>
    </section>
  );
}
