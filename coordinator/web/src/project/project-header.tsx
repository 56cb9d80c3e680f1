// Owns the line above a project: its name, state, live address, and on narrow screens the way between its views.
import { clsx } from "clsx";
import { ExternalLink, MessageSquarePlus, MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useCreateChat } from "../api/chats";
import type { Project } from "../api/types";
import { MenuToggle } from "../frame/sidebar-state";
import { host } from "../format/format";
import { buttonClass, IconButton } from "../ui/button";
import { Menu, MenuItem, MenuLine } from "../ui/menu";
import { SiteLink } from "../ui/site-link";
import { Skeleton } from "../ui/skeleton";
import { PROJECT, StatusBadge } from "../ui/status";
import { sayProblem } from "../ui/toast";
import { DeleteProject } from "./delete-project";
import { RenameProject } from "./rename-project";
import { type PanelName, usePlaces } from "./places";

interface ProjectHeaderProps {
  id: string;
  project: Project | undefined;
  panel: PanelName | undefined;
}

export function ProjectHeader({ id, project, panel }: ProjectHeaderProps) {
  const [dialog, setDialog] = useState<"none" | "rename" | "delete">("none");
  const navigate = useNavigate();
  const createChat = useCreateChat(id);
  const close = () => { setDialog("none"); };
  const startChat = () => {
    createChat.mutate(undefined, { onSuccess: (chat) => void navigate(`/projects/${id}?chat=${chat.id}`), onError: sayProblem });
  };
  return (
    <header className="shrink-0 border-b border-line bg-surface">
      <div className="flex h-13 items-center gap-2.5 px-4">
        <MenuToggle />
        <nav aria-label="Breadcrumb" className="min-w-0">
          <h1 className="flex min-w-0 items-center gap-1.5 text-base font-semibold">
            <Link to="/" className="font-normal text-ink-3 hover:text-ink max-sm:hidden">Projects</Link>
            <span className="font-normal text-ink-3 max-sm:hidden" aria-hidden>/</span>
            {project ? <span className="truncate" title={project.name}>{project.name}</span> : <Skeleton className="h-5 w-40" />}
          </h1>
        </nav>
        {project && <StatusBadge look={PROJECT[project.status]} />}
        <div className="ml-auto flex shrink-0 items-center gap-1.5">
          {project?.url && (
            <SiteLink url={project.url} className={buttonClass("secondary", "sm", "min-w-0 max-w-60 hover:bg-hover")} title={project.url}>
              <ExternalLink className="size-3.5 shrink-0" aria-hidden />
              <span className="truncate max-sm:sr-only">{host(project.url)}</span>
            </SiteLink>
          )}
          <IconButton icon={MessageSquarePlus} label="New chat" onClick={startChat} disabled={createChat.isPending} />
          <Menu trigger={<IconButton icon={MoreHorizontal} label="Project menu" />}>
            <MenuItem icon={Pencil} onSelect={() => { setDialog("rename"); }}>Rename</MenuItem>
            <MenuLine />
            <MenuItem icon={Trash2} danger onSelect={() => { setDialog("delete"); }}>Delete project</MenuItem>
          </Menu>
        </div>
      </div>
      <Views id={id} panel={panel} />
      {project && dialog === "rename" && <RenameProject project={project} onClose={close} />}
      {project && dialog === "delete" && <DeleteProject project={project} onClose={close} />}
    </header>
  );
}

const VIEWS: [PanelName | undefined, string][] = [
  [undefined, "Chat"],
  ["services", "Services"],
  ["infrastructure", "Infrastructure"],
  ["runs", "Runs"],
];

function Views({ id, panel }: { id: string; panel: PanelName | undefined }) {
  const place = usePlaces(id);
  return (
    <nav aria-label="Project views" className="flex overflow-x-auto px-2 md:hidden">
      {VIEWS.map(([name, label]) => (
        <Link
          key={label}
          to={place(name === undefined ? {} : { panel: name })}
          aria-current={name === panel ? "page" : undefined}
          className={clsx(
            "flex h-10 flex-1 items-center justify-center border-b-2 px-2 text-sm font-medium",
            name === panel ? "border-accent text-ink" : "border-transparent text-ink-2",
          )}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
