// Owns the state of the mock coordinator and tells listeners what changed. One team, everything in memory.
import { EventEmitter } from "node:events";
import { id } from "./ids.mjs";

export class World {
  constructor() {
    this.bus = new EventEmitter().setMaxListeners(500);
    this.seq = 0;
    this.said = 0;
    this.events = [];
    this.user = null;
    this.password = null;
    this.sessions = new Set();
    this.setupToken = "f00dcafe-setup";
    this.team = { id: id("team"), name: "Team", role: "owner" };
    this.projects = new Map();
    this.analyses = new Map();
    this.services = new Map();
    this.releases = new Map();
    this.plans = new Map();
    this.provisioning = new Map();
    this.runs = new Map();
    this.logs = new Map();
    this.servers = new Map();
    this.chats = new Map();
    this.messages = new Map();
    this.tokens = new Map();
    this.audit = [];
    this.closed = false;
    /** Milliseconds that a simulated second takes. */
    this.second = 1000;
  }

  of(map, field, value) {
    return [...map.values()].filter((one) => one[field] === value);
  }

  /** Appends an event to the team's stream and wakes everybody who listens. */
  emit(kind, subject, project = null, data = {}) {
    const event = { seq: ++this.seq, kind, project_id: project, subject, data, at: Date.now() };
    this.events.push(event);
    this.bus.emit("team", event);
  }

  note(action, subject, detail = {}) {
    const { user } = this;
    this.audit.unshift({ id: id("aud"), at: Date.now(), actor: { kind: "user", id: user?.id ?? null, name: user?.name ?? "set-up" }, action, subject, detail });
  }

  touch(project, changes = {}) {
    Object.assign(project, changes, { updated_at: Date.now() });
    this.emit("project.changed", project.id, project.id);
  }

  log(run, server, step, attempt) {
    const key = `${run}/${server}/${step}/${attempt}`;
    if (!this.logs.has(key)) this.logs.set(key, { key, text: "", end: false });
    return this.logs.get(key);
  }

  write(log, text) {
    const offset = Buffer.byteLength(log.text);
    log.text += text;
    this.bus.emit(`log:${log.key}`, { offset, text, next: Buffer.byteLength(log.text) });
  }

  wait(seconds) {
    return new Promise((resolve) => setTimeout(resolve, seconds * this.second).unref());
  }
}
