//! Recipes for Python: dependencies into a virtual environment, then a slim image with the code.
//!
//! One rule: the manifest and lock file are copied before the code, so that a code change does not reinstall anything.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::stacks::python::PythonFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &PythonFacts) -> Result<Recipe, String> {
    let version = versions::pick(options, draft, "python");
    let base = text::image(options, &format!("python:{version}-slim"));
    let port = text::port(draft, 8000);
    let start = draft
        .start
        .best()
        .filter(|o| o.confidence >= 0.3)
        .map(|o| o.value.clone())
        .ok_or("no start command was found")?;
    let (build_packages, run_packages) = system_packages(facts);
    let context = facts.manifest.workspace.as_ref().map_or(draft.dir.as_str(), |(root, _)| root.as_str());
    let inner = path::relative(&draft.dir, context).unwrap_or_default();
    if !inner.is_empty() && !text::plain(inner) {
        return Err("the directory's name has characters that do not belong into a recipe".to_owned());
    }
    let mut out = Lines::default();
    out.push(format!("FROM {base} AS build"));
    out.push("ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1");
    out.maybe(text::apt(&build_packages));
    out.push("WORKDIR /app");
    out.push("RUN python -m venv /venv");
    out.push("ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv");
    install(options, draft, facts, &mut out);
    out.gap().push(format!("FROM {base}"));
    out.push(format!(
        "ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1{}",
        if draft.kind == ServiceKind::Web { format!(" PORT={port}") } else { String::new() }
    ));
    out.maybe(text::apt(&run_packages));
    out.push("WORKDIR /app");
    out.push(format!("RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --home-dir /app --no-create-home --shell /usr/sbin/nologin app && chown {} /app", text::USER));
    out.push("COPY --from=build /venv /venv");
    out.push(format!("COPY --chown={} . .", text::USER));
    let src_layout =
        facts.app.as_ref().is_some_and(|a| a.file.contains("/src/") || a.file.starts_with("src/"));
    if src_layout {
        out.push("ENV PYTHONPATH=/app/src");
    }
    if let Some(manage) = &facts.manage_dir
        && facts.collect_static
        && draft.kind == ServiceKind::Web
    {
        let script = if manage.is_empty() { "manage.py".to_owned() } else { format!("{manage}/manage.py") };
        let dummies = dummies(draft);
        out.push(format!("RUN {dummies}python {script} collectstatic --noinput || true"));
    }
    out.push(format!("USER {}", text::USER));
    if draft.kind == ServiceKind::Web {
        out.push(format!("EXPOSE {port}"));
        out.push(health(draft, port));
    }
    if !inner.is_empty() {
        out.push(format!("WORKDIR /app/{inner}"));
    }
    out.push("STOPSIGNAL SIGTERM");
    out.push(text::cmd(&with_port(&start, port, draft)));
    Ok(Recipe {
        context: context.to_owned(),
        content: out.finish(),
        ignore: text::ignore(&[
            "__pycache__",
            "*.pyc",
            ".venv",
            "venv",
            ".pytest_cache",
            ".mypy_cache",
            ".tox",
            "node_modules",
        ]),
    })
}

/// Values that only let a build step import the settings; they do not stay in the image.
fn dummies(draft: &Draft) -> String {
    let names = draft.env.values().filter(|e| e.required && e.default.is_none() && text::plain(&e.name));
    let list: Vec<String> = names.map(|e| format!("{}=build-only", e.name)).collect();
    if list.is_empty() { String::new() } else { format!("{} ", list.join(" ")) }
}

fn install(options: &Options, draft: &Draft, facts: &PythonFacts, out: &mut Lines) {
    let manifest = &facts.manifest;
    let has = |name: &str| manifest.install.iter().any(|i| i == name);
    let cache: &[&str] = &["/root/.cache"];
    let extra = if facts.extra.is_empty() { String::new() } else { format!(" {}", facts.extra.join(" ")) };
    let manager = draft.package_manager.value().map_or("pip", String::as_str);
    if let (Some((_, members)), Some(name), "uv") = (&manifest.workspace, &manifest.name, manager)
        && text::plain(name)
    {
        workspace(options, cache, members, name, &extra, out);
        return;
    }
    match manager {
        "uv" if has("uv.lock") => {
            out.push("RUN pip install 'uv==0.13.*'");
            out.push("COPY pyproject.toml uv.lock ./");
            let export = "uv export --frozen --no-dev --no-emit-project --no-hashes --output-file /tmp/requirements.txt";
            exported(options, cache, export, &extra, out);
        }
        "poetry" => {
            let lock = if has("poetry.lock") { " poetry.lock" } else { "" };
            out.push("RUN pip install 'poetry==2.*' 'poetry-plugin-export==1.*'");
            out.push(format!("COPY pyproject.toml{lock} ./"));
            let export = "poetry export --without-hashes --only main --output /tmp/requirements.txt";
            exported(options, cache, export, &extra, out);
        }
        "pipenv" if manifest.install.iter().all(|i| i != "requirements.txt") => {
            out.push("RUN pip install 'pipenv==2026.*'");
            out.push("COPY Pipfile Pipfile.loc[k] ./");
            exported(options, cache, "pipenv requirements > /tmp/requirements.txt", &extra, out);
        }
        "pdm" if has("pdm.lock") => {
            out.push("RUN pip install 'pdm==2.*'");
            out.push("COPY pyproject.toml pdm.lock ./");
            let export = "pdm export --prod --without-hashes --output /tmp/requirements.txt";
            exported(options, cache, export, &extra, out);
        }
        _ => pip(options, facts, cache, &extra, out),
    }
}

