// Owns the REST surface of the mock, shaped like the product's. A route is a method, a pattern and what it answers.
import { approve, operate, redeploy, Refusal } from "./actions.mjs";
import { answer, say } from "./brain.mjs";
import { digest, id } from "./ids.mjs";
import { propose, startAnalysis, tell, walkRun } from "./pipeline.mjs";

const page = (items) => ({ items, next_cursor: null });
const missing = () => new Refusal(404, "not_found", "Not found", "There is nothing by that id, or it belongs to another team.");
const get = (map, key) => map.get(key) ?? raise(missing());
const raise = (error) => {
  throw error;
};
const invalid = (field, detail) => raise(new Refusal(422, "invalid_field", "A field is not valid", detail, field));
const me = (w) => ({ user: w.user, team: w.team, teams: [w.team], csrf: null });

function change(w, service, changes) {
  if (service.locked && !("locked" in changes)) throw new Refusal(409, "locked", "The service is locked", "Unlock it before changing it.");
  Object.assign(service, changes);
  for (const plan of w.of(w.plans, "project_id", service.project_id)) {
    if (plan.state === "ready") Object.assign(plan, { state: "stale", stale_reasons: [...new Set([...plan.stale_reasons, `Service ${service.name} was changed after the plan was made.`])] });
  }
  w.note("service.update", service.id);
  w.emit("service.changed", service.id, service.project_id);
  return service;
}

