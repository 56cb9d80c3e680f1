// Owns the figures of the UI's first sight: `paint.mjs WEB-STACK [ROUNDS]`. Every round has a browser context of its own, so
// nothing is cached; the pages take turns. JSON on standard output; a page with too much script is an error.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { launch, open } from "./chromium.mjs";
import { newProject, setUp } from "./journey.mjs";
import { startStack } from "./stack.mjs";

/** Ours for the script of a first load; "good" of Web Vitals and Lighthouse for the rest, which are meant for a slow network. */
const BARS = { script_gzip_kb: 200, first_paint_ms: 1800, largest_paint_ms: 2500, usable_ms: 3800 };
const DIST = fileURLToPath(new URL("../../../coordinator/web/dist/assets/", import.meta.url));

const [program, rounds = "9"] = process.argv.slice(2);
const [stack, browser] = await Promise.all([startStack(program), launch()]);
try {
  const first = await open(browser, stack.url);
  await setUp(first.page, stack.setup_link);
  const project = await newProject(first.page, stack.url, "Painted");
  const storage = await first.context.storageState();
  const inside = (path, ready) => ({ url: `${stack.url}${path}`, storage, ready });
  const button = (name) => (page) => page.getByRole("button", { name }).first();
  const pages = {
    sign_in: { url: `${stack.url}/signin`, ready: button("Sign in") },
    projects: inside("/", button("New project")),
    project: inside(`/projects/${project}`, (page) => page.getByLabel("Repository URL")),
    project_infrastructure: inside(`/projects/${project}/infrastructure`, (page) => page.getByLabel("Repository URL")),
    project_runs: inside(`/projects/${project}/runs`, (page) => page.getByLabel("Repository URL")),
    servers: inside("/servers", button("Adopt a server")),
    settings: inside("/settings", (page) => page.getByRole("heading", { name: "Settings", level: 1 })),
  };
  const seen = Object.fromEntries(Object.keys(pages).map((name) => [name, []]));
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const [name, one] of Object.entries(pages)) seen[name].push(await look(one));
  }
  const figures = { rounds: Number(rounds), bundle: bundle(), pages: Object.fromEntries(Object.entries(seen).map(([name, all]) => [name, judged(all)])) };
  console.log(JSON.stringify(figures, null, 2));
  // How fast it is depends on the machine; how large it is does not.
  for (const [name, page] of Object.entries(figures.pages)) {
    if (page.script_gzip_kb.ratio <= 1) continue;
    console.error(`${name} needs ${page.script_gzip_kb.median} KB of script, gzipped: more than ${BARS.script_gzip_kb}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  await stack.close();
}

async function look({ url, storage, ready }) {
  const { context, page } = await open(browser, stack.url, { storage });
  await context.addInitScript(() => {
    window.painted = {};
    const note = (type, act) => new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, buffered: true });
    note("paint", (entry) => { if (entry.name === "first-contentful-paint") window.painted.first = entry.startTime; });
    note("largest-contentful-paint", (entry) => { window.painted.largest = entry.startTime; });
    window.painted.blocked = 0;
    note("longtask", (entry) => { window.painted.blocked += Math.max(0, entry.duration - 50); });
  });
  let files = 0;
  let script = 0;
  let sent = 0;
  const sizes = [];
  page.on("response", (response) => {
    if (!/\.js$/.test(response.url())) return;
    files += 1;
    sizes.push(response.body().then((body) => { script += gzipSync(body).length; }), response.request().sizes().then((size) => { sent += size.responseBodySize; }));
  });
  await page.goto(url);
  await ready(page).click({ trial: true });
  const usable = await page.evaluate(() => performance.now());
  await page.waitForTimeout(300);
  await Promise.all(sizes);
  const painted = await page.evaluate(() => window.painted);
  await context.close();
  return { script_gzip_kb: script / 1024, script_sent_kb: sent / 1024, script_files: files, first_paint_ms: painted.first, largest_paint_ms: painted.largest, usable_ms: usable, blocked_ms: painted.blocked };
}

function judged(all) {
  const middle = (name) => Math.round(all.map((one) => one[name]).toSorted((a, b) => a - b)[Math.floor(all.length / 2)] * 10) / 10;
  return Object.fromEntries(Object.keys(all[0]).map((name) => [name, { median: middle(name), ...(BARS[name] ? { bar: BARS[name], ratio: Math.round((middle(name) / BARS[name]) * 1000) / 1000 } : {}) }]));
}

/** Everything that is ever loaded, by kind. */
function bundle() {
  const total = {};
  for (const name of readdirSync(DIST)) {
    const kind = name.split(".").at(-1);
    total[kind] = (total[kind] ?? 0) + gzipSync(readFileSync(DIST + name)).length;
  }
  return Object.fromEntries(Object.entries(total).map(([kind, bytes]) => [`${kind}_gzip_kb`, Math.round((bytes / 1024) * 10) / 10]));
}
