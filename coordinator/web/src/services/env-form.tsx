// Owns setting one variable.
import { type FormEvent, useState } from "react";
import { useSetEnv } from "../api/services";
import type { EnvVar, Service } from "../api/types";
import { Button } from "../ui/button";
import { Checkbox, Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";

interface EnvFormProps {
  service: Service;
  project: string;
  known: EnvVar | null;
  onClose: () => void;
}

export function EnvForm({ service, project, known, onClose }: EnvFormProps) {
  const save = useSetEnv(project, service.id);
  const [name, setName] = useState(known?.name ?? "");
  const [value, setValue] = useState(known?.value ?? "");
  const [secret, setSecret] = useState(known?.secret ?? true);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate([{ name: name.trim(), value, secret }], {
      onSuccess: () => {
        say(`${name} saved`);
        onClose();
      },
    });
  };
  return (
    <form onSubmit={submit} className="space-y-2.5">
      {known === null ? (
        <Field label="Name" error={fieldError(save.error, "vars[0].name")}>
          <Input required autoFocus value={name} onChange={(event) => { setName(event.target.value); }} placeholder="LOG_LEVEL" autoComplete="off" spellCheck={false} className="font-mono" />
        </Field>
      ) : (
        <p><code className="text-xs font-medium">{known.name}</code></p>
      )}
      <Field label="Value" hint={known?.secret && known.set ? "The stored value is not shown. What you type replaces it." : undefined} error={fieldError(save.error, "vars[0].value")}>
        <Input autoFocus={known !== null} type={secret ? "password" : "text"} value={value} onChange={(event) => { setValue(event.target.value); }} autoComplete="off" spellCheck={false} className="font-mono" />
      </Field>
      <Checkbox label="Secret: encrypted, never shown again, never in logs" checked={secret} disabled={known?.secret === true} onChange={(event) => { setSecret(event.target.checked); }} />
      {save.isError && !isFieldError(save.error, ["vars[0].name", "vars[0].value"]) && <ProblemNote error={save.error} />}
      <div className="flex gap-2">
        <Button type="submit" look="primary" size="sm" busy={save.isPending}>Save</Button>
        <Button size="sm" onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
