// Owns one server: is it there, what is it, what runs on it, whose certificates it issues.
import { Download, Pencil, PlugZap, ShieldCheck, Unplug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useParams } from "react-router";
import { asProblem } from "../api/problem";
import { useProjects } from "../api/projects";
import { useServer } from "../api/servers";
import type { Server } from "../api/types";
import NotFound from "../frame/not-found";
import { Page } from "../frame/page";
import { Button, buttonClass } from "../ui/button";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { PROJECT, serverLook, StatusBadge } from "../ui/status";
import { Ago } from "../ui/time";
import { factRows } from "./facts";
import { OnlineMark } from "./online-mark";
import { RenameServer, RevokeServer } from "./server-dialogs";

export default function ServerPage() {
  const { serverId = "" } = useParams();
  const { data, error, refetch } = useServer(serverId);
  const [dialog, setDialog] = useState<"none" | "rename" | "revoke">("none");
  if (error && asProblem(error).status === 404) return <NotFound />;
  const close = () => { setDialog("none"); };
  return (
    <Page
      title={data?.name ?? "Server"}
      lead={<Link to="/servers" className="hover:text-ink hover:underline">All servers</Link>}
      actions={
        data && (
          <>
            <Button icon={Pencil} onClick={() => { setDialog("rename"); }}>Rename</Button>
            <Button icon={Unplug} look="danger" onClick={() => { setDialog("revoke"); }}>Revoke</Button>
          </>
        )
      }
    >
      {error && <ProblemNote error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="h-64" />}
      {data && <Shown server={data} />}
      {data && dialog === "rename" && <RenameServer server={data} onClose={close} />}
      {data && dialog === "revoke" && <RevokeServer server={data} onClose={close} />}
    </Page>
  );
}

function Shown({ server }: { server: Server }) {
  const { data: projects = [] } = useProjects();
  const linked = projects.filter((project) => server.projects.includes(project.id));
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Box title="State">
        <dl className="grid grid-cols-[8rem_1fr] gap-y-2 text-sm">
          <Row name="State"><StatusBadge look={serverLook(server)} /></Row>
          <Row name="Agent"><OnlineMark server={server} /> {server.agent_version && <code className="ml-1 text-xs text-ink-2">{server.agent_version}</code>}</Row>
          <Row name="Last seen">{server.last_seen_at === null ? "never" : <Ago at={server.last_seen_at} />}</Row>
          <Row name="Joined">{server.enrolled_at === null ? "not yet" : <Ago at={server.enrolled_at} />}</Row>
        </dl>
        {!server.online && server.enrolled_at !== null && (
          <p className="mt-3 flex gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
            <PlugZap className="mt-0.5 size-4 shrink-0" aria-hidden />
            It keeps running what is live and comes back by itself. On the machine, “hydron-agent status” says why it is away.
          </p>
        )}
      </Box>
      <Box title="Projects">
        {linked.length === 0 ? (
          <p className="text-sm text-ink-2">Nothing runs here yet. Choose it when you make a plan.</p>
        ) : (
          <ul className="space-y-1.5">
            {linked.map((project) => (
              <li key={project.id} className="flex items-center gap-2 text-sm">
                <Link to={`/projects/${project.id}`} className="min-w-0 flex-1 truncate font-medium hover:text-accent hover:underline">{project.name}</Link>
                <StatusBadge look={PROJECT[project.status]} />
              </li>
            ))}
          </ul>
        )}
      </Box>
      <Box title="Machine">
        {factRows(server).length === 0 ? (
          <p className="text-sm text-ink-2">Known once its agent has joined.</p>
        ) : (
          <dl className="grid grid-cols-[8rem_1fr] gap-y-2 text-sm">
            {factRows(server).map(([name, value]) => <Row key={name} name={name}>{value}</Row>)}
          </dl>
        )}
      </Box>
      <Box title="Certificates">
        <p className="text-sm text-ink-2">
          Sites under a local name are served with certificates of this server’s own authority. Trust its root in your browser or give it to curl with --cacert.
        </p>
        {server.site_ca_pem ? (
          <button type="button" onClick={() => { save(server); }} className={buttonClass("secondary", "md", "mt-3 hover:bg-hover")}>
            <Download className="size-3.5" aria-hidden /> Download the root certificate
          </button>
        ) : (
          <p className="mt-3 flex items-center gap-1.5 text-sm text-ink-3"><ShieldCheck className="size-4" aria-hidden /> Made with the first deployment.</p>
        )}
      </Box>
    </div>
  );
}

function save(server: Server): void {
  const url = URL.createObjectURL(new Blob([server.site_ca_pem ?? ""], { type: "application/x-pem-file" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${server.name.replace(/[^\w.-]+/g, "-")}-ca.pem`;
  link.click();
  URL.revokeObjectURL(url);
}

function Box({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-surface p-4 shadow-1">
      <h2 className="mb-3 text-sm font-semibold">{title}</h2>
      {children}
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
