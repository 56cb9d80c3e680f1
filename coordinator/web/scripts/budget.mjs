// Owns the promise about the first load: script that every page needs, gzipped, stays under 200 KB.
// The number is what index.html names (module and preloads), with everything those import statically.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 200 * 1024;
const dist = new URL("../dist/", import.meta.url);
const page = readFileSync(new URL("index.html", dist), "utf8");
const wanted = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1]);
const seen = new Set();
while (wanted.length > 0) {
  const name = wanted.pop();
  if (seen.has(name)) continue;
  seen.add(name);
  const text = readFileSync(new URL(name, dist), "utf8");
  for (const match of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) wanted.push(`assets/${match[1]}`);
}
const bytes = [...seen].reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0);
console.log(`first load: ${(bytes / 1024).toFixed(0)} KB of script, gzipped (limit ${LIMIT / 1024})`);
if (bytes > LIMIT) process.exit(1);
