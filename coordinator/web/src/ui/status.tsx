// Owns how every state of the product looks: word, tone and icon, in one table each.
import { clsx } from "clsx";
import {
  Ban,
  Circle,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleHelp,
  CirclePause,
  CircleSlash,
  CircleX,
  LoaderCircle,
  type LucideIcon,
  OctagonX,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import type {
  AnalysisState,
  PlanState,
  ProjectStatus,
  ReleaseState,
  RunState,
  ServerState,
  Service,
  StepState,
} from "../api/types";
import { SOFT, TEXT, type Tone } from "./tone";

export interface Look {
  word: string;
  tone: Tone;
  icon: LucideIcon;
  moving?: boolean;
}

const look = (word: string, tone: Tone, icon: LucideIcon, moving = false): Look => ({ word, tone, icon, moving });

export const STEP: Record<StepState, Look> = {
  pending: look("Pending", "idle", Circle),
  running: look("Running", "run", LoaderCircle, true),
  completed: look("Completed", "ok", CircleCheck),
  failed: look("Failed", "bad", CircleX),
  skipped: look("Skipped", "idle", CircleSlash),
  unknown: look("Unknown", "warn", CircleHelp),
};
const RUN: Partial<Record<RunState, Look>> = {
  started: look("Started", "run", CircleDot),
  in_progress: look("In progress", "run", LoaderCircle, true),
  paused: look("Paused", "warn", CirclePause),
  completed: look("Completed", "ok", CircleCheck),
  failed: look("Failed", "bad", CircleX),
  stopped: look("Stopped", "idle", OctagonX),
};
export const PROJECT: Record<ProjectStatus, Look> = {
  empty: look("No code yet", "idle", CircleDashed),
  analyzing: look("Analysing", "run", LoaderCircle, true),
  planned: look("Planned", "accent", CircleDot),
  deploying: look("Deploying", "run", LoaderCircle, true),
  live: look("Live", "ok", CircleCheck),
  failed: look("Failed", "bad", CircleX),
  degraded: look("Degraded", "warn", TriangleAlert),
};
export const ANALYSIS: Record<AnalysisState, Look> = {
  queued: look("Queued", "idle", Circle),
  cloning: look("Cloning", "run", LoaderCircle, true),
  reading: look("Reading", "run", LoaderCircle, true),
  detecting: look("Detecting", "run", LoaderCircle, true),
  done: look("Done", "ok", CircleCheck),
  failed: look("Failed", "bad", CircleX),
};
export const PLAN: Record<PlanState, Look> = {
  draft: look("Draft", "idle", CircleDashed),
  ready: look("Ready to review", "accent", CircleDot),
  approved: look("Approved", "ok", CircleCheck),
  executing: look("Executing", "run", LoaderCircle, true),
  completed: look("Completed", "ok", CircleCheck),
  stale: look("Stale", "warn", TriangleAlert),
};
export const SERVICE: Record<Service["state"], Look> = {
  pending: look("Needs review", "accent", CircleDot),
  accepted: look("Accepted", "ok", CircleCheck),
  rejected: look("Rejected", "idle", Ban),
};
export const SERVER: Record<ServerState, Look> = {
  available: look("Available", "ok", CircleCheck),
  provisioning: look("Provisioning", "run", LoaderCircle, true),
  running: look("Running", "ok", CircleCheck),
  stopped: look("Stopped", "idle", OctagonX),
  error: look("Error", "bad", CircleAlert),
};
export const RELEASE: Record<ReleaseState, Look> = {
  building: look("Building", "run", LoaderCircle, true),
  starting: look("Starting", "run", LoaderCircle, true),
  healthy: look("Healthy", "run", CircleDot),
  live: look("Live", "ok", CircleCheck),
  retired: look("Retired", "idle", Circle),
  failed: look("Failed", "bad", CircleX),
};

/** The API names a run's state by a word; one that is not known here is shown as unknown. */
export function runLook(state: string): Look {
  return RUN[state as RunState] ?? UNKNOWN;
}

/** What a server is doing can only be said of one that is connected. */
export function serverLook(server: { state: ServerState; online: boolean; enrolled_at: number | null }): Look {
  if (server.online) return SERVER[server.state];
  return server.enrolled_at === null ? NOT_JOINED : OFFLINE;
}

const NOT_JOINED: Look = look("Not joined", "idle", CircleDashed);
const OFFLINE: Look = look("Offline", "warn", Unplug);
const UNKNOWN: Look = look("Unknown", "warn", CircleHelp);

export function StatusIcon({ look: given, className }: { look: Look | undefined; className?: string }) {
  const { icon: Icon, tone, moving } = given ?? UNKNOWN;
  return <Icon aria-hidden className={clsx("shrink-0", TEXT[tone], moving === true && "animate-spin", className ?? "size-4")} />;
}

export function StatusBadge({ look: given, label }: { look: Look | undefined; label?: string }) {
  const shown = given ?? UNKNOWN;
  return (
    <span
      className={clsx(
        "inline-flex h-5.5 shrink-0 items-center gap-1 rounded-full pr-2 pl-1.5 text-xs font-medium whitespace-nowrap",
        SOFT[shown.tone],
      )}
    >
      <StatusIcon look={shown} className="size-3.5" />
      {label ?? shown.word}
    </span>
  );
}
