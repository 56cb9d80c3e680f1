// Owns the tabs of the right panel. They are links: each is a place that can be sent to a colleague.
import { clsx } from "clsx";
import { Boxes, type LucideIcon, Maximize2, Minimize2, Play, ServerCog } from "lucide-react";
import { Link } from "react-router";
import { useRuns, isActive } from "../api/runs";
import { useServices } from "../api/services";
import { usePlans } from "../api/plans";
import { IconButton } from "../ui/button";
import { FILL, type Tone } from "../ui/tone";
import { type PanelName, usePlaces } from "./places";

interface PanelTabsProps {
  project: string;
  panel: PanelName;
  wide: boolean;
  onWide: (wide: boolean) => void;
}

export function PanelTabs({ project, panel, wide, onWide }: PanelTabsProps) {
  const { data: services = [] } = useServices(project);
  const { data: plans = [] } = usePlans(project);
  const { data: runs = [] } = useRuns(project);
  const pending = services.filter((service) => service.state === "pending" || (service.state === "accepted" && service.missing.length > 0));
  const plan = plans[0];
  const run = runs[0];
  return (
    <nav aria-label="Project details" className="flex h-11 shrink-0 items-stretch border-b border-line px-2 max-md:hidden">
      <Tab to="services" current={panel} icon={Boxes} project={project} note={pending.length > 0 ? ["accent", `${String(pending.length)} to review`] : undefined}>
        Services
      </Tab>
      <Tab
        to="infrastructure"
        current={panel}
        icon={ServerCog}
        project={project}
        note={plan?.state === "ready" ? ["accent", "a plan to review"] : plan?.state === "stale" ? ["warn", "the plan is stale"] : undefined}
      >
        Infrastructure
      </Tab>
      <Tab
        to="runs"
        current={panel}
        icon={Play}
        project={project}
        note={isActive(run) ? ["run", "a run is active"] : run?.state === "failed" ? ["bad", "the last run failed"] : undefined}
      >
        Runs
      </Tab>
      <span className="ml-auto self-center">
        <IconButton icon={wide ? Minimize2 : Maximize2} label={wide ? "Show the chat again" : "Use the whole width"} onClick={() => { onWide(!wide); }} />
      </span>
    </nav>
  );
}

interface TabProps {
  to: PanelName;
  current: PanelName;
  icon: LucideIcon;
  project: string;
  note: [Tone, string] | undefined;
  children: string;
}

function Tab({ to, current, icon: Icon, project, note, children }: TabProps) {
  const place = usePlaces(project);
  const active = to === current;
  return (
    <Link
      to={place({ panel: to })}
      aria-current={active ? "page" : undefined}
      className={clsx(
        "-mb-px flex items-center gap-1.5 border-b-2 px-2.5 text-sm font-medium",
        active ? "border-accent text-ink" : "border-transparent text-ink-2 hover:text-ink",
      )}
    >
      <Icon className="size-4" aria-hidden />
      {children}
      {note && (
        <>
          <span className={clsx("size-1.5 rounded-full", FILL[note[0]])} aria-hidden />
          <span className="sr-only">, {note[1]}</span>
        </>
      )}
    </Link>
  );
}
