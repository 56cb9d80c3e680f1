// Owns the inventory: every machine of the team, its state and whether it can be reached.
import { Plus, Search, Server as ServerIcon } from "lucide-react";
import { useSearchParams } from "react-router";
import { useServers } from "../api/servers";
import { Page } from "../frame/page";
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import { Input, Select } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { SkeletonList } from "../ui/skeleton";
import { SERVER } from "../ui/status";
import { plural } from "../format/format";
import { Adopt } from "./adopt";
import { ServerTable } from "./server-table";

export default function ServersPage() {
  const servers = useServers();
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string | null) => {
    const next = new URLSearchParams(params);
    if (value === null) next.delete(name);
    else next.set(name, value);
    setParams(next, { replace: true });
  };
  const text = (params.get("q") ?? "").toLowerCase();
  const state = params.get("state") ?? "";
  const all = servers.data ?? [];
  const shown = all
    .filter((server) => server.name.toLowerCase().includes(text) && (state === "" || server.state === state || (state === "offline" && !server.online)))
    .toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const online = all.filter((server) => server.online).length;
  return (
    <Page
      title="Servers"
      lead={all.length > 0 ? `${plural(all.length, "server")}, ${String(online)} online` : undefined}
      actions={all.length > 0 && <Button look="primary" icon={Plus} onClick={() => { set("adopt", ""); }}>Adopt a server</Button>}
    >
      {servers.isPending && <SkeletonList rows={6} className="h-12" label="Loading servers" />}
      {servers.isError && <ProblemNote error={servers.error} onRetry={() => void servers.refetch()} />}
      {servers.data?.length === 0 && (
        <Empty icon={ServerIcon} title="No servers yet" action={<Button look="primary" icon={Plus} onClick={() => { set("adopt", ""); }}>Adopt a server</Button>}>
          <p>Bring any Debian or Ubuntu machine you own. You run one command on it; it dials out to this coordinator, so no port has to be opened and no password is shared.</p>
        </Empty>
      )}
      {all.length > 0 && (
        <>
          <div className="mb-4 flex flex-wrap gap-2">
            <div className="relative min-w-40 flex-1">
              <Search className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-ink-3" aria-hidden />
              <Input data-search aria-label="Search servers" placeholder="Search servers" value={params.get("q") ?? ""} onChange={(event) => { set("q", event.target.value || null); }} className="pl-8" />
            </div>
            <Select aria-label="Filter by state" value={state} onChange={(event) => { set("state", event.target.value || null); }} className="w-auto!">
              <option value="">Any state</option>
              <option value="offline">Offline</option>
              {Object.entries(SERVER).map(([name, { word }]) => <option key={name} value={name}>{word}</option>)}
            </Select>
          </div>
          {shown.length === 0 ? <p className="py-10 text-center text-sm text-ink-2">No server matches.</p> : <ServerTable servers={shown} />}
        </>
      )}
      {params.has("adopt") && <Adopt onClose={() => { set("adopt", null); }} />}
    </Page>
  );
}
