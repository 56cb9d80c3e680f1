// Owns reading what an agent says about its machine. Facts are data from outside: unknown ones are shown as they are.
import type { Server } from "../api/types";
import { bytes, plural, words } from "../format/format";

function value(name: string, fact: unknown): string | null {
  if (fact === null || fact === undefined || fact === "") return null;
  if (typeof fact === "number") {
    if (fact === 0 || name.endsWith("_port")) return fact === 0 ? null : String(fact);
    if (/_bytes$/.test(name)) return bytes(fact);
    return fact.toLocaleString("en-GB");
  }
  if (typeof fact === "boolean") return fact ? "yes" : "no";
  if (typeof fact === "string") return fact;
  if (Array.isArray(fact)) return fact.length === 0 ? null : fact.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ");
  return JSON.stringify(fact);
}

const NAMES: Record<string, string> = { os: "Operating system", arch: "Architecture", cpu_count: "CPUs", memory_bytes: "Memory", disk_bytes: "Disk", disk_free_bytes: "Free disk", docker_version: "Docker", http_port: "HTTP port", https_port: "HTTPS port", proxy_version: "Proxy", policy_mode: "Local policy" };

export function factRows(server: Server): [string, string][] {
  return Object.entries(server.facts ?? {})
    .filter(([name]) => !name.endsWith("_pem"))
    .flatMap(([name, fact]): [string, string][] => {
      const text = value(name, fact);
      const title = NAMES[name] ?? words(name.replace(/_bytes$/, ""));
      return text === null ? [] : [[title.charAt(0).toUpperCase() + title.slice(1), text]];
    });
}

/** The few facts that tell machines apart. */
export function factLine(server: Server): string {
  const { facts } = server;
  if (facts === null) return server.enrolled_at === null ? "Waiting to join" : "";
  const cpus = facts.cpu_count > 0 ? plural(facts.cpu_count, "CPU") : null;
  const memory = facts.memory_bytes > 0 ? bytes(facts.memory_bytes) : null;
  return [facts.os, cpus, memory].filter((part) => part !== null && part !== "").join(" · ");
}
