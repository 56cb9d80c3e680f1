// Owns a project as a line, for teams that have many.
import { Link } from "react-router";
import type { Project } from "../api/types";
import { host, plural } from "../format/format";
import { PROJECT, StatusBadge } from "../ui/status";
import { Ago } from "../ui/time";
import { Star } from "./star";

export function ProjectRow({ project }: { project: Project }) {
  return (
    <li className="group relative flex h-12 items-center gap-3 px-3 hover:bg-hover">
      <Star project={project} />
      <h2 className="min-w-0 flex-1 text-sm font-medium">
        <Link to={`/projects/${project.id}`} title={project.name} className="block truncate after:absolute after:inset-0">
          {project.name}
        </Link>
      </h2>
      <span className="hidden w-56 truncate text-sm text-ink-2 lg:block">
        {project.url === null ? (project.service_count > 0 ? plural(project.service_count, "service") : "") : host(project.url)}
      </span>
      <span className="w-32 max-sm:w-auto">
        <StatusBadge look={PROJECT[project.status]} />
      </span>
      <span className="w-20 text-right text-xs text-ink-3 max-sm:hidden">
        <Ago at={project.updated_at} />
      </span>
    </li>
  );
}
