// Owns the Dockerfile of a service: what was decided about the repository's, and the text that is built, to be read and changed.
import { FileCode } from "lucide-react";
import { useState } from "react";
import { useEditService } from "../api/services";
import type { Service } from "../api/types";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Field, TextArea } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";
import { Verdict } from "./dockerfile-verdict";

const ORIGIN: Record<NonNullable<Service["dockerfile"]>["origin"], string> = {
  repository: "The repository’s own file is built as it is.",
  generated: "Generated for this service: several stages, no root, a cache for dependencies.",
  edited: "Edited by you.",
};

export function DockerfileEditor({ service, project }: { service: Service; project: string }) {
  const edit = useEditService(project, service.id);
  const stored = service.dockerfile?.content ?? "";
  const [text, setText] = useState<string | null>(null);
  if (service.dockerfile === null) return null;
  const { origin, path, verdict, diff, notes } = service.dockerfile;
  const save = () => {
    edit.mutate({ dockerfile: { content: text ?? "" } }, { onSuccess: () => { setText(null); say("Dockerfile saved"); } });
  };
  return (
    <div className="text-sm">
      {verdict === null ? (
        <div className="mb-2 flex items-start gap-2 text-ink-2">
          <FileCode className="mt-0.5 size-4 shrink-0 text-ink-3" aria-hidden />
          <p className="min-w-0 flex-1">
            {ORIGIN[origin]} {path && <code className="text-xs break-all">{path}</code>}
          </p>
        </div>
      ) : (
        <div className="mb-3">
          <Verdict said={{ verdict, path, diff, reasons: notes }} service={service.name} />
        </div>
      )}
      {text === null ? (
        <>
          {stored !== "" && (
            <figure className="overflow-hidden rounded-lg border border-line">
              <figcaption className="flex items-center border-b border-line bg-sunken py-0.5 pr-1 pl-3 text-xs text-ink-2">
                <span className="min-w-0 flex-1 truncate">{diff ? "The whole text that is built" : "The text that is built"}</span>
                <CopyButton text={stored} label="Copy the Dockerfile" />
              </figcaption>
              <pre tabIndex={0} aria-label={`Dockerfile of ${service.name}`} className="max-h-96 overflow-auto bg-log p-3 text-xs leading-5 text-log-ink">{stored}</pre>
            </figure>
          )}
          <Button size="sm" className="mt-2" disabled={service.locked} onClick={() => { setText(stored); }}>
            {stored === "" ? "Use another Dockerfile" : "Edit"}
          </Button>
        </>
      ) : (
        <>
          <Field label="Dockerfile" hideLabel>
            <TextArea autoFocus rows={18} value={text} onChange={(event) => { setText(event.target.value); }} spellCheck={false} className="font-mono text-xs! leading-5" />
          </Field>
          {edit.isError && <ProblemNote error={edit.error} className="mt-2" />}
          <div className="mt-2 flex gap-2">
            <Button look="primary" size="sm" busy={edit.isPending} disabled={text.trim() === "" || text === stored} onClick={save}>Save Dockerfile</Button>
            <Button size="sm" onClick={() => { setText(null); }}>Cancel</Button>
          </div>
        </>
      )}
    </div>
  );
}
