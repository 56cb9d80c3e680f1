// Owns what an approval, a redeploy and the operations do in the mock, for REST and chat alike.
import { commit } from "./ids.mjs";
import { planSteps, startRun } from "./pipeline.mjs";

export class Refusal extends Error {
  constructor(status, code, title, detail, field) {
    super(detail);
    Object.assign(this, { status, code, title, field });
  }
}

export function approve(world, plan, seen) {
  if (plan.state === "stale") throw new Refusal(409, "stale_plan", "The plan is stale", "Something it was made from has changed. Make a new plan and look at it.");
  if (plan.state !== "ready") throw new Refusal(409, "wrong_state", "Already decided", "This plan was approved before.");
  if (seen !== plan.digest) throw new Refusal(409, "digest_mismatch", "The plan is not what you saw", "It changed while you were reading. Look at it again and approve it then.");
  plan.state = "executing";
  const project = world.projects.get(plan.project_id);
  world.note("plan.approve", plan.id, { digest: plan.digest });
  world.emit("plan.approved", plan.id, project.id);
  const servers = plan.provisioning_plans.map((one) => ({ server: world.servers.get(one.server_id), steps: world.provisioning.get(one.id).steps }));
  const run = startRun(world, project, { kind: "deploy", title: `Deploy ${project.name}`, servers, url: plan.url });
  plan.run_id = run.id;
  return run;
}

const serverOf = (world) => [...world.servers.values()].find((one) => one.online);

export function redeploy(world, project) {
  const live = world.of(world.services, "project_id", project.id).filter((one) => one.live_release && one.kind !== "dependency").slice(0, 1);
  const steps = planSteps(live, "").filter((one) => ["git_checkout", "image_build", "release", "probe"].includes(one.kind));
  return startRun(world, project, { kind: "release", title: "Redeploy newest commit", servers: [{ server: serverOf(world), steps }], commit: commit(String(Date.now())), url: project.url });
}

export function operate(world, service, kind) {
  const project = world.projects.get(service.project_id);
  const steps = [{ title: `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${service.name}`, phase: "deploy", kind: "operate", service_id: service.id }];
  return startRun(world, project, { kind: "operation", title: steps[0].title, servers: [{ server: serverOf(world), steps }], commit: null, url: project.url });
}

export function rollbackNewest(world, project) {
  const ids = world.of(world.services, "project_id", project.id).map((one) => one.id);
  const old = [...world.releases.values()].filter((one) => ids.includes(one.service_id) && !one.current && one.rollback_possible).at(-1);
  return old ? operate(world, world.services.get(old.service_id), "roll back") : null;
}
