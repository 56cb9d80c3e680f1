// Owns a project as a card: what state it is in, where it is live, what happened last.
import { Globe, Server } from "lucide-react";
import { Link } from "react-router";
import type { Project } from "../api/types";
import { host, plural } from "../format/format";
import { PROJECT, runLook, StatusBadge, StatusIcon } from "../ui/status";
import { Ago } from "../ui/time";
import { Star } from "./star";
import { SiteLink } from "../ui/site-link";

export function ProjectCard({ project }: { project: Project }) {
  return (
    <li className="group relative flex h-36 min-w-0 flex-col rounded-lg border border-line bg-surface p-4 shadow-1 transition-colors focus-within:border-accent-line hover:border-line-strong">
      <div className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 text-base leading-5.5 font-semibold">
          <Link to={`/projects/${project.id}`} title={project.name} className="block truncate after:absolute after:inset-0 after:rounded-lg">
            {project.name}
          </Link>
        </h2>
        <Star project={project} />
      </div>
      <div className="mt-1 flex h-5 items-center gap-1.5 text-sm text-ink-2">
        {project.url === null ? (
          <span className="text-ink-3">{project.service_count > 0 ? plural(project.service_count, "service") : "Nothing deployed yet"}</span>
        ) : (
          <SiteLink url={project.url} className="relative z-1 flex min-w-0 items-center gap-1.5 text-accent hover:underline">
            <Globe className="size-3.5 shrink-0" aria-hidden />
            <span className="truncate">{host(project.url)}</span>
          </SiteLink>
        )}
      </div>
      <div className="mt-auto flex items-center gap-2 text-xs text-ink-3">
        <StatusBadge look={PROJECT[project.status]} />
        {project.server && (
          <span className="flex min-w-0 items-center gap-1" title={`Server ${project.server.name}`}>
            <Server className="size-3 shrink-0" aria-hidden />
            <span className="truncate">{project.server.name}</span>
          </span>
        )}
        <span className="ml-auto flex shrink-0 items-center gap-1" title={project.last_run?.title}>
          {project.last_run && <StatusIcon look={runLook(project.last_run.state)} className="size-3.5" />}
          <Ago at={project.updated_at} />
        </span>
      </div>
    </li>
  );
}
