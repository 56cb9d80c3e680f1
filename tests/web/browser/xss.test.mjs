// Owns the test that a stranger's text stays text in the browser: the corpus through everything that an API answers, and
// through everything that a person, a repository, a build or a chat can name in the real product.
// Rule: judged twice, under the product's content policy (a violation is a failure: something was taken for markup) and
// without it (then whatever is taken for markup really runs).
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { startMock } from "../mock/serve.mjs";
import { launch, open, OUT, settled, shot } from "./chromium.mjs";
import { CANARY, CORPUS, more, traps } from "./corpus.mjs";
import { adopt, approve, failed, newProject, onRun, setUp, signIn, toPlan } from "./journey.mjs";
import { dockerfile, serve } from "./stack.mjs";

const program = process.env.HYDRON_WEB_STACK;
const skip = program ? false : "HYDRON_WEB_STACK is not set";
const SITE = fileURLToPath(new URL("../../samples/guestbook/web", import.meta.url));

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** What a page shows after a moment; with strange answers it may never be done. */
const calm = (page) => Promise.race([settled(page).catch(() => undefined), page.waitForTimeout(2500)]);

/** A page with traps in it. */
async function trapped(url, options) {
  const opened = await open(browser, url, options);
  await opened.context.addInitScript(traps);
  opened.strangers = [];
  opened.context.on("page", (one) => opened.strangers.push(one.url()));
  return opened;
}

/** Nothing ran, nothing was asked, nothing is there that could. */
async function quiet({ page, watch, strangers }, place) {
  for (const frame of page.frames()) assert.deepEqual(await frame.evaluate(() => window.sprung ?? []), [], place);
  assert.deepEqual(await page.evaluate(more), [], place);
  assert.equal(page.frames().length, 1, place);
  assert.deepEqual([watch.foreign, watch.dialogs, strangers], [[], 0, []], place);
  assert.deepEqual(watch.errors.filter((one) => /content security policy|script/i.test(one)), [], place);
}

const pwned = (page) => page.locator("body").innerText().then((text) => text.split(/pwn\(\)|canary\.invalid/).length - 1);

describe("the traps", () => {
  it("spring for most of the corpus when it is taken for markup, and under the content policy all of that is seen", async () => {
    assert.ok(CORPUS.length >= 120 && new Set(CORPUS).size === CORPUS.length, `${CORPUS.length} texts`);
    const mock = await startMock({ scene: "ready" });
    for (const bypassCSP of [true, false]) {
      const { context, page, watch } = await trapped(mock.url, { bypassCSP });
      await page.route(`${CANARY}/**`, (route) => route.abort());
      await page.goto(`${mock.url}/signin`);
      let caught = 0;
      for (const text of CORPUS) {
        const before = watch.foreign.length + watch.errors.length;
        const seen = await page.evaluate(dropped, text).catch(() => 1);
        if (page.url() !== `${mock.url}/signin` || seen === 1) await page.goto(`${mock.url}/signin`);
        caught += seen > 0 || watch.foreign.length + watch.errors.length > before ? 1 : 0;
      }
      assert.ok(caught >= 70, `only ${caught} of ${CORPUS.length} were noticed`);
      await context.close();
    }
    await mock.close();
  });
});

/** In the page: what comes of a text that is taken for markup. */
async function dropped(markup) {
  const box = document.body.appendChild(document.createElement("div"));
  window.sprung.length = 0;
  box.innerHTML = markup;
  await new Promise((resolve) => setTimeout(resolve, 25));
  const parsed = box.querySelectorAll("*").length;
  box.remove();
  return window.sprung.length * 100 + parsed * 2;
}