export const ROUTES = [
  ["GET", "/setup", (w) => ({ needed: w.user === null }), "open"],
  ["POST", "/setup", (w, _, body, reply) => {
    if (body.token !== w.setupToken) throw new Refusal(403, "setup_token", "This set-up link is not valid", "Use the link that the coordinator printed at its first start. It works once.");
    if ((body.password ?? "").length < 12) invalid("password", "Use at least 12 characters.");
    w.user = { id: id("usr"), email: body.email, name: body.name };
    w.password = body.password;
    w.team.name = body.team_name;
    return reply.session(me(w));
  }, "open"],
  ["POST", "/auth/login", (w, _, body, reply) => {
    if (body.email !== w.user?.email || body.password !== w.password) throw new Refusal(401, "bad_credentials", "Sign-in failed", "Email or password is wrong.");
    return reply.session(me(w));
  }, "open"],
  ["POST", "/auth/logout", (_w, _p, _b, reply) => reply.leave()],
  ["GET", "/me", me],
  ["GET", "/teams/:id/members", (w) => page([{ user_id: w.user.id, email: w.user.email, name: w.user.name, role: "owner", joined_at: Date.now() }])],
  ["GET", "/tokens", (w) => page([...w.tokens.values()])],
  ["POST", "/tokens", (w, _, body) => {
    const token = { id: id("tok"), name: body.name, prefix: "hyd_7Qx2", created_at: Date.now(), role: "developer", expires_at: Date.now() + (body.expires_in_days ?? 90) * 86_400_000, last_used_at: null };
    w.tokens.set(token.id, token);
    w.note("token.create", token.id, { name: body.name });
    return { ...token, token: "hyd_7Qx2mJd0vT8kq3WcYz5rB1nLpE6uHs9aGfXo4iVt" };
  }],
  ["DELETE", "/tokens/:id", (w, { id: key }) => void w.tokens.delete(key)],
  ["GET", "/audit", (w) => page(w.audit.slice(0, 100))],
  ["GET", "/approvals", () => page([])],

  ["GET", "/projects", (w) => page([...w.projects.values()])],
  ["POST", "/projects", (w, _, body) => {
    if (!body.name?.trim()) invalid("name", "A project needs a name.");
    const slug = body.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 30) || "project";
    const project = { id: id("prj"), name: body.name, slug, type: body.type ?? "web_app", status: "empty", url: null, created_at: Date.now(), updated_at: Date.now(), last_run: null, service_count: 0, server: null };
    w.projects.set(project.id, project);
    w.note("project.create", project.id, { name: body.name });
    w.emit("project.created", project.id, project.id);
    return project;
  }],
  ["GET", "/projects/:id", (w, { id: key }) => get(w.projects, key)],
  ["PATCH", "/projects/:id", (w, { id: key }, body) => (w.touch(get(w.projects, key), body), get(w.projects, key))],
  ["DELETE", "/projects/:id", (w, { id: key }) => {
    if (w.of(w.services, "project_id", key).some((one) => one.live_release)) throw new Refusal(409, "wrong_state", "The project is live", "Stop and remove its services first.");
    w.projects.delete(key);
    w.emit("project.deleted", key, key);
  }],
  ["GET", "/projects/:id/analyses", (w, { id: key }) => page(w.of(w.analyses, "project_id", key))],
  ["POST", "/projects/:id/analyses", (w, { id: key }, body) => {
    if (!/^(https?|ssh|git):\/\/|^[\w.-]+@[\w.-]+:/.test(body.url ?? "")) invalid("url", "This is not a Git URL. It starts with https:// or ssh://.");
    return startAnalysis(w, get(w.projects, key), body);
  }],
  ["GET", "/analyses/:id", (w, { id: key }) => get(w.analyses, key)],

  ["GET", "/projects/:id/services", (w, { id: key }) => page(w.of(w.services, "project_id", key))],
  ["POST", "/projects/:id/services/accept-all", (w, { id: key }) => page(w.of(w.services, "project_id", key).map((one) => (one.state === "pending" ? change(w, one, { state: "accepted" }) : one)))],
  ["PATCH", "/services/:id", (w, { id: key }, body) => {
    const { dockerfile, route_prefix: prefix, ...rest } = body;
    const service = get(w.services, key);
    return change(w, service, { ...rest, ...(prefix === undefined ? {} : { route: prefix === "" ? null : { prefix } }), ...(dockerfile ? { dockerfile: { ...service.dockerfile, ...dockerfile, origin: "edited", verdict: null, diff: null, notes: [] } } : {}) });
  }],
  ["POST", "/services/:id/accept", (w, { id: key }) => change(w, get(w.services, key), { state: "accepted" })],
  ["POST", "/services/:id/reject", (w, { id: key }) => change(w, get(w.services, key), { state: "rejected" })],
  ["POST", "/services/:id/lock", (w, { id: key }) => change(w, get(w.services, key), { locked: true })],
  ["POST", "/services/:id/unlock", (w, { id: key }) => change(w, get(w.services, key), { locked: false })],
  ["PUT", "/services/:id/env", (w, { id: key }, body) => {
    const service = get(w.services, key);
    const env = structuredClone(service.env);
    for (const { name, value, secret } of body.vars) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) invalid("name", "A name has letters, digits and _, and does not start with a digit.");
      const known = env.find((one) => one.name === name) ?? (env.push({ name, required: false, source: null }), env.at(-1));
      Object.assign(known, { secret, set: true, value: secret ? null : value, origin: "user" });
    }
    return page(change(w, service, { env, missing: env.filter((one) => one.required && !one.set).map((one) => one.name) }).env);
  }],
  ["DELETE", "/services/:id/env/:name", (w, { id: key, name }) => void change(w, get(w.services, key), { env: get(w.services, key).env.filter((one) => one.name !== name) })],
  ["GET", "/services/:id/releases", (w, { id: key }) => page(w.of(w.releases, "service_id", key).toSorted((a, b) => b.created_at - a.created_at))],
  ...["restart", "stop", "start", "logs"].map((kind) => ["POST", `/services/:id/${kind}`, (w, { id: key }) => operate(w, get(w.services, key), kind)]),
  ["POST", "/releases/:id/rollback", (w, { id: key }) => operate(w, get(w.services, get(w.releases, key).service_id), "roll back")],

  ["GET", "/projects/:id/infrastructure-plans", (w, { id: key }) => page(w.of(w.plans, "project_id", key))],
  ["POST", "/projects/:id/infrastructure-plans", (w, { id: key }, body) => {
    if (w.servers.size === 0) throw new Refusal(409, "no_server", "There is no server", "Adopt a server first; then a plan can be made.");
    return propose(w, get(w.projects, key), body.server_ids);
  }],
  ["PATCH", "/infrastructure-plans/:id", (w, { id: key }, body) => {
    const plan = get(w.plans, key);
    for (const [service, server] of Object.entries(body.placement)) move(plan, service, server);
    plan.digest = digest(plan.servers);
    w.emit("plan.changed", plan.id, plan.project_id);
    return plan;
  }],
  ["GET", "/infrastructure-plans/:id/provisioning-plans", (w, { id: key }) => page(w.of(w.provisioning, "infrastructure_plan_id", key))],
  ["POST", "/infrastructure-plans/:id/approve", (w, { id: key }, body) => {
    const plan = get(w.plans, key);
    for (const [one, seen] of Object.entries(body.provisioning_digests ?? {})) {
      if (get(w.provisioning, one).digest !== seen) throw new Refusal(409, "digest_mismatch", "The plan is not what you saw", "Its steps changed while you were reading. Look at them again and approve them then.");
    }
    const run = approve(w, plan, body.digest);
    return { plan, run: { id: run.id, state: run.state } };
  }],
  ["PATCH", "/provisioning-plans/:id", (w, { id: key }, body) => {
    const one = get(w.provisioning, key);
    for (const { index, ...changes } of body.steps) Object.assign(one.steps[index], changes);
    one.digest = digest(one.steps);
    const plan = get(w.plans, one.infrastructure_plan_id);
    plan.digest = digest([plan.digest, one.digest]);
    w.emit("plan.changed", plan.id, plan.project_id);
    return one;
  }],

  ["GET", "/projects/:id/runs", (w, { id: key }) => page(w.of(w.runs, "project_id", key))],
  ["POST", "/projects/:id/runs", (w, { id: key }) => redeploy(w, get(w.projects, key))],
  ["GET", "/runs/:id", (w, { id: key }) => get(w.runs, key)],
  ["POST", "/runs/:id/pause", (w, { id: key }) => (tell(w, Object.assign(get(w.runs, key), { pausing: true })), get(w.runs, key))],
  ["POST", "/runs/:id/resume", (w, { id: key }) => (tell(w, Object.assign(get(w.runs, key), { state: "in_progress" })), get(w.runs, key))],
  ["POST", "/runs/:id/stop", (w, { id: key }) => (tell(w, Object.assign(get(w.runs, key), { stopping: true })), get(w.runs, key))],
  ["POST", "/runs/:id/resolve", (w, { id: key }, body) => {
    const run = get(w.runs, key);
    const step = run.servers.find((one) => one.server_id === body.server_id).steps[body.step];
    Object.assign(step, body.decision === "adopt_result" ? { state: "completed", finished_at: Date.now() } : { state: "pending", attempt: step.attempt + 1 });
    void walkRun(w, w.projects.get(run.project_id), run);
    return run;
  }],
  ["POST", "/runs/:id/retry", (w, { id: key }) => {
    const run = get(w.runs, key);
    for (const server of run.servers) for (const step of server.steps) if (step.state === "failed") Object.assign(step, { state: "pending", attempt: step.attempt + 1, error: null });
    Object.assign(run, { error: null, finished_at: null });
    void walkRun(w, w.projects.get(run.project_id), run);
    return run;
  }],
  ["GET", "/runs/:id/logs", (w, { id: key }, _b, _r, query) => {
    const text = Buffer.from(w.log(key, query.get("server"), query.get("step"), query.get("attempt")).text);
    const offset = Number(query.get("offset") ?? 0);
    const next = Math.min(text.length, offset + Number(query.get("limit") ?? 65_536));
    return { offset, next_offset: next, end: next === text.length, gaps: [], text: text.subarray(offset, next).toString(), length: text.length };
  }],

  ["GET", "/servers", (w) => page([...w.servers.values()])],
  ["POST", "/servers/adopt", (w, _, body) => {
    if (!/^[a-z0-9][a-z0-9.-]*$/i.test(body.name)) invalid("name", "Use letters, digits, dots and dashes.");
    const server = { id: id("srv"), name: body.name, state: "available", online: false, last_seen_at: null, agent_version: null, facts: null, site_ca_pem: null, projects: [], enrolled_at: null };
    w.servers.set(server.id, server);
    w.note("server.adopt", server.id, { name: body.name });
    setTimeout(() => (Object.assign(server, { online: true, enrolled_at: Date.now(), last_seen_at: Date.now(), agent_version: "0.1.0", facts: { os: "Debian GNU/Linux 12", cpu_count: 2, memory_bytes: 4_123_000_000, arch: "x86_64" } }), w.emit("server.joined", server.id)), 6 * w.second).unref();
    return { server, token: `hyd1.q0Yx5m3vJ8.${server.id.slice(-8)}.n4TzW7cPbR2e`, command: "curl -fsS --pinnedpubkey 'sha256//q0Yx5m3vJ8…=' https://hydron.example.org:8443/install | sh -s -- hydron.example.org:7443", expires_at: Date.now() + 3_600_000 };
  }],
  ["GET", "/servers/:id", (w, { id: key }) => get(w.servers, key)],
  ["PATCH", "/servers/:id", (w, { id: key }, body) => Object.assign(get(w.servers, key), body)],
  ["DELETE", "/servers/:id", (w, { id: key }) => void w.servers.delete(key)],

  ["GET", "/projects/:id/chats", (w, { id: key }) => page(w.of(w.chats, "project_id", key))],
  ["POST", "/projects/:id/chats", (w, { id: key }, body) => {
    const chat = { id: id("cht"), project_id: key, title: body.title ?? "New chat", created_at: Date.now(), updated_at: Date.now() };
    w.chats.set(chat.id, chat);
    w.emit("chat.created", chat.id, key);
    return chat;
  }],
  ["GET", "/chats/:id/messages", (w, { id: key }) => page(w.of(w.messages, "chat_id", key))],
  ["POST", "/chats/:id/messages", (w, { id: key }, body) => {
    const chat = get(w.chats, key);
    return { user_message: say(w, chat, "user", body.text), reply: answer(w, chat, body.text) };
  }],
];

function move(plan, serviceId, serverId) {
  const from = plan.servers.find((one) => one.services.some((service) => service.service_id === serviceId));
  const to = plan.servers.find((one) => one.server_id === serverId);
  if (!from || !to || from === to) return;
  const service = from.services.find((one) => one.service_id === serviceId);
  from.services = from.services.filter((one) => one !== service);
  to.services.push({ ...service, reason: "Placed here by you." });
}
