// Owns the home screen before the first project: the way to a live app in three steps, and the button for the first.
import { CircleCheck, FolderPlus, GitBranch, Rocket, Server } from "lucide-react";
import type { ReactNode } from "react";
import { useServers } from "../api/servers";
import { Button, LinkButton } from "../ui/button";

export function FirstProject({ onCreate }: { onCreate: () => void }) {
  const { data: servers } = useServers();
  const hasServer = servers?.some((server) => server.online) ?? false;
  return (
    <section className="rounded-xl border border-line bg-surface p-6 shadow-1 md:p-10">
      <h2 className="text-lg font-semibold">From a repository to a live app</h2>
      <p className="mt-1 max-w-xl text-sm text-ink-2">
        Hydron reads your code, proposes a plan with every step that will touch a server, and runs it only after you approved it.
      </p>
      <ol className="mt-6 grid gap-4 md:grid-cols-3">
        <Step icon={hasServer ? CircleCheck : Server} done={hasServer} title="1. Bring a server">
          {hasServer ? "A server is connected and ready." : "Any Debian or Ubuntu machine. One command makes it join; it dials out, so no port has to be opened."}
        </Step>
        <Step icon={GitBranch} title="2. Name a repository">
          Create a project and paste a Git URL. Services, variables and Dockerfiles are found for you.
        </Step>
        <Step icon={Rocket} title="3. Approve the plan">
          You see every step, its risk and its downtime. Then watch it go live.
        </Step>
      </ol>
      <div className="mt-7 flex flex-wrap gap-2">
        <Button look="primary" icon={FolderPlus} onClick={onCreate}>
          New project
        </Button>
        {!hasServer && (
          <LinkButton to="/servers?adopt" icon={Server}>
            Adopt a server
          </LinkButton>
        )}
      </div>
    </section>
  );
}

function Step({ icon: Icon, title, done = false, children }: { icon: typeof Server; title: string; done?: boolean; children: ReactNode }) {
  return (
    <li className="rounded-lg border border-line bg-canvas p-4">
      <Icon className={done ? "size-5 text-ok" : "size-5 text-accent"} aria-hidden />
      <h3 className="mt-2 text-sm font-semibold">{title}</h3>
      <p className="mt-0.5 text-sm text-ink-2">{children}</p>
    </li>
  );
}
