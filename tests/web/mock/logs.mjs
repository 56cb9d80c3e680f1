// Owns what steps print in the mock: believable output with colours, progress bars and, if wished, a failure.

const LINES = {
  docker_engine: ["Docker Engine 20.10.24 answers on /var/run/docker.sock", "nothing to install"],
  network: ["network hy-corkboard: subnet 10.201.4.0/24", "network hy-corkboard-names: created"],
  volume: ["volume hy-corkboard-postgres-data: exists, kept"],
  git_checkout: ["From https://git.example.org/acme/corkboard", " * branch            8f3c2a1 -> FETCH_HEAD", "unpacked 38 files, 61 KiB, no links"],
  certificate: ["issuing for corkboard.localhost by this server's authority", "valid until 2027-02-19"],
  route: ["rendering generation 12", "nginx: configuration file test is successful", "reloaded, generation 12 confirmed by 2 workers"],
  probe: ["GET https://corkboard.localhost/ → \u001b[32m200\u001b[0m in 14 ms"],
  operate: ["restarting api", "container stopped in 0.4 s", "container started", "healthy after 1.2 s"],
};

const BUILD = [
  "\u001b[36m#1\u001b[0m [internal] load build definition from Dockerfile",
  "\u001b[36m#2\u001b[0m FROM python:3.11-slim-bookworm",
  "\u001b[36m#3\u001b[0m [build 2/5] RUN python -m venv /venv",
  "\u001b[36m#4\u001b[0m [build 4/5] RUN pip install -r requirements.txt",
  "#4 2.114 Collecting flask==3.0.3",
  "#4 2.301   Downloading flask-3.0.3-py3-none-any.whl (101 kB)",
  "#4 2.877 Collecting psycopg[binary]==3.2.1",
  "#4 3.410 Collecting gunicorn==22.0.0",
  "#4 6.032 \u001b[33mWARNING: Running pip as the 'root' user can result in broken permissions\u001b[0m",
  "#4 6.219 \u001b[32mSuccessfully installed flask-3.0.3 gunicorn-22.0.0 psycopg-3.2.1\u001b[0m",
  "\u001b[36m#5\u001b[0m exporting layers",
  "\u001b[1mwriting image sha256:4be1cf20a7d2\u001b[0m",
];
const RELEASE = ["candidate hy-corkboard-api-7c1e on 10.201.4.12", "health GET /api/health → \u001b[31mconnection refused\u001b[0m (1)", "health GET /api/health → \u001b[32m200\u001b[0m (2)", "healthy 3 times in a row", "switching generation 11 → 12", "probe through the proxy: 200", "draining 10.201.4.11: 3 connections … 0", "stopped hy-corkboard-api-5a90, kept for rollback"];
const FAILURE = ["\u001b[31mERROR: failed to build: process \"/bin/sh -c pip install -r requirements.txt\" exited with code 1\u001b[0m", "\u001b[31m  error: could not find a version that satisfies the requirement flaskk==3.0.3\u001b[0m"];

export async function writeLog(world, run, server, step) {
  const log = world.log(run.id, server.server_id, step.index, step.attempt);
  const lines = step.kind === "image_build" ? BUILD : step.kind === "release" ? RELEASE : (LINES[step.kind] ?? ["done"]);
  const fails = run.failAt === step.title && step.attempt <= (run.failTimes ?? 1);
  for (const line of lines) {
    if (world.closed) return null;
    step.doing = line.replace(/\u001b\[[0-9;]*m/g, "").slice(0, 120);
    world.write(log, `${line}\n`);
    world.bus.emit(`run:${run.id}`, run);
    step.log_length = Buffer.byteLength(log.text);
    await world.wait(step.kind === "image_build" ? 0.25 : 0.12);
    if (fails && line === lines[7]) break;
  }
  if (fails) for (const line of FAILURE) world.write(log, `${line}\n`);
  log.end = true;
  step.log_length = Buffer.byteLength(log.text);
  return fails ? { code: "build_failed", message: "The image did not build: pip exited with 1. Its last line: could not find a version that satisfies the requirement flaskk==3.0.3" } : null;
}

/** A long log for the virtual list: every tenth thousand lines a failure, every line different. */
export function longLog(lines) {
  let text = "";
  for (let at = 1; at <= lines; at += 1) {
    const level = at % 997 === 0 ? "\u001b[31mERROR\u001b[0m" : at % 53 === 0 ? "\u001b[33mWARN\u001b[0m" : "\u001b[32mINFO\u001b[0m";
    text += `2026-11-21T09:${String(Math.floor(at / 60) % 60).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}Z ${level} worker-${String(at % 7)} handled request ${String(at)} in ${String((at * 7) % 190)} ms${at % 211 === 0 ? " with a very long explanation ".repeat(12) : ""}\n`;
  }
  return text;
}
