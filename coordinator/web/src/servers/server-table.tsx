// Owns servers as lines: dense enough for many.
import { Link } from "react-router";
import { useProjects } from "../api/projects";
import type { Server } from "../api/types";
import { list } from "../format/format";
import { serverLook, StatusBadge } from "../ui/status";
import { Ago } from "../ui/time";
import { OnlineMark } from "./online-mark";
import { factLine } from "./facts";

export function ServerTable({ servers }: { servers: Server[] }) {
  const { data: projects = [] } = useProjects();
  const names = new Map(projects.map((project) => [project.id, project.name]));
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface shadow-1">
      <table className="w-full table-fixed text-left text-sm">
        <thead className="border-b border-line bg-sunken text-xs text-ink-3">
          <tr>
            <th scope="col" className="px-4 py-2 font-medium">Server</th>
            <th scope="col" className="w-36 px-2 py-2 font-medium">State</th>
            <th scope="col" className="px-2 py-2 font-medium max-lg:hidden">Projects</th>
            <th scope="col" className="w-24 px-2 py-2 font-medium max-lg:hidden">Agent</th>
            <th scope="col" className="w-28 px-4 py-2 text-right font-medium max-sm:hidden">Last seen</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {servers.map((server) => {
            const linked = server.projects.map((id) => names.get(id) ?? "another project");
            return (
              <tr key={server.id} className="relative hover:bg-hover">
                <th scope="row" className="px-4 py-2 font-normal">
                  <Link to={`/servers/${server.id}`} title={server.name} className="block truncate font-medium after:absolute after:inset-0">{server.name}</Link>
                  <span className="block truncate text-xs text-ink-3">{factLine(server)}</span>
                </th>
                <td className="px-2 py-2"><StatusBadge look={serverLook(server)} /></td>
                <td className="truncate px-2 py-2 text-ink-2 max-lg:hidden" title={list(linked)}>{linked.length === 0 ? <span className="text-ink-3">none</span> : list(linked)}</td>
                <td className="truncate px-2 py-2 font-mono text-xs text-ink-2 max-lg:hidden">{server.agent_version ?? "–"}</td>
                <td className="px-4 py-2 text-right text-xs max-sm:hidden">
                  {server.online ? <OnlineMark server={server} /> : server.last_seen_at === null ? <span className="text-ink-3">never</span> : <span className="text-ink-3"><Ago at={server.last_seen_at} /></span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
