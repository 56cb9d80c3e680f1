// Owns what happens over time in the mock: an analysis reads, a plan is written, a run walks its steps.
import { analysisSteps, DETAILS, FINDINGS, foundServices } from "./catalog.mjs";
import { commit, digest, id } from "./ids.mjs";
import { writeLog } from "./logs.mjs";

export function startAnalysis(world, project, source, options = {}) {
  const bad = /localhost|127\.|10\.|192\.168\./.test(source.url) && !options.allowPrivate;
  const analysis = { id: id("anl"), project_id: project.id, state: "queued", steps: analysisSteps(), source: { ref: null, subdir: null, ...source, commit: null }, error: null, result: null, changes: null, created_at: Date.now(), finished_at: null };
  world.analyses.set(analysis.id, analysis);
  world.touch(project, { status: "analyzing" });
  world.note("analysis.start", analysis.id, { url: source.url });
  void walkAnalysis(world, project, analysis, bad);
  return analysis;
}

async function walkAnalysis(world, project, analysis, bad) {
  const states = ["cloning", "cloning", "reading", "reading", "detecting", "detecting", "detecting", "detecting"];
  for (const [at, step] of analysis.steps.entries()) {
    if (world.closed) return;
    step.state = "running";
    analysis.state = states[at];
    world.emit("analysis.progress", analysis.id, project.id);
    await world.wait(analysis.slow ?? 0.5);
    if (bad && at === 1) {
      step.state = "failed";
      Object.assign(analysis, { state: "failed", finished_at: Date.now(), error: { code: "private_address", field: "url", message: "This address is in a private network. Repositories are only fetched from public addresses; an administrator can allow others." } });
      world.touch(project, { status: "failed" });
      world.emit("analysis.failed", analysis.id, project.id);
      return;
    }
    Object.assign(step, { state: "completed", detail: DETAILS[at] });
  }
  const found = foundServices({ withMissing: /missing/.test(analysis.source.url) });
  for (const service of found) keepService(world, project, service);
  Object.assign(analysis, { state: "done", finished_at: Date.now(), result: { services: found.filter((one) => one.kind !== "dependency").map(asRead), findings: FINDINGS, stats: { files: 38, files_read: 21, bytes_read: 40_000 } } });
  analysis.source.commit = commit(analysis.source.url);
  world.touch(project, { status: "planned", service_count: found.length });
  world.emit("analysis.done", analysis.id, project.id);
}

/** A service as a reading has it: the reasons of its Dockerfile have another name there. */
export const asRead = (one) => ({ ...one, dockerfile: { ...one.dockerfile, found: one.dockerfile.origin === "repository", reasons: one.dockerfile.notes } });

export function keepService(world, project, found) {
  const service = { id: id("svc"), project_id: project.id, state: "pending", locked: false, live_release: null, source_commit: commit(project.id), ...structuredClone(found) };
  world.services.set(service.id, service);
  return service;
}

const step = (title, phase, kind, risk, summary, extra = {}) => ({ title, phase, kind, risk, summary, service_id: null, timeout_s: 900, downtime_s: 0, on_interrupt: "check_then_rerun", action: { kind, with: extra.with ?? {} }, ...extra.over });

