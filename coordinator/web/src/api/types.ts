// Owns the names by which the UI speaks of what the API returns. The shapes come from the generated schema; nothing is
// written down twice.
import type { components } from "./schema";

type Schemas = components["schemas"];

/** What an answer looks like in fact: a field that may be absent in the schema is always there, perhaps as null. */
export type Solid<T> = T extends (infer Item)[]
  ? Solid<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Solid<Exclude<T[Key], undefined>> }
    : T;

export type Me = Solid<Schemas["Me"]>;
export type TeamRef = Solid<Schemas["MeTeam"]>;
export type Role = Schemas["Role"];
export type Member = Solid<Schemas["Member"]>;
export type ApiToken = Solid<Schemas["Token"]>;
export type AuditEntry = Solid<Schemas["AuditEntry"]>;

export type Project = Solid<Schemas["Project"]>;
export type ProjectStatus = Schemas["ProjectStatus"];
export type ProjectType = Schemas["ProjectType"];

export type Analysis = Solid<Schemas["AnalysisRun"]>;
export type AnalysisState = Schemas["AnalysisState"];
export type AnalysisStep = Solid<Schemas["StepView"]>;
export type AnalysisChange = Solid<Schemas["AnalysisChange"]>;
export type DockerfileVerdict = Schemas["DockerfileVerdict"];
export type Finding = Solid<Schemas["Finding"]>;

export type Service = Solid<Schemas["Service"]>;
export type ServiceKind = Schemas["ServiceKind"];
export type ServiceEdit = Schemas["ServiceEdit"];
export type EnvVar = Solid<Schemas["ServiceEnv"]>;
export type Evidence = Solid<Schemas["Evidence"]>;
export type Release = Solid<Schemas["Release"]>;
export type ReleaseState = Schemas["ReleaseState"];

export type Risk = Schemas["Risk"];
export type Phase = Schemas["Phase"];
export type PlanState = Schemas["PlanState"];
export type InfrastructurePlan = Solid<Schemas["InfrastructurePlan"]>;
export type PlannedServer = Solid<Schemas["PlannedServer"]>;
export type ProvisioningPlan = Solid<Schemas["ProvisioningPlan"]>;
export type PlanStep = Solid<Schemas["PlanStep"]>;
export type Mandate = Solid<Schemas["Mandate"]>;
export type Approval = Solid<Schemas["Approval"]>;

export type Run = Solid<Schemas["Run"]>;
export type RunServer = Solid<Schemas["RunServer"]>;
export type RunStep = Solid<Schemas["RunStep"]>;
export type StepState = Schemas["StepState"];
export type RunState = "started" | "in_progress" | "paused" | "completed" | "failed" | "stopped";
export type Decision = Schemas["Resolution"];
export type LogPage = Solid<Schemas["LogPage"]>;

export type Server = Solid<Schemas["Server"]>;
export type ServerState = Schemas["ServerState"];
export type Adoption = Solid<Schemas["Adoption"]>;

export type Chat = Solid<Schemas["Chat"]>;
export type Card = Solid<Schemas["Card"]>;
export type Message = Solid<Schemas["Message"]>;
