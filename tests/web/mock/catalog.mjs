// Owns the invented app of the mock: what an analysis of it finds.

const STEPS = [
  ["resolving", "Resolving the commit"],
  ["cloning", "Cloning the repository"],
  ["reading_tree", "Reading the file tree"],
  ["reading_manifests", "Reading manifests and workspaces"],
  ["detecting_services", "Detecting services"],
  ["detecting_dependencies", "Detecting databases and dependencies"],
  ["reading_environment", "Reading environment variables"],
  ["writing_dockerfiles", "Preparing Dockerfiles"],
];
export const analysisSteps = () => STEPS.map(([name, label]) => ({ name, label, state: "pending", detail: null }));
export const DETAILS = ["main → 8f3c2a1", "1.2 MiB", "38 files", "2 manifests", "3 services", "postgres", "4 variables", "1 generated"];

export const PYTHON_DOCKERFILE = `# Two stages: dependencies are cached apart from the code, and nothing runs as root.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip /venv/bin/pip install -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 app
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
USER 10001
ENV PATH=/venv/bin:$PATH PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/health')"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
`;

const why = (field, value, file, line, rule, confidence = 0.98, chosen = true) => ({ field, value, file, line, rule, confidence, chosen });

export function foundServices({ withMissing }) {
  return [
    {
      name: "api", kind: "web", language: "python", framework: "flask", package_manager: "pip", build: null, start: "gunicorn --bind 0.0.0.0:8000 app:app", port: 8000,
      health_path: "/api/health", dockerfile: { origin: "generated", path: null, content: PYTHON_DOCKERFILE, verdict: "generate", diff: null, notes: [] }, path: "api", depends_on: ["postgres"],
      env: [
        { name: "DATABASE_URL", secret: true, required: true, source: "code", set: true, value: null, origin: "reference" },
        { name: "LOG_LEVEL", secret: false, required: false, source: "code", set: true, value: "info", origin: "analysis" },
        { name: "PORT", secret: false, required: false, source: "example", set: true, value: "8000", origin: "analysis" },
        ...(withMissing ? [{ name: "SMTP_PASSWORD", secret: true, required: true, source: "code", description: "Password of the mail server", set: false, value: null, origin: "analysis" }] : []),
      ],
      route: { prefix: "/api" }, missing: withMissing ? ["SMTP_PASSWORD"] : [],
      evidence: [
        why("framework", "flask", "api/requirements.txt", 1, "python.flask.dependency"),
        why("start", "gunicorn --bind 0.0.0.0:8000 app:app", "api/app.py", 12, "python.wsgi.object", 0.86),
        why("start", "flask run", "README.md", 18, "readme.command", 0.41, false),
        why("port", "8000", "api/app.py", 31, "python.env.port", 0.92),
        why("health_path", "/api/health", "api/app.py", 22, "python.flask.route", 0.64),
        why("dependencies.postgres", "postgres", "api/requirements.txt", 3, "python.psycopg.dependency"),
      ],
    },
    {
      name: "web", kind: "static", language: "html", framework: "static", package_manager: null, build: null, start: null, port: 8080, health_path: "/",
      dockerfile: { origin: "repository", path: "web/Dockerfile", content: "FROM nginx:1.22\nCOPY nginx.conf /etc/nginx/nginx.conf\nCOPY site /usr/share/nginx/html\nEXPOSE 8080\nUSER nginx\n", verdict: "accept", diff: null, notes: [] },
      path: "web", depends_on: ["api"], env: [], route: { prefix: "/" }, missing: [],
      evidence: [why("dockerfile", "web/Dockerfile", "web/Dockerfile", 1, "dockerfile.accept"), why("port", "8080", "web/Dockerfile", 4, "dockerfile.expose")],
    },
    {
      name: "postgres", kind: "dependency", language: null, framework: "postgres", package_manager: null, build: null, start: null, port: 5432, health_path: null,
      dockerfile: { origin: "generated", path: null, content: "FROM postgres:15\n", verdict: null, diff: null, notes: [] }, path: null, depends_on: [],
      env: [
        { name: "POSTGRES_USER", secret: false, required: true, source: null, set: true, value: "app", origin: "generated" },
        { name: "POSTGRES_PASSWORD", secret: true, required: true, source: null, set: true, value: null, origin: "generated" },
        { name: "POSTGRES_DB", secret: false, required: true, source: null, set: true, value: "app", origin: "generated" },
      ],
      route: null, missing: [], evidence: [why("dependencies.postgres", "15", "docker-compose.yml", 4, "compose.image", 0.9)],
    },
  ];
}