export function planSteps(services, server) {
  const steps = [
    step("Install Docker Engine", "provisioning", "docker_engine", "r2", "Makes sure that Docker Engine 20.10 or newer is installed and answers.", { with: { install: true } }),
    step("Private network hy-corkboard", "provisioning", "network", "r1", "Creates the project's private network; nothing in it is published.", { with: { name: "hy-corkboard" } }),
  ];
  if (services.some((one) => one.kind === "dependency")) steps.push(step("Volume for postgres", "provisioning", "volume", "r1", "Creates the volume hy-corkboard-postgres-data if it is missing. Existing data is kept.", { with: { name: "hy-corkboard-postgres-data" } }));
  steps.push(step("Fetch the source at 8f3c2a1", "build", "git_checkout", "r1", "git fetch of commit 8f3c2a1 from the repository, without submodules, hooks or links that leave the tree.", { with: { url: "https://git.example.org/acme/corkboard.git", commit: commit("x") } }));
  for (const one of services) steps.push(step(`Build image ${one.name}`, "build", "image_build", "r1", `docker build of ${one.path ?? "a generated Dockerfile"} as hydron/corkboard-${one.name}:8f3c2a1.`, { with: { service: one.name, memory_mb: 2047 }, over: { service_id: one.id, timeout_s: 1800 } }));
  for (const one of services) {
    const volume = one.kind === "dependency";
    steps.push(step(`Release ${one.name}`, "deploy", "release", "r2", volume ? "Stops the old container, starts the new one on the same volume, waits until it is healthy." : "Starts the new container beside the old one, waits for its health, moves traffic, drains the old one.", { with: { service: one.id, port: one.port }, over: { service_id: one.id, timeout_s: 600, downtime_s: volume ? 5 : 0, on_interrupt: volume ? "ask" : "check_then_rerun" } }));
  }
  steps.push(step("Certificate for the site", "edge", "certificate", "r1", "Issues a certificate from this server's own authority.", { with: { issuer: "server_authority" } }));
  steps.push(step("Route the site", "edge", "route", "r2", "Validates and reloads the proxy: / to web, /api to api.", { with: { paths: ["/", "/api"] } }));
  steps.push(step("Ask the site for /", "post_deploy", "probe", "r0", "GET / through the proxy must answer 200 within 60 tries.", { with: { path: "/" }, over: { timeout_s: 60, on_interrupt: "rerun" } }));
  return steps.map((one, index) => ({ index, ...one, server }));
}

export function propose(world, project, serverIds) {
  for (const old of world.of(world.plans, "project_id", project.id)) if (old.state === "ready") Object.assign(old, { state: "stale", stale_reasons: ["A newer plan was made."] });
  const all = [...world.servers.values()].filter((one) => one.enrolled_at !== null);
  const servers = serverIds?.length ? all.filter((one) => serverIds.includes(one.id)) : all.slice(0, 1);
  const services = world.of(world.services, "project_id", project.id).filter((one) => one.state === "accepted");
  const order = { dependency: 0, worker: 1, web: 2, static: 3 };
  services.sort((a, b) => order[a.kind] - order[b.kind]);
  const split = (at) => (servers.length < 2 ? services : services.filter((one) => (one.kind === "dependency") === (at === 1)));
  const url = `https://${project.slug}-${project.id.slice(-6)}.localhost`;
  const plan = { id: id("ipl"), project_id: project.id, state: "ready", stale_reasons: [], warnings: [], url: null, run_id: null, approved_at: null, created_at: Date.now(), risk: "r2", input_digest: digest(services) };
  plan.servers = servers.map((server, at) => ({
    server_id: server.id, name: server.name,
    reason: at === 0 ? "The only server with room; 2 CPUs and 3.1 GiB are free." : "Chosen by you; keeps data apart from what faces the internet.",
    services: split(at).map((one) => ({ service_id: one.id, name: one.name, reason: one.kind === "dependency" ? "Next to the service that uses it most; its volume stays here." : one.kind === "static" ? "Serves / and needs 32 MiB." : "Serves /api; about 180 MiB by its framework." })),
  }));
  plan.url = url;
  if (services.length === 1) plan.warnings = ["Nothing depends on this service and it has no public path, so nobody can reach it."];
  plan.downtime = services.map((one) => ({ service: one.name, seconds: one.kind === "dependency" ? 5 : 0, reason: one.kind === "dependency" ? "One replica with a volume: the old container must stop before the new one starts." : "The new container is healthy before traffic moves." }));
  plan.digest = digest([plan.servers, plan.downtime]);
  world.plans.set(plan.id, plan);
  plan.provisioning_plans = plan.servers.map((server, at) => {
    const steps = planSteps(split(at), server.server_id);
    const one = { id: id("ppl"), infrastructure_plan_id: plan.id, server_id: server.server_id, state: "ready", risk: "r2", downtime_s: 5, steps, digest: digest(steps) };
    one.secrets = [{ name: "postgres/password", version: 1, generated: true }];
    one.mandates = services.filter((service) => service.kind !== "dependency").map((service) => ({ service: service.id, name: service.name, valid_until_unix_ms: Date.now() + 90 * 86_400_000, source: { git: { url: "https://git.example.org/acme/corkboard.git", reference: "refs/heads/main" } } }));
    world.provisioning.set(one.id, one);
    return { id: one.id, server_id: one.server_id, state: one.state, digest: one.digest, risk: one.risk, downtime_s: one.downtime_s, step_count: one.steps.length };
  });
  world.touch(project, { status: project.url ? project.status : "planned" });
  world.emit("plan.ready", plan.id, project.id);
  return plan;
}

