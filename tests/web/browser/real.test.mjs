// Owns the browser test of a real coordinator: from set-up to the live URL by clicking, then by typing.
// HYDRON_URL is the coordinator; SETUP_LINK its one-time link (without it: HYDRON_EMAIL and HYDRON_PASSWORD);
// REPO_URL what to deploy; HYDRON_JOIN a program that lets a server join when none has (token on standard input).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { audit } from "./axe.mjs";
import { launch, open, shot, SIZES } from "./chromium.mjs";
import { byClicking, byTyping, enter, finished, haveServer, visit } from "./journey.mjs";

const { HYDRON_URL: url, SETUP_LINK: setupLink, REPO_URL: repository, HYDRON_JOIN: join } = process.env;
const origin = url?.replace(/\/$/, "");

describe("a real coordinator", { skip: origin && repository ? false : "HYDRON_URL and REPO_URL are not set" }, () => {
  let browser, context, page, watch, clicked;
  before(async () => {
    browser = await launch();
    ({ context, page, watch } = await open(browser, origin));
  });
  after(() => browser.close());

  it("lets its owner in and has a server", async () => {
    await enter(page, origin, setupLink);
    await haveServer(page, origin, join);
  });

  it("takes a repository live by clicking", async () => {
    clicked = await byClicking(page, origin, { repository });
    assert.match(clicked.live ?? "", /^https:\/\//);
    await visit(context, clicked.live);
  });

  it("has nothing that axe objects to, wherever the job went, in both themes", async () => {
    for (const path of ["/", "/servers", "/settings/tokens", "/settings/audit", ...["", "/services", "/infrastructure", "/runs"].map((panel) => `/projects/${clicked.project}${panel}`)]) {
      await page.goto(origin + path);
      await audit(page, path);
    }
  });

  it("restarts a service and redeploys by clicking", async () => {
    await page.goto(`${origin}/projects/${clicked.project}/services`);
    await page.getByRole("region", { name: "Services" }).getByRole("link").filter({ hasText: /^(?!postgres|redis).+/ }).first().click();
    await page.getByRole("group", { name: /^Operations on/ }).getByRole("button", { name: "Restart" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await finished(page);
    await page.goto(`${origin}/projects/${clicked.project}/runs`);
    await page.getByRole("button", { name: "Redeploy newest commit" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await finished(page);
    await visit(context, clicked.live);
  });

  it("takes a repository live by typing", async () => {
    const live = await byTyping(page, origin, { repository });
    assert.match(live ?? "", /^https:\/\//);
    await visit(context, live);
  });

  it("looks right in every size and theme", async () => {
    const storage = await context.storageState();
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const dark of [false, true]) {
        const other = await open(browser, origin, { size: viewport, dark, storage });
        for (const panel of ["", "/services", "/infrastructure", "/runs"]) {
          await other.page.goto(`${origin}/projects/${clicked.project}${panel}`);
          await other.page.waitForTimeout(800);
          await shot(other.page, `real${panel.replace("/", "-") || "-chat"}-${size}-${dark ? "dark" : "light"}`);
          const wider = await other.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(wider <= 0, `${panel} at ${size} does not scroll sideways`);
        }
        await other.context.close();
      }
    }
  });

  it("reported no error, broke no content policy and asked nobody else", () => {
    assert.deepEqual(watch.errors, []);
    assert.deepEqual(watch.foreign, []);
  });
});
