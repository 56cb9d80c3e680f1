// Owns the names by which the UI speaks of what the API returns.

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export type Role = "owner" | "admin" | "developer" | "viewer";
export interface TeamRef {
  id: string;
  name: string;
  role: Role;
}
export interface Me {
  user: { id: string; email: string; name: string };
  team: TeamRef;
  teams: TeamRef[];
}
export interface Member {
  user_id: string;
  email: string;
  name: string;
  role: Role;
}
export interface ApiToken {
  id: string;
  name: string;
  prefix: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  token?: string | null;
}
export interface AuditEntry {
  id: string;
  at: number;
  actor: { kind: string; id?: string | null; name: string };
  action: string;
  subject: string;
  detail: unknown;
}

export type ProjectStatus = "empty" | "analyzing" | "planned" | "deploying" | "live" | "failed" | "degraded";
export type RunState = "started" | "in_progress" | "paused" | "completed" | "failed" | "stopped";
export interface RunSummary {
  id: string;
  title: string;
  state: RunState;
  started_at: number;
  finished_at: number | null;
}
export interface Project {
  id: string;
  name: string;
  slug: string;
  type: string;
  status: ProjectStatus;
  url: string | null;
  created_at: number;
  updated_at: number;
  last_run: RunSummary | null;
  service_count: number;
  server: { id: string; name: string; state: ServerState } | null;
}

export type AnalysisState = "queued" | "cloning" | "reading" | "detecting" | "done" | "failed";
export interface AnalysisStep {
  name: string;
  label: string;
  state: "pending" | "running" | "completed" | "failed";
  detail?: string | null;
}
export interface Finding {
  severity: "error" | "warning" | "info";
  code: string;
  service?: string | null;
  message: string;
  advice: string;
  file?: string | null;
  line?: number | null;
}
export interface AnalyzedService {
  name: string;
  path: string;
  kind: string;
  language: string;
  framework?: string | null;
}
export interface Analysis {
  id: string;
  project_id: string;
  state: AnalysisState;
  steps: AnalysisStep[];
  source: { url: string; ref?: string | null; subdir?: string | null; commit?: string | null };
  error: { code: string; message: string; field?: string | null } | null;
  result: { services: AnalyzedService[]; findings: Finding[]; stats?: { files: number; files_read: number } } | null;
  created_at: number;
  finished_at: number | null;
}

export type ServiceKind = "web" | "worker" | "static" | "dependency";
export interface EnvVar {
  name: string;
  secret: boolean;
  required: boolean;
  source?: string | null;
  set: boolean;
  value?: string | null;
  origin: "user" | "analysis" | "generated" | "reference";
}
export interface Evidence {
  field: string;
  value: string;
  file?: string | null;
  line?: number | null;
  rule: string;
  confidence: number;
  chosen: boolean;
}
export interface Service {
  id: string;
  project_id: string;
  name: string;
  kind: ServiceKind;
  state: "pending" | "accepted" | "rejected";
  locked: boolean;
  language: string | null;
  framework: string | null;
  package_manager: string | null;
  build: string | null;
  start: string | null;
  port: number | null;
  health_path: string | null;
  dockerfile: { origin: "repository" | "generated" | "edited"; path: string | null; content: string | null } | null;
  path: string | null;
  depends_on: string[];
  env: EnvVar[];
  route: { prefix: string } | null;
  evidence: Evidence[];
  missing: string[];
  live_release: Release | null;
  source_commit: string | null;
}
export type ReleaseState = "building" | "starting" | "healthy" | "live" | "retired" | "failed";
export interface Release {
  id: string;
  service_id: string;
  server_id: string;
  state: ReleaseState;
  commit: string | null;
  image_id: string | null;
  created_at: number;
  live_since: number | null;
  retired_at: number | null;
  current: boolean;
  rollback_possible: boolean;
}