export function startRun(world, project, { kind, title, servers, commit: at = commit("x"), url = null }) {
  const run = { id: id("run"), project_id: project.id, kind, title, state: "started", note: null, pausing: false, stopping: false, started_at: Date.now(), finished_at: null, requested_by: world.user?.name ?? "you", commit: at, error: null, url, phases: [], servers: [] };
  run.servers = servers.map(({ server, steps }) => ({
    server_id: server.id, name: server.name, online: true,
    steps: steps.map((one, index) => ({ index, title: one.title, phase: one.phase, service_id: one.service_id, kind: one.kind, state: "pending", attempt: 1, started_at: null, finished_at: null, doing: null, error: null, already_done: false, log_length: 0, result: null })),
  }));
  world.runs.set(run.id, run);
  phases(run);
  world.touch(project, { status: kind === "operation" ? project.status : "deploying", last_run: summary(run) });
  world.emit("run.started", run.id, project.id);
  void walkRun(world, project, run);
  return run;
}

export const summary = ({ id: run, title, state, started_at, finished_at }) => ({ id: run, title, state, started_at, finished_at });

export function phases(run) {
  const steps = run.servers.flatMap((server) => server.steps);
  run.phases = [...new Set(steps.map((one) => one.phase))].map((phase) => {
    const mine = steps.filter((one) => one.phase === phase);
    const is = (state) => mine.some((one) => one.state === state);
    const state = is("unknown") ? "unknown" : is("failed") ? "failed" : is("running") ? "running" : mine.every((one) => one.state === "completed") ? "completed" : mine.every((one) => one.state === "skipped") ? "skipped" : is("completed") ? "running" : "pending";
    const done = mine.every((one) => one.finished_at !== null);
    return { phase, state, started_at: mine[0].started_at, finished_at: done ? Math.max(...mine.map((one) => one.finished_at)) : null };
  });
}

export function tell(world, run) {
  phases(run);
  world.bus.emit(`run:${run.id}`, run);
  world.emit("run.changed", run.id, run.project_id);
}

export async function walkRun(world, project, run) {
  run.state = "in_progress";
  for (const server of run.servers) {
    for (const one of server.steps) {
      if (one.state === "completed") continue;
      if (run.pausing) {
        Object.assign(run, { state: "paused", pausing: false });
        tell(world, run);
        while (run.state === "paused" && !run.stopping && !world.closed) await world.wait(0.2);
      }
      if (world.closed) return;
      if (run.stopping) return finish(world, project, run, "stopped");
      Object.assign(one, { state: "running", started_at: Date.now(), finished_at: null, error: null });
      tell(world, run);
      const failure = await writeLog(world, run, server, one);
      if (world.closed) return;
      one.finished_at = Date.now();
      one.doing = null;
      if (failure) {
        Object.assign(one, { state: "failed", error: failure });
        run.error = { ...failure, step: one.index };
        return finish(world, project, run, "failed");
      }
      one.state = "completed";
      one.already_done = one.kind === "docker_engine";
      if (one.kind === "release") keepRelease(world, run, server, one);
      tell(world, run);
    }
  }
  finish(world, project, run, "completed");
}

function keepRelease(world, run, server, step) {
  const service = world.services.get(step.service_id);
  if (!service) return;
  for (const old of world.of(world.releases, "service_id", service.id)) if (old.current) Object.assign(old, { current: false, state: "retired", retired_at: Date.now() });
  const release = { id: id("rel"), service_id: service.id, server_id: server.server_id, state: "live", commit: service.kind === "dependency" ? null : run.commit, image_id: digest([run.id, service.id]), created_at: step.started_at, live_since: Date.now(), retired_at: null, current: true, rollback_possible: true };
  world.releases.set(release.id, release);
  service.live_release = release;
}

function finish(world, project, run, state) {
  Object.assign(run, { state, finished_at: Date.now(), pausing: false, stopping: false });
  for (const server of run.servers) for (const one of server.steps) if (one.state === "pending" && state === "stopped") one.state = "skipped";
  tell(world, run);
  const plan = world.of(world.plans, "project_id", project.id).find((one) => one.state === "executing");
  if (plan && state === "completed") plan.state = "completed";
  const status = state === "completed" ? "live" : state === "failed" ? "failed" : project.url ? "live" : "planned";
  world.touch(project, { status, last_run: summary(run), url: state === "completed" && run.url ? run.url : project.url });
}
