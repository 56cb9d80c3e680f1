// Owns reading what an agent says about its machine. Facts are data from outside: unknown ones are shown as they are.
import type { Server } from "../api/types";
import { bytes, words } from "../format/format";

const MIB = 1024 * 1024;

function value(name: string, fact: unknown): string | null {
  if (fact === null || fact === undefined || fact === "") return null;
  if (typeof fact === "number") {
    if (/_(bytes)$/.test(name)) return bytes(fact);
    if (/_(mb|mib)$/.test(name)) return bytes(fact * MIB);
    return fact.toLocaleString("en-GB");
  }
  if (typeof fact === "boolean") return fact ? "yes" : "no";
  if (typeof fact === "string") return fact;
  if (Array.isArray(fact)) return fact.length === 0 ? null : fact.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ");
  return JSON.stringify(fact);
}

const NAMES: Record<string, string> = { os: "Operating system", cpus: "CPUs", cpu_count: "CPUs", memory_bytes: "Memory", memory_mb: "Memory", disk_bytes: "Disk", disk_free_bytes: "Free disk", docker_version: "Docker" };

export function factRows(server: Server): [string, string][] {
  return Object.entries(server.facts ?? {})
    .filter(([name]) => !name.endsWith("_pem"))
    .flatMap(([name, fact]): [string, string][] => {
      const text = value(name, fact);
      const title = NAMES[name] ?? words(name.replace(/_(bytes|mb|mib)$/, ""));
      return text === null ? [] : [[title.charAt(0).toUpperCase() + title.slice(1), text]];
    });
}

/** The few facts that tell machines apart. */
export function factLine(server: Server): string {
  const facts = server.facts ?? {};
  const os = value("os", facts["os"]) ?? value("os", facts["os_name"]);
  const cpus = facts["cpus"] ?? facts["cpu_count"];
  const memory = value("memory_bytes", facts["memory_bytes"]) ?? value("memory_mb", facts["memory_mb"]);
  const parts = [os, typeof cpus === "number" ? `${String(cpus)} CPUs` : null, memory].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(" · ") : server.enrolled_at === null ? "Waiting to join" : "";
}
