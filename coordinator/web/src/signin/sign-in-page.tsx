// Owns signing in, and going back to where the person wanted to be.
import { type FormEvent, useState } from "react";
import { Navigate, useLocation, useNavigate } from "react-router";
import { useEnded, useLogin, useMe, useSetupNeeded } from "../api/account";
import { Entrance } from "../frame/entrance";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";

export default function SignInPage() {
  const navigate = useNavigate();
  const state: unknown = useLocation().state;
  const me = useMe();
  const setup = useSetupNeeded();
  const login = useLogin();
  const ended = useEnded();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const target = wanted(state);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate({ email, password }, { onSuccess: () => void navigate(target, { replace: true }) });
  };

  if (setup.data?.needed === true) return <Navigate to="/setup" replace />;
  if (me.data) return <Navigate to={target} replace />;
  return (
    <Entrance title="Sign in to Hydron" lead={ended ? "Your session has ended. Sign in to go on where you were." : "Repositories in, live apps out, on your own servers."}>
      <form onSubmit={submit} className="space-y-4">
        <Field label="Email">
          <Input required type="email" name="email" autoComplete="username" value={email} onChange={(event) => { setEmail(event.target.value); }} autoFocus />
        </Field>
        <Field label="Password">
          <Input required type="password" name="password" autoComplete="current-password" value={password} onChange={(event) => { setPassword(event.target.value); }} />
        </Field>
        {login.isError && <ProblemNote error={login.error} />}
        <Button type="submit" look="primary" busy={login.isPending} className="w-full">
          Sign in
        </Button>
      </form>
    </Entrance>
  );
}

/** Only paths of this site: an address from elsewhere is never followed. */
function wanted(state: unknown): string {
  const from = (state as { from?: unknown } | null)?.from;
  return typeof from === "string" && /^\/(?![/\\])/.test(from) ? from : "/";
}
