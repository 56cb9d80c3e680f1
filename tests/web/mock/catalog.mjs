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
      health_path: "/api/health", dockerfile: { origin: "generated", path: null, content: PYTHON_DOCKERFILE }, path: "api", depends_on: ["postgres"],
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
      dockerfile: { origin: "repository", path: "web/Dockerfile", content: "FROM nginx:1.22\nCOPY nginx.conf /etc/nginx/nginx.conf\nCOPY site /usr/share/nginx/html\nEXPOSE 8080\nUSER nginx\n" },
      path: "web", depends_on: ["api"], env: [], route: { prefix: "/" }, missing: [],
      evidence: [why("dockerfile", "web/Dockerfile", "web/Dockerfile", 1, "dockerfile.accept"), why("port", "8080", "web/Dockerfile", 4, "dockerfile.expose")],
    },
    {
      name: "postgres", kind: "dependency", language: null, framework: "postgres", package_manager: null, build: null, start: null, port: 5432, health_path: null,
      dockerfile: { origin: "generated", path: null, content: "FROM postgres:15\n" }, path: null, depends_on: [],
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
