// Owns the first minute of an installation: the one-time link makes its holder the owner.
import { type FormEvent, useState } from "react";
import { Navigate, useNavigate } from "react-router";
import { type SetupForm, useSetup, useSetupNeeded } from "../api/account";
import { Entrance } from "../frame/entrance";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { fieldError, isFieldError } from "../ui/form";

const PASSWORD_LENGTH = 12;

export default function SetupPage() {
  const navigate = useNavigate();
  const needed = useSetupNeeded();
  const setup = useSetup();
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  const [form, setForm] = useState<Omit<SetupForm, "token">>({ email: "", name: "", password: "", team_name: "" });
  const [hasLink] = useState(token !== "");
  const [typed, setTyped] = useState(token);
  const set = (field: keyof typeof form) => (event: { target: { value: string } }) => {
    setForm({ ...form, [field]: event.target.value });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setup.mutate({ ...form, token: typed.trim() }, { onSuccess: () => void navigate("/", { replace: true }) });
  };

  if (needed.data?.needed === false && !setup.isSuccess) return <Navigate to="/" replace />;
  return (
    <Entrance title="Set up Hydron" lead="You are the first here. This makes you the owner of this installation.">
      <form onSubmit={submit} className="space-y-4">
        {!hasLink && (
          <Field
            label="Set-up token"
            hint="Printed by the coordinator at its first start, after “#token=” in the link."
            error={fieldError(setup.error, "token")}
          >
            <Input required value={typed} onChange={(event) => { setTyped(event.target.value); }} autoComplete="off" spellCheck={false} className="font-mono" />
          </Field>
        )}
        <Field label="Your name" error={fieldError(setup.error, "name")}>
          <Input required name="name" autoComplete="name" value={form.name} onChange={set("name")} autoFocus={hasLink} />
        </Field>
        <Field label="Email" error={fieldError(setup.error, "email")}>
          <Input required name="email" type="email" autoComplete="username" value={form.email} onChange={set("email")} />
        </Field>
        <Field label="Password" hint={`At least ${String(PASSWORD_LENGTH)} characters. A sentence is good.`} error={fieldError(setup.error, "password")}>
          <Input required name="password" type="password" minLength={PASSWORD_LENGTH} autoComplete="new-password" value={form.password} onChange={set("password")} />
        </Field>
        <Field label="Team" hint="Projects and servers belong to a team. You can rename it later." error={fieldError(setup.error, "team_name")}>
          <Input required name="team_name" autoComplete="organization" value={form.team_name} onChange={set("team_name")} />
        </Field>
        {setup.isError && !isFieldError(setup.error, hasLink ? ["name", "email", "password", "team_name"] : ["token", "name", "email", "password", "team_name"]) && (
          <ProblemNote error={setup.error} />
        )}
        <Button type="submit" look="primary" busy={setup.isPending} className="w-full">
          Create the owner account
        </Button>
      </form>
    </Entrance>
  );
}
