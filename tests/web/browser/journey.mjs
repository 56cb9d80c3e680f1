// Owns the main job as a person does it in the browser: by clicking, and by typing. Works against any coordinator.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { shot } from "./chromium.mjs";

/** A build on a small machine takes minutes; everything else takes moments. */
const LONG = Number(process.env.PATIENCE_RUN ?? 15 * 60_000);

export const OWNER = { name: "Ada Lovelace", email: "ada@example.org", password: process.env.HYDRON_PASSWORD ?? "correct horse battery", team: "Analytical Engines" };

/** Set-up from the one-time link, or sign-in where somebody set it up before. */
export async function enter(page, origin, setupLink) {
  if (setupLink) {
    await page.goto(setupLink);
    await page.getByRole("heading", { name: "Set up Hydron" }).waitFor();
    await shot(page, "journey-setup");
    await page.getByLabel("Your name").fill(OWNER.name);
    await page.getByLabel("Email").fill(OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByLabel("Team").fill(OWNER.team);
    await page.getByRole("button", { name: "Create the owner account" }).click();
  } else {
    await page.goto(`${origin}/signin`);
    await page.getByLabel("Email").fill(process.env.HYDRON_EMAIL ?? OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
  await shot(page, "journey-projects");
}

/** Makes sure that a server is there. `join` is a program that gets the token on its standard input. */
export async function haveServer(page, origin, join) {
  await page.goto(`${origin}/servers`);
  await page.getByRole("heading", { name: "Servers", level: 1 }).waitFor();
  const online = page.getByText("online", { exact: true });
  await Promise.race([online.first().waitFor(), page.getByRole("heading", { name: "No servers yet" }).waitFor()]).catch(() => undefined);
  if ((await online.count()) > 0) return;
  await page.getByRole("button", { name: "Adopt a server" }).first().click();
  await page.getByLabel("Name").fill("browser-1");
  await page.getByRole("button", { name: "Get the command" }).click();
  const token = await page.getByText(/^hyd1\./).first().textContent();
  assert.ok(token, "the token is shown once");
  await shot(page, "journey-adopt");
  if (join) {
    const child = execFile(join, { env: { ...process.env, HYDRON_JOIN_TOKEN: token } });
    child.stdin.end(`${token}\n`);
  }
  await page.getByText("browser-1 is here").waitFor({ timeout: 120_000 });
  await page.getByRole("link", { name: "See the server" }).click();
  await page.getByRole("heading", { name: "Machine" }).waitFor();
  await shot(page, "journey-server");
}

export async function newProject(page, origin, name) {
  await page.goto(origin);
  await page.getByRole("button", { name: "New project" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Create project" }).click();
  await page.getByRole("heading", { name: "What should go live?" }).waitFor();
  return /projects\/([^/?]+)/.exec(page.url())[1];
}

/** From a repository to a live site with nothing but the mouse and one URL. Returns the live address. */
export async function byClicking(page, origin, { repository, name = "Clicked guestbook" }) {
  const project = await newProject(page, origin, name);
  await shot(page, "journey-empty");
  await page.getByLabel("Repository URL").fill(repository);
  await page.getByRole("button", { name: "Analyse repository" }).click();
  await page.getByText("Resolving the commit").waitFor();
  await shot(page, "journey-analysis");
  await page.getByRole("button", { name: "Accept all", exact: true }).click({ timeout: LONG });
  await shot(page, "journey-services");
  await page.getByLabel("Details").getByRole("button", { name: "Make a plan" }).click();
  const approve = page.getByRole("button", { name: /^Approve and start · \d+ steps? · .+ downtime$/ }).last();
  await approve.waitFor({ timeout: 60_000 });
  await shot(page, "journey-plan");
  await approve.click();
  const dialog = page.getByRole("dialog", { name: "Approve this plan" });
  await dialog.getByText(/sha256:|^Digest/).first().waitFor();
  await shot(page, "journey-approval");
  await dialog.getByRole("button", { name: /^Approve and start/ }).click();
  await page.waitForURL(/\/runs\/run_/);
  await page.getByRole("region", { name: "Run", exact: true }).waitFor();
  await shot(page, "journey-run");
  const live = await finished(page);
  await shot(page, "journey-live");
  await readsLog(page);
  return { project, live };
}

/** Waits for the run on screen to end well, and returns where the site is, if the run says so. */
export async function finished(page) {
  const panel = page.getByRole("region", { name: "Run", exact: true });
  const done = panel.getByText("Completed", { exact: true }).first();
  const failed = panel.getByText("Failed", { exact: true }).first();
  await Promise.race([done.waitFor({ timeout: LONG }), failed.waitFor({ timeout: LONG })]);
  if ((await failed.count()) > 0 && (await failed.isVisible())) {
    await shot(page, "journey-failed");
    assert.fail(`the run failed: ${await panel.getByRole("alert").first().innerText()}`);
  }
  const link = panel.locator("[data-live-url]").first();
  return (await link.count()) > 0 ? link.getAttribute("href") : null;
}

async function readsLog(page) {
  await page.getByRole("link", { name: /Build image/ }).first().click();
  await page.getByRole("log", { name: /^Log of/ }).getByRole("link", { name: "Line 1", exact: true }).waitFor();
  await shot(page, "journey-log");
  await page.goBack();
  await page.getByRole("region", { name: "Run", exact: true }).waitFor();
}

/** The site itself, through the proxy and its certificate. */
export async function visit(context, url) {
  const page = await context.newPage();
  let answer = null;
  for (let left = 5; answer === null; left -= 1) {
    answer = await page.goto(url).catch((error) => {
      if (left === 0) throw error;
      return null;
    });
  }
  assert.equal(answer.status(), 200, `${url} answers`);
  await shot(page, "journey-site");
  await page.close();
}

export async function say(page, text) {
  const messages = page.getByRole("log", { name: "Messages" }).getByRole("listitem", { name: "Hydron" });
  await page.getByRole("log", { name: "Messages" }).locator("li, h2").first().waitFor();
  const before = await messages.count();
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
  await messages.nth(before).waitFor({ timeout: 60_000 });
  return messages.nth(before);
}

/** The same job by typing sentences. */
export async function byTyping(page, origin, { repository, name = "Typed guestbook" }) {
  await newProject(page, origin, name);
  const first = await say(page, `deploy ${repository}`);
  await first.getByText("Done", { exact: true }).first().waitFor({ timeout: LONG });
  await shot(page, "typing-analysis");
  await say(page, "accept all services");
  await shot(page, "typing-services");
  const plan = await say(page, "make the plan");
  await plan.getByRole("button", { name: /^Approve and start/ }).waitFor({ timeout: 60_000 });
  await shot(page, "typing-plan");
  const run = await say(page, "approve the plan");
  const card = run.getByText("Completed", { exact: true }).first();
  const failed = run.getByText("Failed", { exact: true }).first();
  await Promise.race([card.waitFor({ timeout: LONG }), failed.waitFor({ timeout: LONG })]);
  assert.ok(await card.isVisible(), `the run ended well: ${await run.innerText()}`);
  await shot(page, "typing-live");
  const nonsense = await say(page, "paint the bikeshed mauve");
  assert.match(await nonsense.innerText(), /understand/i);
  return run.getByRole("link", { name: /localhost|https?:/ }).last().getAttribute("href");
}