/// A member of a uv workspace: what comes from outside first, then the members it uses.
fn workspace(
    options: &Options,
    cache: &[&str],
    members: &[String],
    name: &str,
    extra: &str,
    out: &mut Lines,
) {
    out.push("RUN pip install 'uv==0.13.*'");
    out.push("COPY uv.lock ./");
    for member in members.iter().filter(|m| text::plain(m)) {
        out.push(format!("COPY {member} ./{member}"));
    }
    let export = format!("uv export --frozen --no-dev --no-hashes --no-editable --package {name}");
    let outside = format!("{export} --no-emit-workspace --output-file /tmp/requirements.txt");
    exported(options, cache, &outside, extra, out);
    out.push("COPY . .");
    let inside = format!("{export} --no-emit-project --output-file /tmp/members.txt");
    let install = format!("{inside} \\\n    && pip install --no-deps --requirement /tmp/members.txt");
    out.push(text::run(options, cache, &install));
}

/// What the lock says as a plain list, installed in the same layer.
fn exported(options: &Options, cache: &[&str], export: &str, extra: &str, out: &mut Lines) {
    let install = format!("{export} \\\n    && pip install --requirement /tmp/requirements.txt{extra}");
    out.push(text::run(options, cache, &install));
}

fn pip(options: &Options, facts: &PythonFacts, cache: &[&str], extra: &str, out: &mut Lines) {
    let files: Vec<&String> =
        facts.manifest.install.iter().filter(|i| is_list(i) && text::plain(i)).collect();
    if let Some(file) = files.first() {
        let nested = facts.manifest.deps.values().any(|f| f.contains("requirements/")) || file.contains('/');
        if nested {
            if files.iter().any(|f| *f == "requirements.txt") {
                out.push("COPY requirements.txt ./");
            }
            out.push("COPY requirements ./requirements");
        } else {
            out.push(format!("COPY {file} ./"));
        }
        out.push(text::run(options, cache, &format!("pip install --requirement {file}{extra}")));
    } else if facts.manifest.present {
        out.push("COPY . .");
        out.push(text::run(options, cache, &format!("pip install .{extra}")));
    } else if !extra.is_empty() {
        out.push(text::run(options, cache, &format!("pip install{extra}")));
    }
}

fn is_list(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, e)| e == "txt")
}

/// Debian packages to compile and to run drivers that are not wheels.
fn system_packages(facts: &PythonFacts) -> (Vec<&'static str>, Vec<&'static str>) {
    let has = |n: &str| facts.manifest.has(n);
    let (mut build, mut run) = (Vec::new(), Vec::new());
    if has("psycopg2") || (has("psycopg") && !has("psycopg[binary]")) {
        build.extend(["gcc", "libc6-dev", "libpq-dev"]);
        run.push("libpq5");
    }
    if has("mysqlclient") {
        build.extend(["gcc", "libc6-dev", "default-libmysqlclient-dev", "pkg-config"]);
        run.push("libmariadb3");
    }
    if has("uwsgi") {
        build.extend(["gcc", "libc6-dev"]);
    }
    if has("pylibmc") {
        build.extend(["gcc", "libc6-dev", "libmemcached-dev", "zlib1g-dev"]);
        run.push("libmemcached11");
    }
    build.sort_unstable();
    build.dedup();
    (build, run)
}

/// The runtime itself makes the request.
fn health(draft: &Draft, port: u16) -> String {
    let path = draft
        .health
        .best()
        .filter(|o| o.confidence >= 0.6)
        .map(|o| o.value.as_str())
        .filter(|p| text::plain(p));
    let probe = match path {
        Some(path) => format!(
            "import os,urllib.request as u;u.urlopen('http://127.0.0.1:'+os.environ.get('PORT','{port}')+'{path}',timeout=4)"
        ),
        None => format!(
            "import os,socket;socket.create_connection(('127.0.0.1',int(os.environ.get('PORT','{port}'))),4).close()"
        ),
    };
    format!("{} CMD {}", text::HEALTH_OPTIONS, text::exec(&["python".to_owned(), "-c".to_owned(), probe]))
}

/// The final port in a start command that a rule wrote with the framework's default.
pub(super) fn with_port(start: &str, port: u16, draft: &Draft) -> String {
    let ours = draft.start.best().is_some_and(|o| o.rule.starts_with("python."));
    if !ours {
        return start.to_owned();
    }
    let mut text = start.to_owned();
    for default in [8000_u16, 5000, 8050, 8501, 8080, 7860, 8888] {
        text = text
            .replace(&format!("0.0.0.0:{default}"), &format!("0.0.0.0:{port}"))
            .replace(&format!("--port {default}"), &format!("--port {port}"));
    }
    text
}
