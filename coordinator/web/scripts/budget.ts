// Owns the promise about the first sight of every page: the script that it needs, gzipped, stays under 200 KB. A build in
// which a page needs more fails. Needed is what index.html and the page's own pieces (src/pages.ts) import statically.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

const LIMIT = 200 * 1024;

const SHELL = "src/frame/shell.tsx";
const PROJECT = [SHELL, "src/project/project-page.tsx", "src/chat/markdown.tsx"];
const PAGES = {
  "set-up": ["src/setup/setup-page.tsx"],
  "sign-in": ["src/signin/sign-in-page.tsx"],
  projects: [SHELL, "src/projects/projects-page.tsx"],
  "project, services": [...PROJECT, "src/services/services-panel.tsx"],
  "project, infrastructure": [...PROJECT, "src/infrastructure/infrastructure-panel.tsx"],
  "project, runs": [...PROJECT, "src/runs/runs-panel.tsx"],
  servers: [SHELL, "src/servers/servers-page.tsx"],
  server: [SHELL, "src/servers/server-page.tsx"],
  settings: [SHELL, "src/settings/settings-page.tsx"],
  nowhere: [SHELL, "src/frame/not-found.tsx"],
};
/** Comes when a page is at rest (src/ui/later.ts). */
const LATER = ["src/frame/palette.tsx", "src/ui/dialog-frame.tsx", "src/ui/menu-list.tsx"];

type Chunk = Rolldown.OutputChunk;

export function budget(): Plugin {
  let root = "";
  return {
    name: "budget",
    apply: "build",
    configResolved: (config) => { root = `${config.root}/`; },
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
      const wrong = judge(chunks, root, (line) => { console.log(line); });
      if (wrong.length > 0) this.error(wrong.join("\n"));
    },
  };
}

function judge(chunks: Chunk[], root: string, say: (line: string) => void): string[] {
  const files = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const pieces = new Map(chunks.filter((chunk) => chunk.isDynamicEntry).map((chunk) => [chunk.facadeModuleId?.replace(root, "") ?? chunk.name, chunk]));
  const entries = chunks.filter((chunk) => chunk.isEntry);
  const known = new Set([...Object.values(PAGES).flat(), ...LATER]);
  const wrong = [...pieces.keys()].filter((name) => !known.has(name)).map((name) => `scripts/budget.ts does not know when ${name} comes`);
  for (const [page, names] of Object.entries(PAGES)) {
    wrong.push(...names.filter((name) => !pieces.has(name)).map((name) => `${page}: ${name} is not a piece of its own`));
    const needed = withImports(files, [...entries, ...names.flatMap((name) => pieces.get(name) ?? [])]);
    const bytes = [...needed].reduce((sum, chunk) => sum + gzipSync(chunk.code).length, 0);
    say(`${page}: ${(bytes / 1024).toFixed(0)} KB of script, gzipped, in ${String(needed.size)} files (limit ${String(LIMIT / 1024)} KB)`);
    if (bytes > LIMIT) wrong.push(`${page}: more script than ${String(LIMIT / 1024)} KB`);
  }
  // A file that needs itself by way of another may run before what it uses is there.
  for (const chunk of chunks) if (withImports(files, named(files, chunk.imports)).has(chunk)) wrong.push(`${chunk.fileName} imports itself by way of others: look at the groups in vite.config.ts`);
  return wrong;
}

function named(files: Map<string, Chunk>, names: string[]): Chunk[] {
  return names.flatMap((name) => files.get(name) ?? []);
}

function withImports(files: Map<string, Chunk>, chunks: Chunk[]): Set<Chunk> {
  const seen = new Set<Chunk>();
  const wanted = [...chunks];
  for (let chunk = wanted.pop(); chunk !== undefined; chunk = wanted.pop()) {
    if (seen.has(chunk)) continue;
    seen.add(chunk);
    wanted.push(...named(files, chunk.imports));
  }
  return seen;
}
