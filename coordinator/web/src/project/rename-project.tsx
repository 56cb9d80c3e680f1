// Owns giving a project another name.
import { type FormEvent, useState } from "react";
import { useRenameProject } from "../api/projects";
import type { Project } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";

export function RenameProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const rename = useRenameProject(project.id);
  const [name, setName] = useState(project.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate(name.trim(), { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Rename project"
      description="Its addresses and what runs on servers keep their names."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="rename-project" look="primary" busy={rename.isPending}>Rename</Button>
        </>
      }
    >
      <form id="rename-project" onSubmit={submit} className="space-y-3">
        <Field label="Name" error={fieldError(rename.error, "name")}>
          <Input required autoFocus maxLength={80} value={name} onChange={(event) => { setName(event.target.value); }} />
        </Field>
        {rename.isError && !isFieldError(rename.error, ["name"]) && <ProblemNote error={rename.error} />}
      </form>
    </Dialog>
  );
}
