// Owns the values without which a service cannot start, asked for before anything else.
import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSetEnv } from "../api/services";
import type { Service } from "../api/types";
import { plural } from "../format/format";
import { seenIn } from "./describe";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";

export function MissingValues({ service, project }: { service: Service; project: string }) {
  const save = useSetEnv(project, service.id);
  const [values, setValues] = useState<Record<string, string>>({});
  const known = new Map(service.env.map((one) => [one.name, one]));
  const filled = service.missing.filter((name) => (values[name] ?? "") !== "");
  // The answer names a variable by its place in what was sent.
  const places = (save.variables ?? []).map((sent, place) => ({ name: sent.name, field: `vars[${String(place)}].value` }));
  const refused = (name: string) => fieldError(save.error, places.find((one) => one.name === name)?.field ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(
      filled.map((name) => ({ name, value: values[name] ?? "", secret: known.get(name)?.secret ?? true })),
      { onSuccess: () => { setValues({}); say("Saved"); } },
    );
  };
  return (
    <form onSubmit={submit} className="mb-4 rounded-lg border border-warn-strong/50 bg-warn-soft p-3.5" aria-label="Missing values">
      <h3 className="mb-2.5 flex items-center gap-2 text-sm font-semibold text-warn">
        <KeyRound className="size-4" aria-hidden />
        {plural(service.missing.length, "value is", "values are")} missing
      </h3>
      <div className="space-y-3">
        {service.missing.map((name) => {
          const one = known.get(name);
          return (
            <Field key={name} label={name} hint={one?.description ?? (one?.source ? `It is ${seenIn(one.source)}` : undefined)} error={refused(name)}>
              <Input
                type={one?.secret === false ? "text" : "password"}
                value={values[name] ?? ""}
                onChange={(event) => { setValues({ ...values, [name]: event.target.value }); }}
                autoComplete="off"
                spellCheck={false}
                className="font-mono"
                disabled={service.locked}
              />
            </Field>
          );
        })}
      </div>
      {save.isError && !isFieldError(save.error, places.map((one) => one.field)) && <ProblemNote error={save.error} className="mt-3" />}
      <div className="mt-3 flex items-center gap-3">
        <Button type="submit" look="primary" size="sm" disabled={filled.length === 0 || service.locked} busy={save.isPending}>
          Save
        </Button>
        <p className="text-xs text-ink-2">Secrets are encrypted and never shown again.</p>
      </div>
    </form>
  );
}
