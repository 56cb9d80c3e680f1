// Owns the browser test of the UI alone, against the mock coordinator: the whole job twice, every scene under axe,
// hostile names, long logs, the keyboard.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startMock } from "../mock/serve.mjs";
import { audit } from "./axe.mjs";
import { launch, open, shot, SIZES } from "./chromium.mjs";
import { adopt, byClicking, byTyping, newProject, say, setUp, signIn } from "./journey.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const clean = (watch) => {
  assert.deepEqual(watch.errors, [], "no error in the console, no breach of the content policy");
  assert.deepEqual(watch.foreign, [], "nothing is asked of another host");
  assert.equal(watch.dialogs, 0);
};

describe("from set-up to the live URL", () => {
  let mock, page, watch;
  before(async () => {
    mock = await startMock({ scene: "fresh", second: 120 });
    ({ page, watch } = await open(browser, mock.url));
  });
  after(() => mock.close());

  it("refuses a wrong link with words and a code", async () => {
    await page.goto(`${mock.url}/setup#token=wrong`);
    await page.getByLabel("Your name").fill("Eve");
    await page.getByLabel("Email").fill("eve@example.org");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByLabel("Team").fill("Eves");
    await page.getByRole("button", { name: "Create the owner account" }).click();
    await page.getByRole("alert").getByText("setup_token").waitFor();
    await page.goto("about:blank");
  });

  it("lets the owner in, adopts a server, and goes live by clicking", async () => {
    await setUp(page, mock.setupLink);
    await adopt(page, mock.url, "browser-1", () => undefined);
    await newProject(page, mock.url, "Clicked corkboard");
    const { live } = await byClicking(page, "https://git.example.org/acme/corkboard.git");
    assert.match(live, /^https:\/\/clicked-corkboard-/);
  });

  it("goes live by typing", async () => {
    await newProject(page, mock.url, "Typed corkboard");
    const live = await byTyping(page, "https://git.example.org/acme/corkboard.git");
    assert.match(live, /^https:\/\/typed-corkboard-/);
  });

  it("says what was wrong with a repository", async () => {
    await page.goto(mock.url);
    await page.getByRole("button", { name: "New project" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill("Bad input");
    await page.keyboard.press("Enter");
    await page.getByLabel("Repository URL").fill("not a url; rm -rf /");
    await page.getByRole("button", { name: "Analyse repository" }).click();
    await page.getByText("This is not a Git URL").waitFor();
    await page.getByLabel("Repository URL").fill("https://192.168.0.1/repo.git");
    await page.getByRole("button", { name: "Analyse repository" }).click();
    await page.getByText("private_address").waitFor();
    await shot(page, "mock-bad-input");
  });

  it("did so without an error", () => clean(watch));
});

describe("every scene", () => {
  let mock, page, watch, s;
  const at = (project, rest = "") => `${mock.url}/projects/${project}${rest}`;
  const run = (project) => mock.world.of(mock.world.runs, "project_id", project)[0].id;
  before(async () => {
    mock = await startMock({ scene: "busy" });
    s = mock.world.scenes;
    ({ page, watch } = await open(browser, mock.url));
    await page.goto(`${mock.url}/signin`);
    await signIn(page);
    await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
  });
  after(() => mock.close());

  it("passes axe, light and dark", async () => {
    const service = mock.world.of(mock.world.services, "project_id", s.live)[0].id;
    const missing = mock.world.of(mock.world.services, "project_id", s.services)[0].id;
    const places = [
      mock.url, `${mock.url}/servers`, `${mock.url}/servers/${mock.world.adopted.id}`, `${mock.url}/settings/tokens`, `${mock.url}/settings/members`, `${mock.url}/settings/audit`, `${mock.url}/settings/appearance`,
      at(s.empty), at(s.analyzing), at(s.services, "/services"), at(s.services, `/services/${missing}`), at(s.reread), at(s.reread, "/services"), at(s.plan, "/infrastructure"), at(s.stale, "/infrastructure"),
      at(s.failed, `/runs/${run(s.failed)}`), at(s.unknown, `/runs/${run(s.unknown)}`), at(s.lost, `/runs/${run(s.lost)}`), at(s.live, "/runs"), at(s.live, `/runs/${run(s.live)}?server=${mock.world.adopted.id}&step=5`), at(s.live, `/services/${service}`), at(s.hostile, "/infrastructure"),
    ];
    for (const place of places) {
      await page.goto(place);
      await audit(page, place);
    }
  });

  it("passes axe in dialogs, the palette and on a telephone", async () => {
    await page.goto(at(s.plan, "/infrastructure"));
    await page.getByRole("button", { name: /^Approve and start/ }).last().click();
    await page.getByRole("dialog").waitFor();
    await audit(page, "approval");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await audit(page, "palette");
    const phone = await open(browser, mock.url, { size: SIZES.narrow, storage: await page.context().storageState() });
    for (const place of [mock.url, at(s.plan, "/infrastructure"), at(s.plan)]) {
      await phone.page.goto(place);
      await audit(phone.page, `telephone ${place}`);
    }
    await phone.context.close();
  });

  it("never scrolls sideways, in any size", async () => {
    for (const size of Object.values(SIZES)) {
      await page.setViewportSize(size);
      for (const place of [mock.url, `${mock.url}/servers`, at(s.hostile, "/services"), at(s.hostile, "/infrastructure"), at(s.hostile), at(s.many, "/services"), at(s.failed, `/runs/${run(s.failed)}`)]) {
        await page.goto(place);
        await page.waitForTimeout(300);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wider <= 0, `${place} is ${wider}px too wide at ${size.width}`);
      }
    }
    await page.setViewportSize(SIZES.wide);
  });

  it("shows what a newer commit changed, and the repair of a Dockerfile inside its own box", async () => {
    await page.goto(at(s.reread));
    const message = page.getByRole("log", { name: "Messages" });
    await message.getByText("Variable STRIPE_KEY").waitFor();
    await message.getByRole("button", { name: "Show 3 more changes" }).click();
    await message.getByText("no longer found").waitFor();
    const orders = mock.world.of(mock.world.services, "project_id", s.reread).find((one) => one.name === "orders");
    for (const size of Object.values(SIZES)) {
      await page.setViewportSize(size);
      await page.goto(at(s.reread, `/services/${orders.id}`));
      await page.getByRole("button", { name: "Dockerfile", exact: true }).click();
      const box = page.getByRole("region", { name: "Changes to the Dockerfile of orders" });
      await box.getByRole("row", { name: /added CMD \["node", "dist\/server.js"\]/ }).waitFor();
      assert.equal(await box.locator("[data-change=removed]").count(), 2);
      assert.ok((await box.evaluate((one) => one.scrollWidth - one.clientWidth)) > 0, "long lines scroll inside the box");
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `the page is ${wider}px too wide at ${size.width}`);
      await audit(page, `a repaired Dockerfile at ${size.width}`);
    }
    await page.setViewportSize(SIZES.wide);
  });

  it("offers nothing that cannot help when a server lost its journal of a run, and says what is not known", async () => {
    await page.goto(at(s.lost, `/runs/${run(s.lost)}`));
    const trouble = page.getByRole("alert").filter({ hasText: "deploy again" });
    await trouble.getByText(/^How “.+” has ended on .+ is not known\.$/).waitFor();
    for (const name of [/^Retry/, "It worked: go on", "Run it again"]) assert.equal(await page.getByRole("button", { name }).count(), 0, String(name));
  });

  it("shows hostile names as text and runs none of them", async () => {
    for (const rest of ["", "/services", `/services/${mock.world.of(mock.world.services, "project_id", s.hostile)[0].id}`, "/infrastructure", "/runs"]) {
      await page.goto(at(s.hostile, rest));
      await page.waitForTimeout(500);
      assert.equal(await page.evaluate(() => "pwned" in window), false);
      assert.equal(await page.locator("img, iframe, object, embed").count(), 0);
    }
    for (const link of await page.locator("a[href]").evaluateAll((all) => all.map((one) => one.protocol))) assert.match(link, /^https?:$/);
  });

  it("handles a log of 12,000 lines: few elements, search, jump to an error, permanent links", async () => {
    await page.goto(at(s.live, `/runs/${run(s.live)}?server=${mock.world.adopted.id}&step=5`));
    const log = page.getByRole("log", { name: /^Log of/ });
    await log.getByRole("link", { name: "Line 1", exact: true }).waitFor();
    assert.ok((await log.locator("[data-index]").count()) < 150, "only lines in sight exist");
    await page.getByLabel("Search the log").fill("request 11999 ");
    await page.keyboard.press("Enter");
    await log.getByRole("link", { name: "Line 11999", exact: true }).waitFor();
    assert.equal(await log.locator("mark").first().textContent(), "request 11999 ");
    await page.getByRole("button", { name: "Jump to the next error" }).click();
    await page.waitForURL(/#L\d+$/);
    await page.goto(at(s.live, `/runs/${run(s.live)}?server=${mock.world.adopted.id}&step=5#L8000`));
    await page.reload();
    await log.getByRole("link", { name: "Line 8000", exact: true }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the log" }).click();
    assert.match((await download).suggestedFilename(), /\.log$/);
  });

  it("works by keyboard: palette, panels, help, chat", async () => {
    await page.goto(at(s.live));
    await page.getByRole("heading", { name: "Recipes", level: 1 }).waitFor();
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press("i");
    await page.waitForURL(/\/infrastructure/);
    await page.keyboard.press("r");
    await page.waitForURL(/\/runs/);
    await page.goBack();
    await page.waitForURL(/\/infrastructure/);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Command palette" }).waitFor();
    await page.keyboard.type("shop");
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(s.failed));
    await page.getByRole("heading", { name: "Shop", level: 1 }).waitFor();
    await page.keyboard.press("c");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Message");
  });

  it("gives the focus back to what opened a dialog or a menu, also when their code was slow to come", async () => {
    const { context, page: slow, watch: seen } = await open(browser, mock.url, { storage: await page.context().storageState() });
    await slow.route(/assets\/(menu-list|dialog-frame)-/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    const focused = () => slow.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);
    await slow.goto(at(s.live));
    const menu = slow.getByRole("button", { name: "Project menu" });
    await menu.focus();
    await slow.keyboard.press("Enter");
    assert.equal(await slow.getByRole("menu").count(), 0, "its code has not come");
    await slow.getByRole("menuitem", { name: "Rename" }).waitFor();
    assert.equal(await focused(), "Rename");
    await slow.keyboard.press("Escape");
    await slow.getByRole("menu").waitFor({ state: "detached" });
    assert.equal(await focused(), "Project menu");
    await slow.keyboard.press("ArrowDown");
    await slow.keyboard.press("Enter");
    await slow.getByRole("dialog", { name: "Rename project" }).waitFor();
    await slow.keyboard.type("Typed at once");
    assert.match(await slow.getByRole("dialog").getByLabel("Name").inputValue(), /Typed at once$/);
    await slow.keyboard.press("Escape");
    await slow.getByRole("dialog").waitFor({ state: "detached" });
    await slow.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Project menu");
    // What the palette opens keeps the focus.
    await slow.keyboard.press("Control+k");
    await slow.getByRole("dialog", { name: "Command palette" }).waitFor();
    await slow.keyboard.type("Keyboard help");
    await slow.keyboard.press("Enter");
    await slow.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await slow.waitForTimeout(100);
    assert.equal(await slow.evaluate(() => document.activeElement?.closest("[role=dialog]") !== null), true);
    await slow.keyboard.press("Escape");
    await slow.getByRole("dialog").waitFor({ state: "detached" });
    clean(seen);
    await context.close();
  });

  it("opens by the mouse, and says that it is on its way, when code is slow to come", async () => {
    const { context, page: slow, watch: seen } = await open(browser, mock.url, { storage: await page.context().storageState() });
    await slow.route(/assets\/(menu-list|dialog-frame)-/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    await slow.goto(mock.url);
    const help = slow.getByRole("button", { name: "Keyboard help" });
    await help.click();
    await slow.getByRole("status", { name: "Loading" }).waitFor();
    await slow.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await slow.keyboard.press("Escape");
    await slow.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Keyboard help");
    await slow.goto(at(s.live));
    await slow.getByRole("button", { name: "Project menu" }).click();
    await slow.getByRole("menuitem", { name: "Rename" }).click();
    await slow.getByRole("dialog", { name: "Rename project" }).waitFor();
    clean(seen);
    await context.close();
  });

  it("keeps an approval to what was seen: a plan edited meanwhile is refused", async () => {
    await page.goto(at(s.plan, "/infrastructure"));
    await page.getByRole("button", { name: /^Approve and start/ }).last().click();
    const plan = mock.world.of(mock.world.plans, "project_id", s.plan)[0];
    plan.digest = `sha256:${"0".repeat(64)}`;
    await page.getByRole("dialog").getByRole("button", { name: /^Approve and start/ }).click();
    await page.getByRole("dialog").getByText("digest_mismatch").waitFor();
    assert.equal(plan.state, "ready");
  });

  it("moves inside old messages while a run goes on, and pauses and resumes it", async () => {
    await page.goto(at(s.live));
    const message = await say(page, "redeploy");
    await message.getByText("In progress").waitFor();
    await message.getByRole("button", { name: "Pause" }).click();
    await message.getByText("Paused", { exact: true }).waitFor();
    await message.getByRole("button", { name: "Resume" }).click();
    await message.getByText("Completed", { exact: true }).waitFor({ timeout: 60_000 });
  });

  it("loads little script first", async () => {
    const fresh = await open(browser, mock.url, { storage: await page.context().storageState() });
    let bytes = 0;
    fresh.page.on("response", async (response) => {
      if (response.url().endsWith(".js")) bytes += (await import("node:zlib")).gzipSync(await response.body()).length;
    });
    await fresh.page.goto(mock.url);
    await fresh.page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
    await fresh.page.waitForTimeout(3000);
    assert.ok(bytes > 0 && bytes < 200 * 1024, `${Math.round(bytes / 1024)} KB of script for the first page`);
    await fresh.context.close();
  });

  it("did so without an error", () => clean(watch));
});
