// Owns who may see what lies behind: a new installation goes to set-up, a stranger to sign-in.
import { Navigate, Outlet, useLocation } from "react-router";
import { useMe, useSetupNeeded } from "../api/account";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../ui/problem-note";
import { Waiting } from "./waiting";

export function Gate() {
  const me = useMe();
  const setup = useSetupNeeded();
  const location = useLocation();

  if (me.data) return <Outlet />;
  if (me.isPending || (me.isError && setup.isPending)) return <Waiting />;
  if (setup.data?.needed === true) return <Navigate to="/setup" replace />;
  if (asProblem(me.error).status === 401) {
    return <Navigate to="/signin" replace state={{ from: location.pathname + location.search + location.hash }} />;
  }
  return (
    <main className="mx-auto flex h-full max-w-lg items-center p-6">
      <h1 className="sr-only">Hydron</h1>
      <ProblemNote error={me.error} onRetry={() => void me.refetch()} className="w-full" />
    </main>
  );
}
