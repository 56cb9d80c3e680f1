// Owns how a service is built, started and reached. Every finding can be corrected.
import { type FormEvent, useState } from "react";
import { useEditService } from "../api/services";
import type { Service, ServiceEdit } from "../api/types";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { fieldError, isFieldError } from "../ui/form";
import { ProblemNote } from "../ui/problem-note";
import { say } from "../ui/toast";

const FIELDS = ["build", "start", "port", "health_path", "route_prefix"];

export function ServiceSettings({ service, project }: { service: Service; project: string }) {
  const edit = useEditService(project, service.id);
  const [form, setForm] = useState(() => initial(service));
  const set = (field: keyof typeof form) => (event: { target: { value: string } }) => { setForm({ ...form, [field]: event.target.value }); };
  const body = changes(service, form);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate(body, { onSuccess: () => { say("Service saved"); } });
  };
  const off = service.locked || service.kind === "dependency";
  return (
    <form onSubmit={submit}>
      <fieldset disabled={off} className="grid gap-3 sm:grid-cols-2">
        <Field label="Build command" className="sm:col-span-2" error={fieldError(edit.error, "build")}>
          <Input value={form.build} onChange={set("build")} placeholder="none" spellCheck={false} className="font-mono" />
        </Field>
        <Field label="Start command" className="sm:col-span-2" error={fieldError(edit.error, "start")}>
          <Input value={form.start} onChange={set("start")} placeholder="the image's own" spellCheck={false} className="font-mono" />
        </Field>
        <Field label="Port" hint="Inside its container; nothing is published." error={fieldError(edit.error, "port")}>
          <Input type="number" min={1} max={65535} value={form.port} onChange={set("port")} placeholder="none" />
        </Field>
        <Field label="Health path" hint="Must answer before traffic comes." error={fieldError(edit.error, "health_path")}>
          <Input value={form.health_path} onChange={set("health_path")} placeholder="/" spellCheck={false} className="font-mono" />
        </Field>
        <Field label="Public path" hint="Requests that start with it go here." error={fieldError(edit.error, "route_prefix")}>
          <Input value={form.prefix} onChange={set("prefix")} placeholder="not public" spellCheck={false} className="font-mono" />
        </Field>
      </fieldset>
      {edit.isError && !isFieldError(edit.error, FIELDS) && <ProblemNote error={edit.error} className="mt-3" />}
      {!off && (
        <Button type="submit" size="sm" look="primary" className="mt-3" busy={edit.isPending} disabled={Object.keys(body).length === 0}>
          Save changes
        </Button>
      )}
    </form>
  );
}

function initial(service: Service) {
  return {
    build: service.build ?? "",
    start: service.start ?? "",
    port: service.port === null ? "" : String(service.port),
    health_path: service.health_path ?? "",
    prefix: service.route?.prefix ?? "",
  };
}

/** Only what differs is sent; an empty text takes a value away. */
function changes(service: Service, form: ReturnType<typeof initial>): ServiceEdit {
  const before = initial(service);
  const body: ServiceEdit = {};
  if (form.build !== before.build) body.build = form.build.trim();
  if (form.start !== before.start) body.start = form.start.trim();
  if (form.port !== before.port) body.port = Number(form.port);
  if (form.health_path !== before.health_path) body.health_path = form.health_path.trim();
  if (form.prefix !== before.prefix) body.route_prefix = form.prefix.trim();
  return body;
}
