// Owns the one line that says what a service is.
import type { EnvVar, Service } from "../api/types";
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

const SEEN: Record<NonNullable<EnvVar["source"]>, string> = {
  code: "read in code",
  schema: "in a settings schema",
  config: "in a configuration file",
  compose: "in a compose file",
  example: "in an example file",
  platform: "in a platform manifest",
  dockerfile: "in the Dockerfile",
  script: "in a script",
  framework: "needed by the framework",
};

/** Where a variable was found. */
export function seenIn(source: NonNullable<EnvVar["source"]>): string {
  return SEEN[source];
}
