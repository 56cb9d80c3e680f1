// Owns an analysis in the chat: eight steps that tick while it reads, then what it found.
import { FileSearch } from "lucide-react";
import { isWorking, useAnalysis, useAnalyze } from "../api/projects";
import type { Analysis, AnalysisChange } from "../api/types";
import { plural, repository, shortCommit, technology } from "../format/format";
import { usePlaces } from "../project/places";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Fold } from "../ui/fold";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { ANALYSIS, StatusBadge, StatusIcon, STEP } from "../ui/status";
import { ChangeList } from "../services/change-list";
import { summary } from "../services/change-words";
import { DockerfileNotes } from "../services/dockerfile-notes";
import { VerdictBadge } from "../services/dockerfile-verdict";
import { FindingList } from "../services/finding-list";
import { Card } from "./card";

export function AnalysisCard({ id, project }: { id: string; project: string }) {
  const { data, error } = useAnalysis(id);
  const place = usePlaces(project);
  const again = useAnalyze(project);
  if (error) return <ProblemNote error={error} />;
  if (!data) return <Skeleton className="h-64 rounded-xl" />;
  const { url, ref, subdir, commit } = data.source;
  return (
    <Card
      icon={FileSearch}
      title={<span title={url}>{repository(url)}{subdir ? ` / ${subdir}` : ""}</span>}
      state={<StatusBadge look={ANALYSIS[data.state]} />}
      {...(data.state === "done" ? { to: place({ panel: "services" }), open: "Services" } : {})}
      actions={
        data.state === "failed" ? (
          <Button size="sm" busy={again.isPending} onClick={() => { again.mutate({ url, ...(ref && { ref }), ...(subdir && { subdir }) }); }}>
            Analyse again
          </Button>
        ) : undefined
      }
    >
      {isWorking(data) || data.state === "failed" ? <Steps analysis={data} /> : <Found analysis={data} />}
      {data.error && (
        <div role="alert" className="mt-3 rounded-md bg-bad-soft px-3 py-2">
          <p className="break-words text-ink">{data.error.message}</p>
          <p className="mt-0.5 text-xs text-ink-2">
            Code <code>{data.error.code}</code>
          </p>
        </div>
      )}
      {commit && data.state === "done" && (
        <p className="mt-2 text-xs text-ink-3">
          {ref ? `${ref} at ` : "Commit "}
          <code title={commit}>{shortCommit(commit)}</code>
          {data.result?.stats && ` · ${plural(data.result.stats.files, "file")}`}
        </p>
      )}
    </Card>
  );
}

function Steps({ analysis }: { analysis: Analysis }) {
  return (
    <ol aria-label="Steps of the analysis" className="space-y-1.5">
      {analysis.steps.map((step) => (
        <li key={step.name} className="flex items-center gap-2">
          <StatusIcon look={STEP[step.state]} />
          <span className={step.state === "pending" ? "text-ink-3" : "text-ink"}>{step.label}</span>
          <span className="sr-only">{STEP[step.state].word}</span>
          {step.detail && <span className="min-w-0 truncate text-xs text-ink-3">{step.detail}</span>}
        </li>
      ))}
    </ol>
  );
}

function Found({ analysis }: { analysis: Analysis }) {
  const services = analysis.result?.services ?? [];
  return (
    <>
      <p className="mb-2 text-ink-2">
        Found {services.length === 0 ? "nothing to deploy" : plural(services.length, "service")}.
      </p>
      <ul className="space-y-1.5">
        {services.slice(0, 8).map((service) => (
          <li key={service.name} className="flex min-w-0 items-center gap-2">
            <span className="truncate font-medium">{service.name}</span>
            <Badge>{technology(service.framework ?? service.language)}</Badge>
            <span className="hidden sm:contents"><VerdictBadge verdict={service.dockerfile.verdict} /></span>
            <span className="ml-auto truncate text-xs text-ink-3">{service.path === "." ? "root" : service.path}</span>
          </li>
        ))}
      </ul>
      {services.length > 8 && <p className="mt-1.5 text-xs text-ink-3">and {plural(services.length - 8, "more")}</p>}
      {analysis.changes && <WhatChanged changes={analysis.changes} />}
      <DockerfileNotes services={services} />
      <FindingList findings={analysis.result?.findings ?? []} />
    </>
  );
}

function WhatChanged({ changes }: { changes: AnalysisChange[] }) {
  if (changes.length === 0) return <p className="mt-3 text-ink-2">Nothing changed since the reading before.</p>;
  return (
    <div className="mt-3">
      <Fold title={`What changed · ${summary(changes)}`} open>
        <ChangeList changes={changes} />
      </Fold>
    </div>
  );
}
