// Owns the one line that says what a service is.
import type { Service } from "../api/types";
import { technology } from "../format/format";

const KINDS: Record<Service["kind"], string> = { web: "Web", worker: "Worker", static: "Static site", dependency: "Dependency" };

export function kindWord(service: Service): string {
  return KINDS[service.kind];
}

export function describe(service: Service): string {
  const what = service.framework === "static" ? service.language : (service.framework ?? service.language);
  return [what ? technology(what) : null, kindWord(service), service.port ? `port ${String(service.port)}` : null]
    .filter((part) => part !== null)
    .join(" · ");
}