export type Risk = "r0" | "r1" | "r2" | "r3" | "r4";
export type PlanState = "draft" | "ready" | "approved" | "executing" | "completed" | "stale";
export interface PlanServer {
  server_id: string;
  name: string;
  services: { service_id: string; name: string; reason: string }[];
  reason: string;
  url: string | null;
}
export interface ProvisioningSummary {
  id: string;
  server_id: string;
  state: string;
  digest: string;
  risk: Risk;
  downtime_s: number;
}
export interface InfrastructurePlan {
  id: string;
  project_id: string;
  state: PlanState;
  stale_reasons: string[];
  digest: string;
  input_digest: string;
  servers: PlanServer[];
  downtime: { service: string; seconds: number; reason: string }[];
  risk: Risk;
  created_at: number;
  provisioning_plans: ProvisioningSummary[];
}
export type Phase =
  | "purchase"
  | "availability"
  | "domain"
  | "os_install"
  | "provisioning"
  | "build"
  | "deploy"
  | "edge"
  | "post_deploy";
export interface PlanStep {
  index: number;
  title: string;
  phase: Phase;
  service_id: string | null;
  kind: string;
  risk: Risk;
  timeout_s: number;
  downtime_s: number;
  on_interrupt: "rerun" | "check_then_rerun" | "ask";
  action: Record<string, unknown>;
  summary: string;
}
export interface Mandate {
  service: string;
  name: string;
  source: Record<string, Record<string, unknown>>;
  valid_until_unix_ms: number;
}
export interface ProvisioningPlan extends ProvisioningSummary {
  infrastructure_plan_id: string;
  steps: PlanStep[];
  mandates: Mandate[];
  secrets: { name: string; version: number; generated: boolean }[];
}
export interface Approval {
  id: string;
  state: "pending" | "approved" | "declined" | "expired";
  subject?: string;
  title?: string;
  digest: string;
  created_at: number;
  expires_at?: number | null;
}

export type StepState = "pending" | "running" | "completed" | "failed" | "skipped" | "unknown";
export interface RunStep {
  index: number;
  title: string;
  phase: Phase;
  service_id: string | null;
  kind: string;
  state: StepState;
  attempt: number;
  started_at: number | null;
  finished_at: number | null;
  doing: string | null;
  error: { code: string; message: string } | null;
  already_done: boolean;
  log_length: number;
  result: unknown;
}
export interface RunServer {
  server_id: string;
  name: string;
  online: boolean;
  steps: RunStep[];
}
export interface RunPhase {
  phase: Phase;
  state: StepState;
  started_at: number | null;
  finished_at: number | null;
}
export interface Run {
  id: string;
  project_id: string;
  kind: "deploy" | "release" | "operation";
  title: string;
  state: RunState;
  note: string | null;
  pausing: boolean;
  stopping: boolean;
  started_at: number;
  finished_at: number | null;
  requested_by: string | null;
  commit: string | null;
  error: { code: string; message: string; step?: number | null } | null;
  url: string | null;
  phases: RunPhase[];
  servers: RunServer[];
}
export interface LogPage {
  offset: number;
  next_offset: number;
  end: boolean;
  gaps: unknown[];
  text: string;
  length: number;
}

export type ServerState = "available" | "provisioning" | "running" | "stopped" | "error";
export interface Server {
  id: string;
  name: string;
  state: ServerState;
  online: boolean;
  last_seen_at: number | null;
  agent_version: string | null;
  facts: Record<string, unknown> | null;
  site_ca_pem: string | null;
  projects: string[];
  enrolled_at: number | null;
}
export interface Adoption {
  server: Server;
  token: string;
  command: string;
  expires_at: number;
}

export interface Chat {
  id: string;
  project_id: string;
  title: string;
  created_at: number;
  updated_at?: number;
}
export type CardKind = "analysis" | "services" | "plan" | "approval" | "run" | "question" | "error";
export interface Card {
  kind: CardKind;
  id: string | null;
  data?: unknown;
}
export interface Message {
  id: string;
  chat_id: string;
  role: "user" | "assistant";
  text: string;
  cards: Card[];
  suggestions: string[];
  at: number;
}
