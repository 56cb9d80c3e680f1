// Owns the releases of a service: which one is live, and going back to an earlier one with its environment.
import { Undo2 } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useOperate, useReleases } from "../api/services";
import type { Release, Service } from "../api/types";
import { shortCommit, shortDigest } from "../format/format";
import { usePlaces } from "../project/places";
import { after } from "../ui/after";
import { Button } from "../ui/button";
import { Confirm } from "../ui/confirm";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { RELEASE, StatusBadge } from "../ui/status";
import { Ago } from "../ui/time";

export function Releases({ service, project }: { service: Service; project: string }) {
  const releases = useReleases(service.id);
  const operate = useOperate(project);
  const navigate = useNavigate();
  const place = usePlaces(project);
  const [chosen, setChosen] = useState<Release | null>(null);
  if (releases.isPending) return <Skeleton className="h-16" />;
  if (releases.isError) return <ProblemNote error={releases.error} onRetry={() => void releases.refetch()} />;
  if (releases.data.length === 0) return <p className="text-sm text-ink-2">Nothing was released yet. The last three versions that were live can be brought back.</p>;
  const name = (release: Release) => (release.commit ? shortCommit(release.commit) : shortDigest(release.image_id ?? release.id));
  const rollback = () => {
    if (chosen === null) return;
    after(operate.mutateAsync({ kind: "rollback", release: chosen.id }), (run) => {
      setChosen(null);
      void navigate(place({ panel: "runs", item: run.id }));
    });
  };
  return (
    <>
      <ul className="divide-y divide-line rounded-lg border border-line">
        {releases.data.map((release) => (
          <li key={release.id} className="flex min-h-11 items-center gap-2.5 px-3 py-1.5 text-sm">
            <code className="text-xs" title={release.commit ?? release.image_id ?? ""}>{name(release)}</code>
            <StatusBadge look={RELEASE[release.state]} />
            <span className="flex-1 text-xs text-ink-3"><Ago at={release.live_since ?? release.created_at} /></span>
            {release.rollback_possible && !release.current && (
              <Button size="sm" icon={Undo2} onClick={() => { setChosen(release); }}>Roll back to this</Button>
            )}
          </li>
        ))}
      </ul>
      {chosen && (
        <Confirm open onOpenChange={() => { setChosen(null); }} title={`Roll back ${service.name} to ${name(chosen)}?`} action="Roll back" busy={operate.isPending} error={operate.error} onConfirm={rollback}>
          <p>The image and the environment of that release come back, beside the current one, and traffic moves over when it is healthy. Data in volumes is not changed.</p>
        </Confirm>
      )}
    </>
  );
}
