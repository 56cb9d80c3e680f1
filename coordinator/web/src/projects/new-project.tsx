// Owns making a project: a name is enough.
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useCreateProject } from "../api/projects";
import type { ProjectType } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, Select } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";

export const PROJECT_TYPES: [ProjectType, string][] = [
  ["web_app", "Web app"],
  ["microservice", "Microservice"],
  ["static_site", "Static site"],
  ["api", "API"],
  ["other", "Something else"],
];

export function NewProject({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const navigate = useNavigate();
  const create = useCreateProject();
  const [name, setName] = useState("");
  const [type, setType] = useState<ProjectType>("web_app");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { name: name.trim(), type },
      {
        onSuccess: (project) => {
          setName("");
          void navigate(`/projects/${project.id}`);
        },
      },
    );
  };
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New project"
      description="One project per application. Its services, chats, plans and runs live together."
      footer={
        <>
          <Button onClick={() => { onOpenChange(false); }}>Cancel</Button>
          <Button type="submit" form="new-project" look="primary" busy={create.isPending}>
            Create project
          </Button>
        </>
      }
    >
      <form id="new-project" onSubmit={submit} className="space-y-4 pt-1">
        <Field label="Name" error={fieldError(create.error, "name")}>
          <Input required autoFocus value={name} maxLength={80} onChange={(event) => { setName(event.target.value); }} placeholder="Corkboard" autoComplete="off" />
        </Field>
        <Field label="Type" hint="A hint for the analysis; you can change it later.">
          <Select value={type} onChange={(event) => { setType(event.target.value as ProjectType); }}>
            {PROJECT_TYPES.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
          </Select>
        </Field>
        {create.isError && !isFieldError(create.error, ["name"]) && <ProblemNote error={create.error} />}
      </form>
    </Dialog>
  );
}
