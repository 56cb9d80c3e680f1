// Owns the scenes: `fresh` waits for its set-up link, `ready` has an owner and a server, `busy` has everything at once:
// many servers, long names, hostile names, a failed run, an unknown step, a live app, a plan on two servers.
import { approve } from "./actions.mjs";
import { say } from "./brain.mjs";
import { analysisSteps, changesOf, FINDINGS, foundServices, ownDockerfiles } from "./catalog.mjs";
import { commit, digest, id } from "./ids.mjs";
import { longLog } from "./logs.mjs";
import { asRead, keepService, phases, propose, startAnalysis, summary } from "./pipeline.mjs";

export const HOSTILE = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script> {{7*7}} \u202e gnp.exe`;
const HOUR = 3_600_000;

export function seed(world, scene) {
  if (scene === "fresh") return;
  world.user = { id: id("usr"), email: "ada@example.org", name: "Ada Lovelace" };
  world.password = "correct horse battery";
  world.team.name = "Analytical Engines";
  const one = server(world, "frankfurt-1", {});
  if (scene === "ready") return;
  manyServers(world);
  world.adopted = one;
  world.scenes = {
    empty: project(world, "Empty shelf").id,
    analyzing: analyzing(world),
    services: withServices(world),
    plan: twoServers(world),
    failed: failedRun(world, one),
    unknown: unknownStep(world, one),
    lost: lostJournal(world, one),
    live: live(world, one),
    reread: reread(world),
    stale: stale(world),
    many: manyServices(world),
    hostile: hostile(world),
  };
  for (let at = 0; at < 24; at += 1) {
    world.audit.push({ id: id("aud"), at: Date.now() - at * HOUR, actor: { kind: "user", id: world.user.id, name: at % 5 === 0 ? "CI token" : "Ada Lovelace" }, action: ["plan.approve", "service.update", "run.pause", "token.create", "server.adopt"][at % 5], subject: id(["ipl", "svc", "run", "tok", "srv"][at % 5]), detail: at % 2 ? { digest: digest(at) } : {} });
  }
  world.tokens.set("tok_1", { id: "tok_1", name: "CI of the web shop", prefix: "hyd_7Qx2", created_at: Date.now() - 40 * 24 * HOUR, role: "developer", expires_at: Date.now() + 50 * 24 * HOUR, last_used_at: Date.now() - HOUR });
}

function server(world, name, over) {
  const one = {
    id: id("srv"), name, state: "running", online: true, last_seen_at: Date.now(), agent_version: "0.1.0", projects: [], enrolled_at: Date.now() - 9 * 24 * HOUR, site_ca_pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    facts: { os: "Debian GNU/Linux 12", kernel: "6.1.0-26-amd64", arch: "x86_64", cpu_count: 4, memory_bytes: 16_821_000_000, disk_free_bytes: 211_000_000_000, docker_version: "20.10.24", proxy_version: "nginx 1.22.1", http_port: 80, https_port: 443 },
    ...over,
  };
  world.servers.set(one.id, one);
  return one;
}

function manyServers(world) {
  const states = ["running", "running", "available", "running", "stopped", "provisioning", "running", "error"];
  for (let at = 2; at <= 30; at += 1) {
    const state = states[at % states.length];
    const online = state !== "stopped" && state !== "error";
    server(world, at === 17 ? "a-server-with-a-name-that-goes-on-and-on-because-somebody-thought-more-is-more" : `${["frankfurt", "paris", "london"][at % 3]}-${at}`, { state, online, last_seen_at: online ? Date.now() : Date.now() - at * HOUR, facts: { os: at % 2 ? "Ubuntu 24.04" : "Debian GNU/Linux 12", cpu_count: at % 5 === 0 ? 16 : 4, memory_bytes: at % 5 === 0 ? 67_340_000_000 : 16_821_000_000, arch: "x86_64" } });
  }
}

function project(world, name, over = {}) {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 30);
  const one = { id: id("prj"), name, slug, type: "web_app", status: "empty", url: null, created_at: Date.now() - 9 * 24 * HOUR, updated_at: Date.now() - 2 * HOUR, last_run: null, service_count: 0, server: null, ...over };
  world.projects.set(one.id, one);
  return one;
}

function chat(world, of, title) {
  const one = { id: id("cht"), project_id: of.id, title, created_at: Date.now() - HOUR, updated_at: Date.now() };
  world.chats.set(one.id, one);
  return one;
}

function analyzing(world) {
  const one = project(world, "Photo wall");
  const talk = chat(world, one, "Deploy photo-wall");
  const url = "https://git.example.org/acme/photo-wall.git";
  say(world, talk, "user", `deploy ${url}`);
  const analysis = startAnalysis(world, one, { url });
  analysis.slow = 30;
  say(world, talk, "assistant", "I am reading the repository. Nothing of it is run.", [{ kind: "analysis", id: analysis.id }]);
  analysis.state = "detecting";
  analysis.steps.forEach((step, at) => Object.assign(step, at < 4 ? { state: "completed", detail: ["main → 8f3c2a1", "1.2 MiB", "38 files", "2 manifests"][at] } : at === 4 ? { state: "running", detail: "2 of 3 folders" } : {}));
  analysis.steps[0].state = "completed";
  return one.id;
}

function services(world, of, state, withMissing = false) {
  const kept = foundServices({ withMissing }).map((found) => Object.assign(keepService(world, of, found), { state }));
  of.service_count = kept.length;
  return kept;
}

function withServices(world) {
  const one = project(world, "Newsletter", { status: "planned" });
  const talk = chat(world, one, "Deploy newsletter");
  services(world, one, "pending", true);
  say(world, talk, "user", "deploy https://git.example.org/acme/newsletter.git");
  say(world, talk, "assistant", "I found **three services**. One value is missing before `api` can start: `SMTP_PASSWORD`.", [{ kind: "services", id: one.id }], ["accept all services", "set SMTP_PASSWORD for api"]);
  return one.id;
}

function twoServers(world) {
  const one = project(world, "Corkboard", { status: "planned" });
  const talk = chat(world, one, "Deploy corkboard");
  services(world, one, "accepted");
  const plan = propose(world, one, [...world.servers.keys()].slice(0, 2));
  say(world, talk, "user", "accept all services");
  say(world, talk, "assistant", "All services are accepted. This is the plan; nothing has been touched yet.", [{ kind: "plan", id: plan.id }], ["approve the plan", "put everything on one server"]);
  return one.id;
}

function stale(world) {
  const one = project(world, "Wiki", { status: "planned" });
  chat(world, one, "Deploy wiki");
  services(world, one, "accepted");
  const plan = propose(world, one);
  Object.assign(plan, { state: "stale", stale_reasons: ["LOG_LEVEL of service api was changed after the plan was made.", "Service web was rejected."] });
  return one.id;
}

/** A newer commit was read: a field that a person set, a service more and one less, a Dockerfile repaired and one replaced. */
function reread(world) {
  const one = project(world, "Post office", { status: "planned" });
  const talk = chat(world, one, "Read post-office again");
  const found = ownDockerfiles();
  const kept = found.map((service) => Object.assign(keepService(world, one, service), { state: "accepted" }));
  one.service_count = kept.length;
  const url = "https://git.example.org/acme/post-office.git";
  const steps = analysisSteps().map((step) => ({ ...step, state: "completed" }));
  const analysis = { id: id("anl"), project_id: one.id, state: "done", steps, source: { url, ref: "main", subdir: null, commit: commit("newer") }, error: null, result: { services: found.map(asRead), findings: FINDINGS.slice(0, 1), stats: { files: 214, files_read: 80, bytes_read: 400_000 } }, changes: changesOf(kept), created_at: Date.now() - HOUR, finished_at: Date.now() - HOUR + 4000 };
  world.analyses.set(analysis.id, analysis);
  say(world, talk, "user", "read the repository again");
  say(world, talk, "assistant", "I am reading the repository. Nothing of it is run.", [{ kind: "analysis", id: analysis.id }]);
  return one.id;
}

/** A run that is already over, without waiting for it. */
function finishedRun(world, of, upTo, fail) {
  const second = world.second;
  const plan = world.of(world.plans, "project_id", of.id)[0];
  const quiet = Object.assign(Object.create(Object.getPrototypeOf(world)), world, { closed: true });
  const run = approve(quiet, plan, plan.digest);
  world.second = second;
  let at = Date.now() - 20 * 60_000;
  run.started_at = at;
  for (const server of run.servers) {
    for (const step of server.steps) {
      if (step.index > upTo) break;
      const took = step.kind === "image_build" ? 41_000 : step.kind === "release" ? 9_400 : 800;
      Object.assign(step, { state: "completed", started_at: at, finished_at: at + took, already_done: step.kind === "docker_engine", doing: null });
      at += took;
      const log = world.log(run.id, server.server_id, step.index, 1);
      log.text = step.kind === "image_build" ? longLog(12_000) : `${step.title}\ndone\n`;
      if (fail && step.index === upTo) Object.assign(step, fail);
    }
  }
  run.finished_at = at;
  return run;
}

function failedRun(world, machine) {
  const one = project(world, "Shop", { status: "failed", server: { id: machine.id, name: machine.name, state: "running" } });
  const talk = chat(world, one, "Deploy shop");
  services(world, one, "accepted");
  propose(world, one);
  const error = { code: "build_failed", message: "The image did not build: pip exited with 1. Its last line: could not find a version that satisfies the requirement flaskk==3.0.3" };
  const run = finishedRun(world, one, 5, { state: "failed", error, attempt: 2 });
  world.log(run.id, machine.id, 5, 2).text = "Step 5/9 : RUN pip install -r requirements.txt\n\u001b[31mERROR: Could not find a version that satisfies the requirement flaskk==3.0.3\u001b[0m\nERROR: No matching distribution found for flaskk==3.0.3\n";
  Object.assign(run, { state: "failed", error: { ...error, step: 5 } });
  phases(run);
  one.last_run = summary(run);
  one.status = "failed";
  say(world, talk, "user", "approve the plan");
  say(world, talk, "assistant", "Approved and signed. The run has started.", [{ kind: "run", id: run.id }]);
  say(world, talk, "assistant", "The image of **api** did not build: `flaskk` in `requirements.txt` looks like a typing mistake for `flask`. Correct it, push, and retry.", [{ kind: "question", id: null, data: { text: "What shall I do?", options: ["retry the failed step", "make a new plan"] } }], ["retry"]);
  return one.id;
}

function unknownStep(world, machine) {
  const one = project(world, "Tracker", { status: "degraded", server: { id: machine.id, name: machine.name, state: "running" } });
  chat(world, one, "Deploy tracker");
  services(world, one, "accepted");
  propose(world, one);
  const run = finishedRun(world, one, 7, { state: "unknown", finished_at: null });
  Object.assign(run, { state: "paused", finished_at: null, note: "agent_offline" });
  run.servers[0].online = false;
  phases(run);
  one.status = "degraded";
  return one.id;
}

/** The server can read its journal of a run no more: the run is over, and how a step has ended is not known. */
function lostJournal(world, machine) {
  const one = project(world, "Ledger", { status: "failed", server: { id: machine.id, name: machine.name, state: "running" } });
  chat(world, one, "Deploy ledger");
  services(world, one, "accepted");
  propose(world, one);
  const run = finishedRun(world, one, 7, { state: "unknown", finished_at: null });
  for (const step of run.servers[0].steps) if (step.state === "pending") step.state = "skipped";
  const message = "the server cannot read its journal of this run any more and has set it aside: how a step that was running has ended is not known; see what the server shows, then deploy again";
  Object.assign(run, { state: "failed", error: { code: "journal_lost", message, step: null } });
  phases(run);
  Object.assign(one, { status: "failed", last_run: summary(run) });
  return one.id;
}

function live(world, machine) {
  const one = project(world, "Recipes", { status: "live", url: "https://recipes-3f9c1a.localhost", server: { id: machine.id, name: machine.name, state: "running" } });
  machine.projects.push(one.id);
  const talk = chat(world, one, "Deploy recipes");
  chat(world, one, "Why is the API slow?");
  const kept = services(world, one, "accepted");
  const plan = propose(world, one);
  const run = finishedRun(world, one, 99);
  Object.assign(run, { state: "completed", url: one.url });
  plan.state = "completed";
  phases(run);
  Object.assign(one, { status: "live", last_run: summary(run) });
  for (const service of kept) {
    for (const [age, current] of [[9, false], [3, false], [0, true]]) {
      const release = { id: id("rel"), service_id: service.id, server_id: machine.id, state: current ? "live" : "retired", commit: service.kind === "dependency" ? null : commit(`${age}`), image_id: digest([service.id, age]), created_at: Date.now() - age * 24 * HOUR, live_since: Date.now() - age * 24 * HOUR, retired_at: current ? null : Date.now(), current, rollback_possible: age < 9 };
      world.releases.set(release.id, release);
      if (current) service.live_release = release;
    }
  }
  say(world, talk, "user", "approve the plan");
  say(world, talk, "assistant", "Approved and signed. The run has started.", [{ kind: "run", id: run.id }], ["redeploy", "show the logs of api", "roll back"]);
  return one.id;
}

function manyServices(world) {
  const one = project(world, "A monorepo with a name so long that nobody would ever type it twice, and yet here it is", { status: "planned" });
  chat(world, one, "Everything at once");
  const [api] = foundServices({ withMissing: false });
  for (let at = 1; at <= 100; at += 1) keepService(world, one, { ...api, name: at === 50 ? "service-with-an-extraordinarily-long-name-that-has-to-be-cut-somewhere" : `service-${at}`, path: `services/part-${at}`, depends_on: at > 1 ? [`service-${at - 1}`] : [] });
  one.service_count = 100;
  return one.id;
}

function hostile(world) {
  const one = project(world, HOSTILE, { status: "planned" });
  const talk = chat(world, one, HOSTILE);
  const [api] = foundServices({ withMissing: true });
  const service = keepService(world, one, { ...api, name: HOSTILE, start: HOSTILE, path: HOSTILE, framework: HOSTILE, missing: [HOSTILE], evidence: [{ field: "start", value: HOSTILE, file: HOSTILE, line: 1, rule: HOSTILE, confidence: 0.5, chosen: true }], dockerfile: { origin: "generated", path: HOSTILE, content: HOSTILE, verdict: "repair", notes: [HOSTILE], diff: `--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-${HOSTILE}\n+${HOSTILE.repeat(9)}\n` } });
  service.state = "accepted";
  const plan = propose(world, one);
  plan.servers[0].reason = HOSTILE;
  say(world, talk, "user", HOSTILE);
  say(world, talk, "assistant", `${HOSTILE}\n\n![pixel](https://evil.example/pixel.png) [click](javascript:window.pwned=1) [data](data:text/html,<script>window.pwned=1</script>) <iframe src="https://evil.example"></iframe>\n\n\`\`\`html\n${HOSTILE}\n\`\`\``, [{ kind: "services", id: one.id }, { kind: "plan", id: plan.id }, { kind: "error", id: null, data: { code: HOSTILE, message: HOSTILE } }, { kind: "question", id: null, data: { text: HOSTILE, options: [HOSTILE] } }], [HOSTILE]);
  world.log("run_hostile", "srv", 0, 1).text = `${HOSTILE}\n`;
  return one.id;
}
