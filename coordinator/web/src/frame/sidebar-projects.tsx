// Owns the projects in the sidebar, favourites first, and the recent chats of the one that is open.
import { clsx } from "clsx";
import { MessageSquare, Star } from "lucide-react";
import { NavLink, useLocation } from "react-router";
import { useChats } from "../api/chats";
import { useProjects } from "../api/projects";
import type { Project } from "../api/types";
import { useFavourites } from "../projects/favourites";
import { PROJECT, StatusIcon } from "../ui/status";

const RECENT = 12;

export function SidebarProjects() {
  const { data } = useProjects();
  const { favourites } = useFavourites();
  const { pathname } = useLocation();
  const open = /^\/projects\/([^/]+)/.exec(pathname)?.[1];
  if (!data || data.length === 0) return null;
  const byActivity = data.toSorted((a, b) => b.updated_at - a.updated_at);
  const starred = byActivity.filter((project) => favourites.has(project.id));
  const rest = byActivity.filter((project) => !favourites.has(project.id)).slice(0, RECENT);
  return (
    <>
      {starred.length > 0 && <Group title="Favourites" projects={starred} open={open} starred />}
      {rest.length > 0 && <Group title="Projects" projects={rest} open={open} />}
    </>
  );
}

function Group({ title, projects, open, starred = false }: { title: string; projects: Project[]; open: string | undefined; starred?: boolean }) {
  return (
    <section className="mb-4">
      <h2 className="mb-1 flex items-center gap-1 px-2 text-xs font-medium text-ink-3">
        {starred && <Star className="size-3" aria-hidden />}
        {title}
      </h2>
      <ul className="space-y-0.5">
        {projects.map((project) => (
          <li key={project.id}>
            <NavLink
              to={`/projects/${project.id}`}
              className={clsx(
                "flex h-8 items-center gap-2 rounded-md px-2 text-sm",
                project.id === open ? "bg-hover font-medium text-ink" : "text-ink-2 hover:bg-hover hover:text-ink",
              )}
            >
              <StatusIcon look={PROJECT[project.status]} className="size-3.5" />
              <span className="min-w-0 flex-1 truncate" title={project.name}>{project.name}</span>
              <span className="sr-only">, {PROJECT[project.status].word}</span>
            </NavLink>
            {project.id === open && <RecentChats project={project.id} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function RecentChats({ project }: { project: string }) {
  const { data = [] } = useChats(project);
  const { search } = useLocation();
  const current = new URLSearchParams(search).get("chat") ?? data[0]?.id;
  if (data.length === 0) return null;
  return (
    <ul aria-label="Recent chats" className="mt-0.5 ml-3.5 space-y-0.5 border-l border-line pl-2">
      {data.slice(0, 5).map((chat) => (
        <li key={chat.id}>
          <NavLink
            to={`/projects/${project}?chat=${chat.id}`}
            className={clsx(
              "flex h-7 items-center gap-2 rounded-md px-1.5 text-xs hover:bg-hover hover:text-ink",
              chat.id === current ? "font-medium text-ink" : "text-ink-3",
            )}
          >
            <MessageSquare className="size-3.5 shrink-0" aria-hidden />
            <span className="truncate" title={chat.title}>{chat.title || "Chat"}</span>
          </NavLink>
        </li>
      ))}
    </ul>
  );
}
