// Owns the main job as a person does it in the browser: by clicking, and by typing. Works against any coordinator.
import assert from "node:assert/strict";
import { shot } from "./chromium.mjs";

/** A build on a small machine takes minutes; everything else takes moments. */
const LONG = Number(process.env.PATIENCE_RUN ?? 5 * 60_000);

export const OWNER = { name: "Ada Lovelace", email: "ada@example.org", password: "correct horse battery", team: "Analytical Engines" };

export async function setUp(page, setupLink) {
  await page.goto(setupLink);
  await page.getByRole("heading", { name: "Set up Hydron" }).waitFor();
  await shot(page, "journey-setup");
  await page.getByLabel("Your name").fill(OWNER.name);
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByLabel("Team").fill(OWNER.team);
  await page.getByRole("button", { name: "Create the owner account" }).click();
  await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
  await shot(page, "journey-projects");
}

export async function signIn(page, password = OWNER.password) {
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Adopts a server; `join` is given the token, and lets a machine join with it. */
export async function adopt(page, origin, name, join) {
  await page.goto(`${origin}/servers`);
  await page.getByRole("button", { name: "Adopt a server" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Get the command" }).click();
  const token = await page.getByText(/^hyd1\./).first().textContent();
  assert.ok(token, "the token is shown once");
  await shot(page, "journey-adopt");
  await join(token);
  await page.getByText(`${name} is here`).waitFor({ timeout: 60_000 });
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
  return arrived(page);
}

/** The id of the project whose empty chat is on screen. */
export async function arrived(page) {
  await page.getByRole("heading", { name: "What should go live?" }).waitFor();
  return /projects\/([^/?]+)/.exec(page.url())[1];
}

/** From a repository to a live site with nothing but the mouse and one URL. Returns the live address. */
export async function byClicking(page, repository) {
  await shot(page, "journey-empty");
  await toPlan(page, repository);
  const panel = page.getByRole("region", { name: "Infrastructure plan" });
  const summary = await panel.getByText(/^Digest/).first().getAttribute("title");
  await page.getByRole("button", { name: APPROVE }).last().click();
  const dialog = page.getByRole("dialog", { name: "Approve this plan" });
  const digest = await dialog.getByText(/[0-9a-f]{64}$/).first().innerText();
  await shot(page, "journey-approval");
  await dialog.getByRole("button", { name: APPROVE }).click();
  await page.waitForURL(/\/runs\/run_/);
  await onRun(page).waitFor();
  await onRun(page).getByText("(Running)").or(onRun(page).getByText("(Completed)")).first().waitFor({ state: "attached", timeout: 60_000 });
  await shot(page, "journey-run");
  const live = await finished(page);
  await shot(page, "journey-live");
  await readsLog(page);
  return { live, summary, digest: digest.replace(/^Digest\s*/, "").trim() };
}

/** From a repository to the plan that waits for a decision. */
export async function toPlan(page, repository) {
  await page.getByLabel("Repository URL").fill(repository);
  await page.getByRole("button", { name: "Analyse repository" }).click();
  await page.getByText("Resolving the commit").waitFor();
  await shot(page, "journey-analysis");
  await page.getByRole("button", { name: "Accept all", exact: true }).click({ timeout: LONG });
  await shot(page, "journey-services");
  await page.getByLabel("Details").getByRole("button", { name: "Make a plan" }).click();
  await page.getByRole("button", { name: APPROVE }).last().waitFor({ timeout: 60_000 });
  await shot(page, "journey-plan");
}

/** Approves the plan on screen, without the looking that {@link byClicking} does. */
export async function approve(page) {
  await page.getByRole("button", { name: APPROVE }).last().click();
  await page.getByRole("dialog", { name: "Approve this plan" }).getByRole("button", { name: APPROVE }).click();
  await page.waitForURL(/\/runs\/run_/);
}

/** Waits for the run on screen to fail, and returns what it says of that. */
export async function failed(page) {
  const panel = onRun(page);
  const done = panel.getByText("Completed", { exact: true }).first();
  await panel.getByText("Failed", { exact: true }).first().or(done).first().waitFor({ timeout: LONG });
  assert.ok(!(await done.isVisible()), "a run that must fail went well");
  return panel.getByRole("alert").first().innerText();
}

export const APPROVE = /^Approve and start · \d+ steps? · .+ downtime$/;

export const onRun = (page) => page.getByRole("region", { name: "Run", exact: true });

/** Waits for the run on screen to end well, and returns where the site is, if the run says so. */
export async function finished(page) {
  const panel = onRun(page);
  const done = panel.getByText("Completed", { exact: true }).first();
  const failed = panel.getByText("Failed", { exact: true }).first();
  await done.or(failed).first().waitFor({ timeout: LONG });
  if (await failed.isVisible()) {
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
  await onRun(page).waitFor();
}

/** One sentence, and Hydron's answer to it, wherever other news stand. */
export async function say(page, text) {
  const messages = page.getByRole("log", { name: "Messages" });
  await messages.locator("li, h2").first().waitFor();
  const answered = page.waitForResponse((one) => one.request().method() === "POST" && one.url().endsWith("/messages"), { timeout: 60_000 });
  const line = page.getByLabel("Message", { exact: true });
  await line.focus();
  await page.keyboard.insertText(text);
  await page.keyboard.press("Enter");
  const { reply } = await (await answered).json();
  const answer = messages.locator(`[data-message="${reply.id}"]`);
  await answer.waitFor();
  return answer;
}

/** The run in an answer, at its good end. */
export async function ended(answer) {
  const done = answer.getByText("Completed", { exact: true }).first();
  await done.or(answer.getByText("Failed", { exact: true }).first()).first().waitFor({ timeout: LONG });
  assert.ok(await done.isVisible(), `the run ended well: ${await answer.innerText()}`);
}

/** The same job by typing sentences. */
export async function byTyping(page, repository) {
  const first = await say(page, `deploy ${repository}`);
  await first.getByText("Done", { exact: true }).first().waitFor({ timeout: LONG });
  await shot(page, "typing-analysis");
  await say(page, "accept all services");
  await shot(page, "typing-services");
  const plan = await say(page, "make the plan");
  await plan.getByRole("button", { name: APPROVE }).waitFor({ timeout: 60_000 });
  await shot(page, "typing-plan");
  const run = await say(page, "approve the plan");
  await ended(run);
  await shot(page, "typing-live");
  const nonsense = await say(page, "paint the bikeshed mauve");
  assert.match(await nonsense.innerText(), /understand/i);
  return run.getByRole("link", { name: /localhost|https?:/ }).last().getAttribute("href");
}

/** Presses Tab until what has the focus is called `name`, as somebody without a mouse does. */
export async function tabTo(page, name) {
  const seen = [];
  for (let left = 120; left > 0; left -= 1) {
    await page.keyboard.press("Tab");
    const [called, marked] = await page.evaluate(() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      return [one.getAttribute("aria-label") ?? one.innerText.trim(), style.outlineStyle !== "none" || one.matches("textarea")];
    });
    seen.push(called);
    assert.ok(marked, `the focus on “${called}” can be seen`);
    if (name.test(called)) return;
  }
  assert.fail(`no Tab leads to ${name}; it leads to ${seen.join(" · ")}`);
}
