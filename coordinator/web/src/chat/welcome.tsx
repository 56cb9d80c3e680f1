// Owns the first screen of an empty chat: where the code comes from.
import { ChevronRight, GitBranch } from "lucide-react";
import { type FormEvent, useState } from "react";
import { type SourceForm, useAnalyses, useAnalyze, useProject } from "../api/projects";
import type { ProjectStatus } from "../api/types";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";
import { AnalysisCard } from "./analysis-card";
import { Suggestions } from "./suggestions";

/** Sentences that fit the state; the answer to each says what fits after it. */
function next(status: ProjectStatus): string[] {
  switch (status) {
    case "live":
    case "degraded":
      return ["status", "redeploy", "show services"];
    case "deploying":
      return ["status", "pause"];
    case "failed":
      return ["status", "retry", "show the plan"];
    case "empty":
    case "analyzing":
    case "planned":
      return ["status", "accept all services", "make the plan"];
  }
}

export function Welcome({ project, onSay }: { project: string; onSay: (text: string) => void }) {
  const { data: known } = useProject(project);
  const analyses = useAnalyses(project);
  const analyze = useAnalyze(project);
  const [form, setForm] = useState<Required<SourceForm>>({ url: "", ref: "", subdir: "" });
  const [more, setMore] = useState(false);
  const set = (field: keyof SourceForm) => (event: { target: { value: string } }) => {
    setForm({ ...form, [field]: event.target.value });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { url, ref, subdir } = form;
    analyze.mutate({ url: url.trim(), ...(ref.trim() && { ref: ref.trim() }), ...(subdir.trim() && { subdir: subdir.trim() }) });
  };
  const latest = analyses.data?.toSorted((a, b) => b.created_at - a.created_at)[0];

  return (
    <div className="my-auto pb-8">
      {(known?.service_count ?? 0) > 0 ? (
        <>
          <h2 className="text-2xl font-semibold tracking-tight">What should happen next?</h2>
          <p className="mt-1 mb-3 text-ink-2">Say it in your words, or start with one of these.</p>
          <Suggestions texts={next(known?.status ?? "planned")} onSay={onSay} />
          <div className="h-4" />
        </>
      ) : (
        <>
          <h2 className="text-2xl font-semibold tracking-tight">What should go live?</h2>
          <p className="mt-1 mb-6 text-ink-2">Paste a Git URL. Hydron reads the code without running it and proposes what to deploy.</p>
        </>
      )}
      <form onSubmit={submit} className="rounded-xl border border-line bg-surface p-5 shadow-1">
        <h3 className="mb-3 flex items-center gap-2 text-sm font-semibold">
          <GitBranch className="size-4 text-accent" aria-hidden /> Public Git URL
        </h3>
        <div className="flex flex-wrap items-start gap-2">
          <Field label="Repository URL" hideLabel className="min-w-56 flex-1" error={fieldError(analyze.error, "url")}>
            <Input required autoFocus inputMode="url" name="repository" placeholder="https://github.com/you/app.git" value={form.url} onChange={set("url")} autoComplete="off" spellCheck={false} />
          </Field>
          <Button type="submit" look="primary" busy={analyze.isPending}>
            Analyse repository
          </Button>
        </div>
        <button type="button" aria-expanded={more} onClick={() => { setMore(!more); }} className="mt-3 flex items-center gap-1 text-xs font-medium text-ink-2 hover:text-ink">
          <ChevronRight className={more ? "size-3.5 rotate-90" : "size-3.5"} aria-hidden /> Branch or folder
        </button>
        {more && (
          <div className="mt-2 grid gap-3 sm:grid-cols-2">
            <Field label="Branch, tag or commit" hint="Empty: the default branch" error={fieldError(analyze.error, "ref")}>
              <Input value={form.ref} onChange={set("ref")} placeholder="main" spellCheck={false} />
            </Field>
            <Field label="Folder" hint="Empty: the whole repository" error={fieldError(analyze.error, "subdir")}>
              <Input value={form.subdir} onChange={set("subdir")} placeholder="apps/web" spellCheck={false} />
            </Field>
          </div>
        )}
        {analyze.isError && !isFieldError(analyze.error, ["url", "ref", "subdir"]) && <ProblemNote error={analyze.error} className="mt-3" />}
      </form>
      <p className="mt-3 text-sm text-ink-3">Or write below: “deploy https://github.com/you/app.git”.</p>
      {latest && (
        <div className="mt-6">
          <AnalysisCard id={latest.id} project={project} />
        </div>
      )}
    </div>
  );
}
