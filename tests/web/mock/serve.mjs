// Owns the mock coordinator: serves the built UI under the product's content policy, the REST shapes from memory,
// and the event streams. For the browser tests and for developing the UI; never part of the product.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { ROUTES } from "./routes.mjs";
import { seed } from "./seed.mjs";
import { World } from "./world.mjs";

const DIST = fileURLToPath(new URL("../../../coordinator/web/dist/", import.meta.url));
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".txt": "text/plain" };
const COMPILED = ROUTES.map(([method, path, act, open]) => ({ method, act, open: open === "open", pattern: new RegExp(`^/api/v1${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`) }));

export async function startMock({ port = 0, second = 1000, scene = "fresh" } = {}) {
  const world = new World();
  world.second = second;
  seed(world, scene);
  const server = createServer((request, response) => {
    handle(world, request, response).catch((error) => problem(response, error));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://localhost:${server.address().port}`;
  const close = () => {
    world.closed = true;
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, world, close, setupLink: `${url}/setup#token=${world.setupToken}` };
}

async function handle(world, request, response) {
  const url = new URL(request.url, "http://mock");
  if (!url.pathname.startsWith("/api/")) return asset(url.pathname, response);
  const signedIn = /(?:^|; )session=(\w+)/.exec(request.headers.cookie ?? "")?.[1];
  const inside = world.sessions.has(signedIn);
  if (request.method === "GET" && stream(world, url, request, response, inside)) return;
  for (const { method, pattern, act, open } of COMPILED) {
    const found = method === request.method && pattern.exec(url.pathname);
    if (!found) continue;
    if (!open && !inside) return problem(response, { status: 401, code: "unauthenticated", title: "Not signed in", message: "Sign in and try again." });
    let cookie = null;
    let status = request.method === "POST" ? 201 : 200;
    const reply = {
      session(body) {
        const key = Math.random().toString(36).slice(2);
        world.sessions.add(key);
        cookie = `session=${key}; Path=/; HttpOnly; SameSite=Strict`;
        return body;
      },
      leave() {
        world.sessions.delete(signedIn);
      },
    };
    const body = act(world, found.groups ?? {}, await read(request), reply, url.searchParams);
    if (body === undefined) status = 204;
    const headers = { "Content-Type": "application/json", ...(cookie ? { "Set-Cookie": cookie } : {}) };
    response.writeHead(status, status === 204 ? {} : headers).end(body === undefined ? undefined : JSON.stringify(body));
    return;
  }
  problem(response, { status: 404, code: "not_found", title: "Not found", message: "There is no such operation." });
}

function stream(world, url, request, response, inside) {
  const path = url.pathname.replace("/api/v1", "");
  const topic = /^\/teams\/[^/]+\/events$/.test(path) ? "team" : path.match(/^\/(run|chat)s\/([^/]+)\/events$/)?.slice(1).join(":");
  const log = /^\/runs\/([^/]+)\/logs\/stream$/.exec(path)?.[1];
  if (!topic && !log) return false;
  if (!inside) return problem(response, { status: 401, code: "unauthenticated", title: "Not signed in", message: "Sign in and try again." }), true;
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = (id, kind, data) => response.write(`${id === null ? "" : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
  const ping = setInterval(() => response.write(": ping\n\n"), 15_000);
  ping.unref();
  const query = url.searchParams;
  const name = log ? `log:${log}/${query.get("server")}/${query.get("step")}/${query.get("attempt")}` : topic;
  const listener = (value) => {
    if (log) send(value.next, "log", { offset: value.offset, text: value.text });
    else if (topic === "team") send(value.seq, value.kind, value);
    else send(null, topic.startsWith("run") ? "run" : "message", value);
  };
  const last = Number(request.headers["last-event-id"] ?? query.get("offset") ?? 0);
  if (log) {
    const known = Buffer.from(world.log(log, query.get("server"), query.get("step"), query.get("attempt")).text);
    if (known.length > last) send(known.length, "log", { offset: last, text: known.subarray(last).toString() });
  } else if (topic === "team" && request.headers["last-event-id"]) for (const event of world.events) if (event.seq > last) listener(event);
  response.flushHeaders();
  world.bus.on(name, listener);
  request.on("close", () => {
    clearInterval(ping);
    world.bus.off(name, listener);
  });
  return true;
}

function asset(path, response) {
  const file = join(DIST, normalize(path));
  const found = path !== "/" && file.startsWith(DIST) && existsSync(file) ? file : join(DIST, "index.html");
  response.writeHead(200, { "Content-Type": TYPES[extname(found)] ?? "application/octet-stream", "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" });
  response.end(readFileSync(found));
}

function problem(response, { status = 500, code = "internal", title = "Internal error", message, field, stack }) {
  if (status === 500) console.error(stack);
  response.writeHead(status, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ type: `https://hydron.dev/problems/${code}`, title, status, code, detail: message, ...(field ? { field } : {}) }));
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.env.PORT ?? 4780), scene: process.argv[2] ?? "busy" });
  console.log(`mock coordinator at ${mock.url}  (sign in: ada@example.org / correct horse battery)`);
}