export const FINDINGS = [
  { severity: "warning", code: "no_lockfile", service: "api", message: "requirements.txt does not pin versions, so two builds may differ.", advice: "Pin them with pip freeze, or add a lock file.", file: "api/requirements.txt", line: 1 },
  { severity: "info", code: "dev_server", service: "api", message: "The README starts a development server; gunicorn is used instead.", advice: "Nothing to do.", file: "README.md", line: 18 },
];

const REPAIRED = `FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build -- --configuration production --output-path /app/dist/very/long/path/that/nobody/would/type --source-map false

FROM node:22-bookworm-slim
WORKDIR /app
COPY --from=build /app/dist ./dist
COPY --from=build /app/node_modules ./node_modules
EXPOSE 3000
CMD ["node", "dist/server.js"]
`;
const REPAIR = `--- a/orders/Dockerfile
+++ b/orders/Dockerfile
@@ -1,8 +1,7 @@
-# syntax=docker/dockerfile:1
 FROM node:22-bookworm-slim AS build
 WORKDIR /app
 COPY package.json package-lock.json ./
-RUN --mount=type=cache,target=/root/.npm npm ci
+RUN npm ci
 COPY . .
 RUN npm run build -- --configuration production --output-path /app/dist/very/long/path/that/nobody/would/type --source-map false
 
@@ -11,3 +10,4 @@
 COPY --from=build /app/dist ./dist
 COPY --from=build /app/node_modules ./node_modules
 EXPOSE 3000
+CMD ["node", "dist/server.js"]
`;

/** A service whose own Dockerfile was repaired, and one whose own was not fit. */
export function ownDockerfiles() {
  const [api] = foundServices({ withMissing: false });
  const node = { ...api, language: "typescript", framework: "express", package_manager: "npm", start: "node dist/server.js", port: 3000, health_path: "/healthz" };
  return [
    { ...node, name: "orders", path: "orders", depends_on: [], dockerfile: { origin: "generated", path: "orders/Dockerfile", content: REPAIRED, verdict: "repair", diff: REPAIR, notes: ["it has no command; the one of orders/package.json was added", "cache mounts were taken out: the server's builder does not know them", "the `# syntax` line was taken out: it makes the builder fetch an image", "it runs as root"] } },
    { ...api, name: "letters", path: "letters", dockerfile: { origin: "generated", path: "letters/Dockerfile", content: PYTHON_DOCKERFILE, verdict: "replace", diff: null, notes: ["its command is a development server", "it copies dist/letters.whl which is not in the repository: it expects a build on the host"] } },
  ];
}

/** What a newer commit changed, by the services that are kept. */
export function changesOf(kept) {
  const of = (name) => kept.find((one) => one.name === name)?.id ?? null;
  const field = (service, name, before, after, stays = false) => ({ service, service_id: of(service), change: "changed", field: name, before, after, kept: stays });
  return [
    { service: "letters", service_id: of("letters"), change: "added", field: null, before: null, after: "letters", kept: false },
    field("orders", "dockerfile", "accept", "repair"),
    field("orders", "env.ORDER_LIMIT", null, "optional, default 200"),
    field("orders", "env.STRIPE_KEY", "optional, secret", "required, secret"),
    field("orders", "language_version", "20", "22"),
    field("orders", "port", "3000", "8080", true),
    field("orders", "start", "node server.js", "node --enable-source-maps --max-old-space-size=512 dist/services/orders/server.js"),
    field("orders", "dependencies.redis", "required", null),
    { service: "postbox", service_id: null, change: "removed", field: null, before: "services/postbox", after: null, kept: false },
  ];
}
