// Owns what the newest reading changed, above the services or at one of them. Nothing is shown of a first reading.
import { useAnalyses, useAnalysis } from "../api/projects";
import type { AnalysisChange } from "../api/types";
import { shortCommit } from "../format/format";
import { Fold } from "../ui/fold";
import { Ago } from "../ui/time";
import { ChangeList } from "./change-list";
import { summary } from "./change-words";

const FEW = 4;

/** Above all services. */
export function LastReading({ project }: { project: string }) {
  const newest = useNewest(project);
  return newest === undefined ? null : <Changes id={newest} />;
}

/** Of one service. */
export function ServiceChanges({ project, service }: { project: string; service: string }) {
  const newest = useNewest(project);
  return newest === undefined ? null : <OfService id={newest} service={service} />;
}

function useNewest(project: string): string | undefined {
  return useAnalyses(project).data?.find((one) => one.state === "done")?.id;
}

function Changes({ id }: { id: string }) {
  const { data } = useAnalysis(id);
  if (!data?.changes) return null;
  const { changes, source, finished_at: at } = data;
  const when = (
    <p className="text-xs text-ink-3">
      {source.commit && <>Commit <code title={source.commit}>{shortCommit(source.commit)}</code> against the reading before</>}
      {at !== null && <> · <Ago at={at} /></>}
    </p>
  );
  if (changes.length === 0) {
    return <div className="mb-3 rounded-lg border border-line bg-surface px-3.5 py-2.5 text-sm text-ink-2">The last reading changed nothing. {when}</div>;
  }
  return (
    <div className="mb-3 rounded-lg border border-line bg-surface px-3.5 [&>section]:border-t-0">
      <Fold title={`What changed · ${summary(changes)}`} open={changes.length <= FEW}>
        <ChangeList changes={changes} />
        <div className="mt-2.5">{when}</div>
      </Fold>
    </div>
  );
}

function OfService({ id, service }: { id: string; service: string }) {
  const changes: AnalysisChange[] = (useAnalysis(id).data?.changes ?? []).filter((change) => change.service_id === service);
  if (changes.length === 0) return null;
  return (
    <Fold title={`What changed in the last reading · ${summary(changes)}`} open={changes.length <= FEW}>
      <ChangeList changes={changes} />
    </Fold>
  );
}
