// Owns the browser test of the real product: coordinator, agent, Docker and proxy, from the set-up link to the live URL and
// through the life after it. HYDRON_WEB_STACK names the program `web-stack`, which starts all of it and removes it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { request } from "playwright-core";
import { audit } from "./axe.mjs";
import { launch, open, OUT, settled, shot, SIZES } from "./chromium.mjs";
import { adopt, APPROVE, approve, arrived, byClicking, byTyping, ended, failed, finished, newProject, onRun, OWNER, say, setUp, signIn, tabTo, toPlan } from "./journey.mjs";
import { dockerfile, frontPage, startStack } from "./stack.mjs";

const program = process.env.HYDRON_WEB_STACK;
const skip = program ? false : "HYDRON_WEB_STACK is not set";

describe("a real coordinator and a real server", { skip }, () => {
  let stack, browser, context, page, watch, project, live;
  const at = (rest = "") => `${stack.url}/projects/${project}${rest}`;
  const made = (id) => stack.ask("made", id);
  const service = (name) => page.getByRole("region", { name: "Services" }).getByRole("link", { name, exact: true });

  /** Each step stands on those before it: after one failed, the others would only say the same more slowly. */
  let broken = false;
  const step = (name, act) =>
    it(name, async (test) => {
      if (broken) return test.skip("a step before it failed");
      broken = true;
      try {
        await act();
        broken = false;
      } finally {
        if (broken) await page?.screenshot({ path: `${OUT}real-failure.png` }).catch(() => undefined);
      }
    });

  before(async () => {
    [stack, browser] = await Promise.all([startStack(program), launch()]);
    ({ context, page, watch } = await open(browser, stack.url));
  });
  after(async () => {
    await browser?.close();
    await stack?.close();
  });

  step("makes its owner through the one-time link, once, and knows a wrong password", async () => {
    await setUp(page, stack.setup_link);
    const other = await open(browser, stack.url);
    await other.page.goto(stack.setup_link);
    await other.page.getByRole("heading", { name: "Sign in to Hydron" }).waitFor();
    await signIn(other.page, "not the password");
    await other.page.getByRole("alert").getByText(/password/i).first().waitFor();
    await shot(other.page, "real-signin-refused");
    await signIn(other.page);
    await other.page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
    await other.context.close();
  });

  step("refuses a server's name that reads as another, and says when a token has expired", async () => {
    const other = await open(browser, stack.url, { storage: await context.storageState() });
    await other.page.clock.install();
    await other.page.goto(`${stack.url}/servers?adopt`);
    await other.page.getByLabel("Name").fill("web\u202eexe");
    await other.page.getByRole("button", { name: "Get the command" }).click();
    await other.page.locator("[id$=-error]").waitFor();
    await shot(other.page, "real-server-name-refused");
    await other.page.getByLabel("Name").fill("never-came");
    await other.page.getByRole("button", { name: "Get the command" }).click();
    await other.page.getByText("Waiting for it to dial in").waitFor();
    await other.page.clock.fastForward("01:01:00");
    await other.page.getByText("The token has expired.").waitFor();
    await shot(other.page, "real-token-expired");
    await other.context.close();
  });

  step("adopts a server that joins with the token it showed", () => adopt(page, stack.url, "browser-1", (token) => stack.ask("join", token)));

  step("says what is wrong with a repository, and changes nothing", async () => {
    project = await newProject(page, stack.url, "Bad input; $(reboot)");
    for (const wrong of ["not a url; rm -rf /", "https://example.org/a/$(id)", "http://example.org/a/b", "--upload-pack=x"]) {
      await page.getByLabel("Repository URL").fill(wrong);
      await page.getByRole("button", { name: "Analyse repository" }).click();
      const said = page.getByLabel("Repository URL").locator("xpath=../p");
      await said.waitFor();
      assert.ok((await said.innerText()).length > 20, `${wrong}: ${await said.innerText()}`);
      await shot(page, "real-bad-url");
    }
    await page.getByLabel("Repository URL").fill(stack.missing_repository);
    await page.getByRole("button", { name: "Analyse repository" }).click();
    const card = page.getByRole("log", { name: "Messages" });
    await card.getByRole("alert").getByText(/^Code/).first().waitFor({ timeout: 60_000 });
    await shot(page, "real-missing-repository");
    assert.match(await (await say(page, "deploy https://example.org/a/$(id)")).innerText(), /URL|address/i);
    await shot(page, "real-bad-url-typed");
    await page.goto(at("/services"));
    await page.getByRole("heading", { name: "No services yet" }).waitFor();
  });

  step("refuses a repository over the caps and says which one", async () => {
    const { repository } = await stack.ask("huge");
    project = await newProject(page, stack.url, "Too large");
    await page.getByLabel("Repository URL").fill(repository);
    await page.getByRole("button", { name: "Analyse repository" }).click();
    const alert = page.getByRole("log", { name: "Messages" }).getByRole("alert").first();
    await alert.getByText(/^Code/).waitFor({ timeout: 120_000 });
    assert.match(await alert.innerText(), /60,000|50,000/);
    await shot(page, "real-over-caps");
    await page.goto(at("/services"));
    await page.getByRole("heading", { name: "No services yet" }).waitFor();
  });

  step("names the port that another program holds, and goes on by a retry when it is free", async () => {
    const { port } = await stack.ask("occupy");
    project = await newProject(page, stack.url, "Port taken");
    await made(project);
    await toPlan(page, stack.repository);
    await approve(page);
    assert.match(await failed(page), new RegExp(String(port)));
    await shot(page, "real-port-taken");
    await stack.ask("free");
    await onRun(page).getByRole("button", { name: /^Retry/ }).click();
    await onRun(page).getByText("Failed", { exact: true }).first().waitFor({ state: "detached" });
    const site = await finished(page);
    await shows("Guestbook", site);
  });

  step("says to whoever may only look that the role is missing, and changes nothing", async () => {
    const created = await page.request.post(`${stack.url}/api/v1/tokens`, { headers: { Origin: stack.url }, data: { name: "only looks", role: "viewer" } });
    const { id, token } = await created.json();
    // The page was loaded by an owner; what it now asks for is asked by a viewer.
    const viewer = await request.newContext({ ignoreHTTPSErrors: true, extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
    const asViewer = async (route) => (route.request().method() === "GET" ? route.fallback() : route.fulfill({ response: await viewer.fetch(route.request()) }));
    await page.route("**/api/v1/**", asViewer);
    await page.goto(at("/runs"));
    const runs = async () => (await (await page.request.get(`${stack.url}/api/v1/projects/${project}/runs`)).json()).items.length;
    const before = await runs();
    await page.getByRole("button", { name: "Redeploy newest commit" }).click();
    await page.getByText(/role/i).first().waitFor();
    await shot(page, "real-wrong-role");
    assert.equal(await runs(), before);
    await page.unroute("**/api/v1/**", asViewer);
    await viewer.dispose();
    await page.request.delete(`${stack.url}/api/v1/tokens/${id}`, { headers: { Origin: stack.url } });
  });

  step("takes a repository live by clicking: what is approved is what was read, and the site works", async () => {
    project = await newProject(page, stack.url, "Clicked guestbook");
    await made(project);
    const went = await byClicking(page, stack.repository);
    assert.match(went.digest, /[0-9a-f]{64}$/);
    const { items } = await (await page.request.get(`${stack.url}/api/v1/projects/${project}/infrastructure-plans`)).json();
    assert.equal(items[0].digest, went.summary, "the digest on the plan is the stored one");
    const signed = await (await page.request.get(`${stack.url}/api/v1/infrastructure-plans/${items[0].id}/provisioning-plans`)).json();
    assert.ok(signed.items.some((one) => one.digest === went.digest), "the digest in the dialog is that of a server's stored steps");
    live = went.live;
    assert.match(live ?? "", /^https:\/\/clicked-guestbook-.+\.localhost/);
    await signsTheBook();
  });

  step("has nothing that axe objects to and scrolls nowhere sideways, wherever the job went, in every size and theme", async () => {
    const run = (await (await page.request.get(`${stack.url}/api/v1/projects/${project}/runs`)).json()).items[0].id;
    const places = { home: stack.url, servers: `${stack.url}/servers`, audit: `${stack.url}/settings/audit`, chat: at(), services: at("/services"), infrastructure: at("/infrastructure"), runs: at("/runs"), run: at(`/runs/${run}`) };
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const [name, place] of Object.entries(places)) {
        await page.goto(place);
        if (size === "middle") await settled(page);
        else await audit(page, `${name} at ${size}`);
        await shot(page, `real-${name}-${size}`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wider <= 0, `${name} at ${size} is ${wider}px too wide`);
      }
    }
    await page.setViewportSize(SIZES.wide);
    await page.emulateMedia({ colorScheme: "light" });
  });

  step("shows what a newer commit changed, and the repair of its Dockerfile line by line, also on a telephone", async () => {
    const mine = project;
    project = await newProject(page, stack.url, "Reread guestbook");
    await reads();
    await stack.write("api/Dockerfile", "FROM python:3.11-slim-bookworm");
    await reads();
    await page.goto(at("/services"));
    const fold = page.getByRole("region", { name: "Services" }).getByRole("button", { name: /^What changed/ });
    await fold.waitFor();
    if ((await fold.getAttribute("aria-expanded")) === "false") await fold.click();
    await page.getByRole("region", { name: "Changes of api" }).getByText("repaired").waitFor();
    await service("api").click();
    await page.getByRole("button", { name: "Dockerfile", exact: true }).click();
    const box = page.getByRole("region", { name: "Changes to the Dockerfile of api" });
    await box.locator("[data-change=added]", { hasText: "CMD [" }).waitFor();
    await shot(page, "real-repair");
    await page.setViewportSize(SIZES.narrow);
    await audit(page, "a repaired Dockerfile on a telephone");
    await shot(page, "real-repair-narrow");
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await page.setViewportSize(SIZES.wide);
    await stack.ask("remove", "api/Dockerfile");
    project = mine;
  });

  step("shows which line of a Dockerfile failed, and leaves the site as it was", async () => {
    await stack.write("web/Dockerfile", dockerfile("RUN echo about to fail && exit 7"));
    await page.goto(at("/runs"));
    await page.getByRole("button", { name: "Redeploy newest commit" }).click();
    await page.waitForURL(/\/runs\/run_/);
    assert.match(await failed(page), /RUN echo about to fail.*code 7/);
    await shot(page, "real-dockerfile-fails");
    await shows("Guestbook");
    await stack.write("web/Dockerfile", dockerfile());
  });

  step("deploys the next commit by clicking, paused and resumed on the way", async () => {
    await stack.write("web/site/index.html", frontPage("Second edition"));
    await page.goto(at("/runs"));
    await page.getByRole("button", { name: "Redeploy newest commit" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await onRun(page).getByRole("button", { name: "Pause" }).click();
    await onRun(page).getByText("Paused", { exact: true }).waitFor();
    await shot(page, "real-paused");
    await onRun(page).getByRole("button", { name: "Resume" }).click();
    await finished(page);
    await shows("Second edition");
  });

  step("rolls back on a telephone", async () => {
    await page.setViewportSize(SIZES.narrow);
    await page.goto(at("/services"));
    await service("web").click();
    await page.getByRole("button", { name: "Releases" }).click();
    await shot(page, "real-releases-narrow");
    await page.getByRole("button", { name: "Roll back to this" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await finished(page);
    await shot(page, "real-rolled-back-narrow");
    await page.setViewportSize(SIZES.wide);
    await shows("Guestbook");
  });

  step("keeps a changed variable out until a new plan is approved, all of it without a mouse", async () => {
    await page.goto(at("/services"));
    await page.getByRole("region", { name: "Services" }).waitFor();
    await tabTo(page, /^api$/);
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Service api" }).waitFor();
    await tabTo(page, /^Add variable$/);
    await page.keyboard.press("Enter");
    await page.keyboard.type("GREETING; rm -rf /");
    await page.keyboard.press("Enter");
    await page.locator("[id$=-error]").first().waitFor();
    await shot(page, "real-bad-variable");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("GREETING");
    await page.keyboard.press("Tab");
    await page.keyboard.type("hello $(id)");
    await page.keyboard.press("Enter");
    await page.getByText("GREETING saved").waitFor();
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press("i");
    await page.getByRole("region", { name: "Infrastructure plan" }).waitFor();
    await tabTo(page, /^(New plan|Make a new plan)$/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: APPROVE }).last().waitFor();
    await tabTo(page, APPROVE);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Approve this plan" }).waitFor();
    await tabTo(page, APPROVE);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/runs\/run_/);
    await finished(page);
    // A plan deploys what was read last, whatever was rolled back before.
    await shows("Second edition");
  });

  step("says that a server is offline, and goes on when it is back", async () => {
    await stack.ask("leave");
    await page.goto(`${stack.url}/servers`);
    await page.getByRole("row", { name: /browser-1/ }).getByText("Offline", { exact: true }).first().waitFor({ timeout: 60_000 });
    await shot(page, "real-server-offline");
    await page.goto(at("/services"));
    await service("api").click();
    await page.getByRole("group", { name: /^Operations on/ }).getByRole("button", { name: "Restart" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await onRun(page).getByText(/offline\. Nothing is lost/).waitFor();
    await shot(page, "real-run-offline");
    await stack.ask("return");
    await finished(page);
  });

  step("takes a repository live by typing, and pauses, redeploys, restarts and rolls back by sentences", async () => {
    await page.goto(stack.url);
    await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("New project");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "New project" }).waitFor();
    await page.keyboard.type("Typed guestbook");
    await page.keyboard.press("Enter");
    await made(await arrived(page));
    const site = await byTyping(page, stack.repository);
    assert.match(site ?? "", /^https:\/\/typed-guestbook-/);
    await stack.write("web/site/index.html", frontPage("Third edition"));
    const again = await say(page, "redeploy");
    await say(page, "pause");
    await again.getByText("Paused", { exact: true }).first().waitFor({ timeout: 60_000 });
    await say(page, "resume");
    await ended(again);
    await shows("Third edition", site);
    await ended(await say(page, "roll back web"));
    await shows("Second edition", site);
    await ended(await say(page, "restart api"));
    assert.match(await (await say(page, "status")).innerText(), /live/i);
    await shot(page, "typing-after");
  });

  step("has settings that do what they say", async () => {
    await page.goto(`${stack.url}/settings/tokens`);
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("CI of the guestbook");
    await page.getByRole("button", { name: "Create token" }).click();
    const token = await page.getByRole("dialog").getByText(/^hyd_/).first().innerText();
    await shot(page, "real-token");
    await page.getByRole("button", { name: "Done" }).click();
    const me = () => page.request.get(`${stack.url}/api/v1/projects`, { headers: { Authorization: `Bearer ${token}`, Cookie: "" } });
    assert.equal((await me()).status(), 200);
    await page.getByRole("button", { name: "Revoke CI of the guestbook" }).click();
    await page.getByRole("button", { name: "Revoke token" }).click();
    await page.getByRole("heading", { name: "No tokens" }).waitFor();
    assert.equal((await me()).status(), 401);
    await page.goto(`${stack.url}/settings/audit`);
    await page.getByText(/token.*(revoke|delete)/i).first().waitFor();
    await page.goto(`${stack.url}/settings/members`);
    await page.getByText(OWNER.email).waitFor();
    await page.goto(`${stack.url}/settings/appearance`);
    await page.getByText("Dark", { exact: true }).click();
    await page.reload();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await page.getByText("As the system").click();
  });

  step("shows another team's address as not found, and an ended session as the way back in", async () => {
    await page.goto(`${stack.url}/projects/prj_00000000000000000000000000000000`);
    await page.getByRole("heading", { name: /not found|nothing here/i }).waitFor();
    await page.goto(at("/runs"));
    await page.getByRole("region", { name: "Runs" }).waitFor();
    await context.clearCookies();
    // Whatever asks first notices: this click, or the page by itself before it.
    await page.getByRole("link", { name: "Servers" }).click({ timeout: 3000 }).catch(() => undefined);
    await page.getByText("Your session has ended.").waitFor();
    await shot(page, "real-session-ended");
    await signIn(page);
    await page.waitForURL(/\/(servers|runs)$/);
    await page.getByText(OWNER.name).first().waitFor();
  });

  step("reported no error, broke no content policy and asked nobody else", () => {
    assert.deepEqual(watch.errors, []);
    assert.deepEqual(watch.foreign, []);
  });

  /** Reads the repository to the end, as a click on "Analyse repository" does. */
  async function reads() {
    const headers = { Origin: stack.url };
    const { id } = await (await page.request.post(`${stack.url}/api/v1/projects/${project}/analyses`, { headers, data: { url: stack.repository } })).json();
    for (;;) {
      const { state } = await (await page.request.get(`${stack.url}/api/v1/analyses/${id}`)).json();
      if (state === "done") return;
      assert.notEqual(state, "failed");
      await page.waitForTimeout(200);
    }
  }

  async function visit(url, act) {
    const site = await context.newPage();
    assert.equal((await site.goto(url)).status(), 200, `${url} answers`);
    await act(site);
    await site.close();
  }

  const shows = (headline, url = live) => visit(url, (site) => site.getByRole("heading", { name: headline, exact: true }).waitFor());

  const signsTheBook = () =>
    visit(live, async (site) => {
      await site.getByLabel("Your name").fill("Ada");
      await site.getByLabel("Your message").fill("It <b>works</b>");
      await site.getByRole("button", { name: "Sign the book" }).click();
      await site.getByText("It <b>works</b>").waitFor();
      await shot(site, "journey-site");
    });
});

describe("a coordinator as it comes", { skip }, () => {
  let stack, browser;
  before(async () => {
    [stack, browser] = await Promise.all([startStack(program, "--strict"), launch()]);
  });
  after(async () => {
    await browser?.close();
    await stack?.close();
  });

  it("refuses private addresses as sources, clicked and typed", async () => {
    const { page } = await open(browser, stack.url);
    await setUp(page, stack.setup_link);
    await newProject(page, stack.url, "Private");
    for (const address of [stack.repository, "https://127.0.0.1/a.git", "https://169.254.169.254/latest.git", "https://[::1]/a.git"]) {
      await page.getByLabel("Repository URL").fill(address);
      await page.getByRole("button", { name: "Analyse repository" }).click();
      await page.getByText("private_address").or(page.locator("[id$=-error]").getByText(/public internet/)).first().waitFor();
    }
    await shot(page, "real-private-address");
    assert.match(await (await say(page, "deploy https://10.0.0.1/a.git")).innerText(), /public internet/);
  });
});