describe("whatever an API answers", () => {
  const enums = new Set(JSON.stringify(JSON.parse(readFileSync(new URL("../../../coordinator/openapi.json", import.meta.url)))).match(/"enum":\[[^\]]*\]/g).flatMap((one) => JSON.parse(one.slice(7))));
  const structure = /^(\w{2,4}_[0-9a-z_]+|\d{4}-\d\d-\d\d.*)$/;
  /** Every text but ids and words of the schema becomes another one of the corpus. */
  const poisoned = (value, next, key = "") => {
    if (typeof value === "string") return enums.has(value) || structure.test(value) || /^(kind|state|status|action|type|phase)$/.test(key) ? value : next(value);
    if (Array.isArray(value)) return value.map((one) => poisoned(one, next, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poisoned(one, next, name)]));
  };
  let mock, s;
  before(async () => {
    mock = await startMock({ scene: "busy" });
    s = mock.world.scenes;
  });
  after(() => mock.close());

  const at = (project, rest = "") => `${mock.url}/projects/${project}${rest}`;
  const first = (things, project) => mock.world.of(mock.world[things], "project_id", project)[0].id;
  const places = () => [
    mock.url, `${mock.url}/servers`, `${mock.url}/servers/${mock.world.adopted.id}`, `${mock.url}/settings/tokens`, `${mock.url}/settings/members`, `${mock.url}/settings/audit`,
    at(s.hostile), at(s.live), at(s.reread), at(s.reread, "/services"), at(s.services, "/services"), at(s.services, `/services/${first("services", s.services)}`), at(s.plan, "/infrastructure"),
    at(s.failed, `/runs/${first("runs", s.failed)}`), at(s.unknown, `/runs/${first("runs", s.unknown)}`), at(s.live, "/runs"), at(s.live, `/runs/${first("runs", s.live)}?server=${mock.world.adopted.id}&step=5`), at(s.live, `/services/${first("services", s.live)}`),
  ];

  for (const [name, bypassCSP, change] of [["in the place of every text, under the content policy", false, (_, text) => text], ["behind every text, without the content policy", true, (value, text) => value + text]]) {
    it(`is shown as text: the corpus ${name}`, async () => {
      const opened = await trapped(mock.url, { bypassCSP });
      const { context, page } = opened;
      await page.goto(`${mock.url}/signin`);
      await signIn(page);
      await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
      let turn = 0;
      const told = new Set();
      const next = (value) => {
        const text = CORPUS[turn++ % CORPUS.length];
        told.add(text);
        return change(value, text);
      };
      await page.route("**/api/v1/**", async (route) => {
        if (route.request().method() !== "GET" || route.request().headers().accept === "text/event-stream") return route.fallback();
        const response = await route.fetch();
        const type = response.headers()["content-type"] ?? "";
        return type.includes("json") ? route.fulfill({ response, json: poisoned(await response.json(), next) }) : route.fulfill({ response });
      });
      let shown = 0;
      for (const place of places()) {
        await page.goto(place);
        await calm(page);
        for (const fold of (await page.locator("main button[aria-expanded=false]").all()).slice(0, 6)) await fold.click({ timeout: 500 }).catch(() => undefined);
        await quiet(opened, place);
        shown += await pwned(page);
        if (places().indexOf(place) % 6 === 0) await page.screenshot({ path: `${OUT}xss-${bypassCSP ? "behind" : "instead"}-${places().indexOf(place)}.png` });
      }
      assert.equal(told.size, CORPUS.length, "every text of the corpus was an answer");
      assert.ok(shown > 300, `only ${shown} of them are to be seen, so nothing is proved`);
      await context.close();
    });
  }
});

