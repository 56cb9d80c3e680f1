// Owns one project's place: the chat in the middle, a panel on the right, both with addresses; one at a time when narrow.
import { clsx } from "clsx";
import { Suspense, useRef } from "react";
import { Navigate, useParams } from "react-router";
import { asProblem } from "../api/problem";
import { useProject } from "../api/projects";
import { Chat } from "../chat/chat";
import NotFound from "../frame/not-found";
import { useTitle } from "../frame/page";
import { Infrastructure, Runs, Services } from "../pages";
import { ProblemNote } from "../ui/problem-note";
import { Moving } from "../ui/progress";
import { SkeletonList } from "../ui/skeleton";
import { PanelTabs } from "./panel-tabs";
import { ProjectHeader } from "./project-header";
import { type PanelName, PANELS } from "./places";
import { Splitter } from "./splitter";
import { usePanelSize } from "./panel-size";

export default function ProjectPage() {
  const { projectId = "", panel, itemId } = useParams();
  const project = useProject(projectId);
  const frame = useRef<HTMLElement>(null);
  const size = usePanelSize(frame);
  useTitle(project.data?.name ?? "Project");

  if (project.isError && asProblem(project.error).status === 404) return <NotFound />;
  if (panel !== undefined && !PANELS.includes(panel as PanelName)) return <Navigate to={`/projects/${projectId}`} replace />;
  const name = panel as PanelName | undefined;
  return (
    <div className="flex min-w-0 flex-1 flex-col">
      <ProjectHeader id={projectId} project={project.data} panel={name} />
      {project.isError && <ProblemNote error={project.error} onRetry={() => void project.refetch()} className="m-4" />}
      {project.isPending && <Moving label="Loading the project" />}
      <main className="flex min-h-0 flex-1" ref={frame}>
        <section aria-label="Chat" className={clsx("min-w-0 flex-1 flex-col md:flex", name === undefined ? "flex" : "hidden", size.wide && "md:hidden")}>
          <Chat key={projectId} project={projectId} />
        </section>
        <section
          aria-label="Details"
          className={clsx("relative min-w-0 flex-col border-line bg-surface md:flex md:border-l", name === undefined ? "hidden" : "flex flex-1", size.wide ? "md:flex-1" : "md:flex-none")}
          style={size.style}
        >
          {!size.wide && <Splitter size={size} frame={frame} />}
          <PanelTabs project={projectId} panel={name ?? "services"} wide={size.wide} onWide={size.setWide} />
          <div className="min-h-0 flex-1 overflow-hidden">
            <Suspense fallback={<SkeletonList rows={4} className="mx-4 h-24" label="Loading" />}>
              <Panel name={name ?? "services"} project={projectId} item={itemId} />
            </Suspense>
          </div>
        </section>
      </main>
    </div>
  );
}

function Panel({ name, project, item }: { name: PanelName; project: string; item: string | undefined }) {
  switch (name) {
    case "services":
      return <Services project={project} service={item} />;
    case "infrastructure":
      return <Infrastructure project={project} plan={item} />;
    case "runs":
      return <Runs project={project} run={item} />;
  }
}
