// Owns how times, sizes, digests and states read. Nothing else in the UI turns a number into words.
import type { Phase, Risk } from "../api/types";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "now", "4 min ago", "in 2 h", then a date. */
export function ago(at: number, now: number): string {
  const past = now - at;
  const size = Math.abs(past);
  if (size < 10_000) return "just now";
  const words = (text: string) => (past < 0 ? `in ${text}` : `${text} ago`);
  if (size < MINUTE) return words(`${String(Math.round(size / 1000))} s`);
  if (size < HOUR) return words(`${String(Math.round(size / MINUTE))} min`);
  if (size < DAY) return words(`${String(Math.round(size / HOUR))} h`);
  if (size < 7 * DAY) return words(plural(Math.round(size / DAY), "day"));
  return date(at);
}

export function date(at: number): string {
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function dateTime(at: number): string {
  return new Date(at).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** "0.4 s", "12 s", "3 min 05 s", "2 h 10 min". */
export function duration(ms: number): string {
  if (ms < 0) return "0 s";
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${String(seconds)} s`;
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))} min ${pad(seconds % 60)} s`;
  return `${String(Math.floor(seconds / 3600))} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
}

/** A promise in whole seconds: "0 s", "30 s", "30 min". */
export function seconds(count: number): string {
  if (count < 120) return `${String(count)} s`;
  if (count % 3600 === 0) return `${String(count / 3600)} h`;
  if (count % 60 === 0) return `${String(count / 60)} min`;
  return `${String(Math.floor(count / 60))} min ${pad(count % 60)} s`;
}

const pad = (value: number) => String(value).padStart(2, "0");

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = count;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(size) : size.toFixed(size < 10 ? 1 : 0)} ${units[unit] ?? ""}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
}

export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** Enough of a digest to compare by eye. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** "https://github.com/acme/shop.git" → "acme/shop". */
export function repository(url: string): string {
  const path = url.replace(/^[a-z+]+:\/\/[^/]+\//i, "").replace(/^[^@]+@[^:]+:/, "");
  return path.replace(/\.git$/, "").replace(/\/$/, "") || url;
}

export function host(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

const PHASES: Record<Phase, string> = {
  purchase: "Purchase",
  availability: "Availability",
  domain: "Domain",
  os_install: "OS install",
  provisioning: "Provisioning",
  build: "Build",
  deploy: "Deploy",
  edge: "Edge",
  post_deploy: "Checks",
};
export function phase(name: Phase): string {
  return PHASES[name];
}

const RISKS: Record<Risk, { short: string; words: string }> = {
  r0: { short: "Reads only", words: "Only looks; changes nothing." },
  r1: { short: "Own scope", words: "Changes only what belongs to this project." },
  r2: { short: "Affects services", words: "Touches something that is serving traffic." },
  r3: { short: "Security-relevant", words: "Could change what the server lets in or runs." },
  r4: { short: "Irreversible", words: "Cannot be undone, or costs money." },
};
export function risk(level: Risk): { short: string; words: string; level: string } {
  return { ...RISKS[level], level: level.toUpperCase() };
}

const NAMES: Record<string, string> = {
  postgres: "PostgreSQL",
  postgresql: "PostgreSQL",
  mysql: "MySQL",
  mariadb: "MariaDB",
  mongodb: "MongoDB",
  redis: "Redis",
  javascript: "JavaScript",
  typescript: "TypeScript",
  nextjs: "Next.js",
  nestjs: "NestJS",
  fastapi: "FastAPI",
  html: "HTML",
  php: "PHP",
  go: "Go",
};
/** Names of languages and frameworks as their makers write them. */
export function technology(name: string): string {
  return NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

/** "git_checkout" → "git checkout". */
export function words(code: string): string {
  return code.replaceAll("_", " ").replaceAll(".", " ");
}