describe("whatever a person, a repository, a build or a chat names", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "hydron-hostile-"));
  let stack, opened, page, origin;
  const figures = {};
  const api = async (method, path, data) => {
    const response = await page.request.fetch(`${origin}/api/v1${path}`, { method, headers: { Origin: origin }, data });
    assert.ok(response.status() < 500, `${method} ${path}: ${response.status()}`);
    return { status: response.status(), json: await response.json().catch(() => null) };
  };
  /** Says each text of the corpus to the API; those that are refused must be refused with words. */
  const each = async (what, send) => {
    let taken = 0;
    for (const text of CORPUS) {
      const { status, json } = await send(text);
      if (status < 300) taken += 1;
      else assert.ok(status === 422 && json.code, `${what} ${JSON.stringify(text)}: ${status}`);
    }
    figures[what] = taken;
  };
  const look = async (...places) => {
    for (const place of places) {
      await page.goto(`${origin}${place}`);
      await calm(page);
      await quiet(opened, place);
    }
  };

  before(async () => {
    cpSync(SITE, folder, { recursive: true });
    writeFileSync(join(folder, "corpus.txt"), `${CORPUS.join("\n")}\n`);
    writeFileSync(join(folder, "Dockerfile"), dockerfile(`ENV STRANGE="<img src=x onerror=pwn()>"\nCOPY corpus.txt /\nRUN echo ${Date.now()} && cat /corpus.txt && exit 7`));
    writeFileSync(join(folder, ".env.example"), CORPUS.map((text, at) => `STRANGE_${at}=${JSON.stringify(text.replaceAll("\n", " "))}`).join("\n"));
    for (const [at, text] of CORPUS.entries()) {
      if (text.includes("/") || text.includes("\0") || at % 6) continue;
      const inside = join(folder, "services", `${at}${text}`.slice(0, 100));
      mkdirSync(inside, { recursive: true });
      const strange = (offset) => CORPUS[(at + offset) % CORPUS.length].replaceAll("\0", "");
      writeFileSync(join(inside, "package.json"), JSON.stringify({ name: strange(1), version: strange(2), scripts: { start: strange(3), build: strange(4) }, main: strange(5), engines: { node: strange(6) }, dependencies: { express: strange(7), [strange(8)]: "1" } }));
      writeFileSync(join(inside, "server.js"), `const express = require("express"); const key = process.env.SECRET_${at}; app.listen(${3000 + at}); // ${strange(9)}`);
    }
    stack = await serve(program, folder);
    origin = stack.url;
    opened = await trapped(origin);
    ({ page } = opened);
    await setUp(page, stack.setup_link);
  });
  after(async () => {
    process.stderr.write(`${JSON.stringify({ taken: figures })}\n`);
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is served under a strict content policy", async () => {
    const policy = (await page.request.get(origin)).headers()["content-security-policy"];
    const rules = Object.fromEntries(policy.split(";").map((one) => one.trim().split(/\s+/)).map(([name, ...rest]) => [name, rest.join(" ")]));
    assert.equal(rules["default-src"], "'none'");
    assert.equal(rules["script-src"], "'self'");
    assert.equal(rules["style-src"], "'self'");
    assert.equal(rules["base-uri"], "'none'");
    assert.equal(rules["frame-ancestors"], "'none'");
    assert.ok(!/unsafe|\*|https?:/.test(policy), policy);
  });

  it("stays text: names of projects, servers, tokens and conversations", async () => {
    await each("projects", (name) => api("POST", "/projects", { name: name.slice(0, 80) }));
    for (const mark of ["\u202e", "\u2066", "\u200f"]) assert.equal((await api("POST", "/projects", { name: `a${mark}b` })).status, 422, "no name reads as another");
    await each("servers", (name) => api("POST", "/servers/adopt", { name: name.slice(0, 100) }));
    await each("tokens", (name) => api("POST", "/tokens", { name: name.slice(0, 100) }));
    const { json } = await api("POST", "/projects", { name: "<b onclick=pwn()>talk" });
    await each("conversations", (title) => api("POST", `/projects/${json.id}/chats`, { title: title.slice(0, 100) }));
    await look("/", "/servers", "/settings/tokens", "/settings/audit", `/projects/${json.id}`);
    await page.goto(origin);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("pwn");
    await calm(page);
    await quiet(opened, "palette");
    await shot(page, "xss-names");
  });

  it("stays text: what is said in a chat, and what is answered", async () => {
    const { json: project } = await api("POST", "/projects", { name: "Chat <img src=x onerror=pwn()>" });
    const { json: chat } = await api("POST", `/projects/${project.id}/chats`, { title: "Talk" });
    await each("messages", (text) => api("POST", `/chats/${chat.id}/messages`, { text: /\S/.test(text) ? text : "x" }));
    for (const text of ["deploy CORPUS", "restart CORPUS", "set CORPUS=1 on api", "roll back CORPUS", "deploy https://example.org/CORPUS"]) {
      for (const one of CORPUS.slice(0, 12)) await api("POST", `/chats/${chat.id}/messages`, { text: text.replace("CORPUS", one) });
    }
    await look(`/projects/${project.id}/chats/${chat.id}`, `/projects/${project.id}`);
    await page.getByRole("log", { name: "Messages" }).getByText("pwn()").first().waitFor();
    await shot(page, "xss-chat");
  });

  it("stays text: a repository's paths, packages, commands and variables; a build's output and its failure", async () => {
    await adopt(page, origin, "strange-1", (token) => stack.ask("join", token));
    const project = await newProject(page, origin, "Strange <svg onload=pwn()>");
    await stack.ask("made", project);
    await toPlan(page, stack.repository);
    const { json } = await api("GET", `/projects/${project}/services`);
    figures.services = json.items.length;
    const [service] = json.items;
    await each("variables", (value) => api("PUT", `/services/${service.id}/env`, { vars: [{ name: "STRANGE", value }] }));
    await each("variable names", (name) => api("PUT", `/services/${service.id}/env`, { vars: [{ name, value: "1" }] }));
    await each("edits", (text) => api("PATCH", `/services/${service.id}`, { framework: text, build: text }));
    await look(...json.items.slice(0, 8).map((one) => `/projects/${project}/services/${one.id}`), `/projects/${project}/services`, `/projects/${project}/infrastructure`, `/projects/${project}`);
    await shot(page, "xss-repository");
  });

  it("stays text: the output of a build, and the words of its failure", async () => {
    rmSync(join(folder, "services"), { recursive: true, force: true });
    await stack.close();
    stack = await serve(program, folder);
    origin = stack.url;
    await opened.context.close();
    opened = await trapped(origin);
    ({ page } = opened);
    await setUp(page, stack.setup_link);
    await adopt(page, origin, "strange-2", (token) => stack.ask("join", token));
    const project = await newProject(page, origin, "Loud <svg onload=pwn()>");
    await stack.ask("made", project);
    await toPlan(page, stack.repository);
    await approve(page);
    assert.match(await failed(page), /7/);
    await quiet(opened, "a failed run");
    await shot(page, "xss-failed-run");
    await onRun(page).getByRole("link", { name: /Build image/ }).first().click();
    const log = page.getByRole("log", { name: /^Log of/ });
    await log.getByText("pwn()").first().waitFor();
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      await log.evaluate((box, part) => box.scrollTo({ top: part * box.scrollHeight }), share);
      await page.waitForTimeout(150);
      await quiet(opened, `the log at ${share}`);
    }
    await page.getByLabel("Search the log").fill("<img src=x");
    await log.locator("mark").first().waitFor();
    await quiet(opened, "a searched log");
    await shot(page, "xss-log");
    await look(`/projects/${project}`, `/projects/${project}/runs`, "/settings/audit");
  });
});
