// Owns the home screen: all projects of the team, found, sorted and filtered in place.
import { FolderPlus, LayoutGrid, List, Search } from "lucide-react";
import { useSearchParams } from "react-router";
import { useProjects } from "../api/projects";
import { Page } from "../frame/page";
import { Button, IconButton } from "../ui/button";
import { Empty } from "../ui/empty";
import { Input, Select } from "../ui/field";
import { ProblemNote } from "../ui/problem-note";
import { Skeleton } from "../ui/skeleton";
import { PROJECT } from "../ui/status";
import { useFavourites } from "./favourites";
import { arrange, type Order, useView } from "./arrange";
import { FirstProject } from "./first-project";
import { NewProject } from "./new-project";
import { ProjectCard } from "./project-card";
import { ProjectRow } from "./project-row";

export default function ProjectsPage() {
  const projects = useProjects();
  const [params, setParams] = useSearchParams();
  const [view, setView] = useView();
  const { favourites } = useFavourites();
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setParams(next, { replace: true });
  };
  const creating = params.has("new");
  const setCreating = (open: boolean) => {
    const next = new URLSearchParams(params);
    if (open) next.set("new", "");
    else next.delete("new");
    setParams(next);
  };
  const all = projects.data ?? [];
  const text = params.get("q") ?? "";
  const state = params.get("state") ?? "";
  const order = (params.get("sort") ?? "activity") as Order;
  const shown = arrange(all, { text, state, order, favourites });

  return (
    <Page
      title="Projects"
      actions={
        all.length > 0 && (
          <Button look="primary" icon={FolderPlus} onClick={() => { setCreating(true); }}>
            New project
          </Button>
        )
      }
    >
      {projects.isPending && <Loading />}
      {projects.isError && <ProblemNote error={projects.error} onRetry={() => void projects.refetch()} />}
      {projects.data?.length === 0 && <FirstProject onCreate={() => { setCreating(true); }} />}
      {all.length > 0 && (
        <>
          <div className="mb-4 flex flex-wrap items-center gap-2">
            <div className="relative min-w-40 flex-1">
              <Search className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-ink-3" aria-hidden />
              <Input data-search aria-label="Search projects" placeholder="Search projects" value={text} onChange={(event) => { set("q", event.target.value); }} className="pl-8" />
            </div>
            <Select aria-label="Filter by state" value={state} onChange={(event) => { set("state", event.target.value); }} className="w-auto!">
              <option value="">Any state</option>
              {Object.entries(PROJECT).map(([name, { word }]) => (
                <option key={name} value={name}>{word}</option>
              ))}
            </Select>
            <Select aria-label="Sort" value={order} onChange={(event) => { set("sort", event.target.value); }} className="w-auto!">
              <option value="activity">Last activity</option>
              <option value="name">Name</option>
              <option value="created">Newest first</option>
            </Select>
            <div className="flex" role="group" aria-label="View">
              <IconButton icon={LayoutGrid} label="Cards" pressed={view === "cards"} onClick={() => { setView("cards"); }} />
              <IconButton icon={List} label="List" pressed={view === "list"} onClick={() => { setView("list"); }} />
            </div>
          </div>
          {shown.length === 0 ? (
            <Empty icon={Search} title="No project matches" action={<Button onClick={() => { setParams({}, { replace: true }); }}>Show all</Button>}>
              <p>Nothing has that name in that state.</p>
            </Empty>
          ) : view === "cards" ? (
            <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {shown.map((project) => <ProjectCard key={project.id} project={project} />)}
            </ul>
          ) : (
            <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface shadow-1">
              {shown.map((project) => <ProjectRow key={project.id} project={project} />)}
            </ul>
          )}
        </>
      )}
      <NewProject open={creating} onOpenChange={setCreating} />
    </Page>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading projects">
      <Skeleton className="mb-4 h-8.5" />
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {Array.from({ length: 6 }, (_, card) => <Skeleton key={card} className="h-35 rounded-lg" />)}
      </div>
    </div>
  );
}
