// Owns which cached answers an event makes old. It goes by the ids that the event names, so that a new kind of event
// never needs a change here.
import { keys } from "../api/keys";

export interface TeamEvent {
  seq: number;
  kind: string;
  project_id: string | null;
  subject: string | null;
  data?: unknown;
}

type Key = readonly unknown[];

export function affected(event: TeamEvent): Key[] {
  const found: Key[] = [];
  if (event.project_id) found.push(keys.project(event.project_id), keys.projects);
  const subject = event.subject ?? "";
  found.push(...bySubject(subject, event.project_id ?? ""));
  return found;
}

function bySubject(id: string, project: string): Key[] {
  switch (id.slice(0, id.indexOf("_"))) {
    case "prj":
      return [keys.project(id), keys.projects];
    case "anl":
      return [keys.analysis(id), keys.analyses(project), keys.services(project)];
    case "svc":
      return [keys.services(project), keys.plans(project)];
    case "ipl":
    case "ppl":
    case "apr":
      return [keys.plans(project), ["provisioning"], keys.approvals];
    case "run":
      return [keys.run(id), keys.runs(project), keys.plans(project)];
    case "rel":
      return [["releases"], keys.services(project), keys.project(project)];
    case "srv":
      return [keys.server(id), keys.servers];
    case "cht":
      return [keys.chats(project)];
    case "tok":
      return [keys.tokens];
    default:
      return project === "" ? [] : [keys.services(project), keys.plans(project), keys.runs(project)];
  }
}

export function parseTeamEvent(data: string): TeamEvent | null {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== "object" || value === null) return null;
    const { seq, kind, project_id, subject } = value as Record<string, unknown>;
    const text = (field: unknown) => (typeof field === "string" ? field : null);
    return { seq: Number(seq), kind: text(kind) ?? "", project_id: text(project_id), subject: idOf(subject) };
  } catch {
    return null;
  }
}

/** The subject is an id, or an object that has one. */
function idOf(subject: unknown): string | null {
  if (typeof subject === "string") return subject;
  if (typeof subject !== "object" || subject === null) return null;
  const { id } = subject as { id?: unknown };
  return typeof id === "string" ? id : null;
}
