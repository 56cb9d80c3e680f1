// Owns pictures of every scene in every size, light and dark, to be looked at. `npm run shots [scene …]`.
import { startMock } from "../mock/serve.mjs";
import { launch, open, OUT, shot, SIZES } from "./chromium.mjs";

const wanted = process.argv.slice(2);
const mock = await startMock({ scene: "busy" });
const s = mock.world.scenes;
const run = (project) => mock.world.of(mock.world.runs, "project_id", project)[0];
const service = (project, name) => mock.world.of(mock.world.services, "project_id", project).find((one) => one.name === name);
const at = (project, rest = "") => `/projects/${project}${rest}`;

const SCENES = {
  signin: ["/signin", null, "out"],
  projects: ["/"],
  "projects-list": ["/", async (page) => page.getByRole("button", { name: "List" }).click()],
  "project-empty": [at(s.empty)],
  analysis: [at(s.analyzing)],
  services: [at(s.services, "/services")],
  "service-missing": [at(s.services, `/services/${service(s.services, "api").id}`)],
  reread: [at(s.reread)],
  changed: [at(s.reread, "/services"), async (page) => page.getByRole("button", { name: /^What changed/ }).first().click()],
  "dockerfile-repaired": [at(s.reread, `/services/${service(s.reread, "orders").id}`), async (page) => {
    await page.getByRole("button", { name: "Dockerfile", exact: true }).click();
    await page.getByRole("region", { name: /^Changes to the Dockerfile/ }).scrollIntoViewIfNeeded();
  }],
  plan: [at(s.plan, "/infrastructure")],
  "plan-step": [at(s.plan, "/infrastructure"), async (page) => page.getByRole("button", { name: /Build image api/ }).first().click()],
  approval: [at(s.plan, "/infrastructure"), async (page) => page.getByRole("button", { name: /Approve and start/ }).last().click()],
  stale: [at(s.stale, "/infrastructure")],
  "run-failed": [at(s.failed, `/runs/${run(s.failed).id}`)],
  "run-unknown": [at(s.unknown, `/runs/${run(s.unknown).id}`)],
  "run-lost": [at(s.lost, `/runs/${run(s.lost).id}`)],
  log: [at(s.live, `/runs/${run(s.live).id}?server=${mock.world.adopted.id}&step=5`)],
  runs: [at(s.live, "/runs")],
  live: [at(s.live, `/runs/${run(s.live).id}`)],
  "service-live": [at(s.live, `/services/${service(s.live, "api").id}`)],
  many: [at(s.many, "/services")],
  hostile: [at(s.hostile, "/infrastructure")],
  servers: ["/servers"],
  server: [`/servers/${mock.world.adopted.id}`],
  adopt: ["/servers?adopt", async (page) => {
    await page.getByLabel("Name").fill("paris-9");
    await page.getByRole("button", { name: "Get the command" }).click();
    await page.getByText("Run this on").waitFor();
  }],
  tokens: ["/settings/tokens"],
  audit: ["/settings/audit"],
  palette: [at(s.live), async (page) => page.keyboard.press("Control+k")],
  help: [at(s.live), async (page) => page.keyboard.press("?")],
  sidebar: ["/", async (page) => (await page.getByRole("button", { name: "Open navigation" }).isVisible()) && page.getByRole("button", { name: "Open navigation" }).click()],
};

const browser = await launch();
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const dark of [false, true]) {
    const { context, page, watch } = await open(browser, mock.url, { size: viewport, dark });
    for (const [name, [path, act, out]] of Object.entries(SCENES)) {
      if (wanted.length > 0 && !wanted.includes(name) && !wanted.includes(size)) continue;
      if (out) await context.clearCookies();
      else if ((await context.cookies()).length === 0) await page.request.post(`${mock.url}/api/v1/auth/login`, { data: { email: "ada@example.org", password: "correct horse battery" } });
      await page.goto(mock.url + path);
      await page.waitForTimeout(500);
      try {
        await act?.(page);
      } catch (error) {
        console.log(`${name}-${size}: ${String(error).split("\n")[0]}`);
      }
      await shot(page, `${name}-${size}-${dark ? "dark" : "light"}`);
    }
    for (const text of new Set([...watch.errors, ...watch.foreign])) console.log(`${size} ${dark ? "dark" : "light"}: ${text}`);
    await context.close();
  }
}
await browser.close();
await mock.close();
console.log(`pictures are in ${OUT}`);
process.exit(0);
