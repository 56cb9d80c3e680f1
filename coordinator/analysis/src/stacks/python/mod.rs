//! Python: Django, Flask, FastAPI and their relatives, and Celery workers beside them.
//!
//! One rule: a framework is a dependency by its exact name *and* an application object (or `manage.py`) in the code.

pub(crate) mod app;
pub(crate) mod django;
pub(crate) mod manifest;

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::ServiceKind;

use super::Scan;
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::repo::{File, Repo, Role};
use app::AppObject;
use manifest::Manifest;

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct PythonFacts {
    pub(crate) manifest: Manifest,
    /// The application object, if one was found.
    pub(crate) app: Option<AppObject>,
    /// Packages to install beside the declared ones (a production server).
    pub(crate) extra: Vec<String>,
    /// Whether `collectstatic` must run in the build.
    pub(crate) collect_static: bool,
    /// Directory of `manage.py` relative to the service, for Django.
    pub(crate) manage_dir: Option<String>,
}

/// Finds Python services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let dirs = manifest_dirs(repo);
    let mut claimed: BTreeSet<String> = BTreeSet::new();
    for dir in &dirs {
        if !dir.is_empty() && repo.is_support(dir) {
            found.reject(dir, "python.support", "tests, docs, examples or tooling");
            continue;
        }
        let manifest = manifest::read(repo, dir);
        if !manifest.present && !repo.has(&path::join(dir, "manage.py")) {
            continue;
        }
        let files: Vec<&File> = sources(repo, dir, &dirs).collect();
        if files.is_empty() {
            continue;
        }
        claimed.insert(dir.clone());
        find_in(scan, found, manifest, &files);
    }
    bare(scan, found, &dirs);
}

/// Apps without any manifest: a file with an application object in a directory that nothing claims.
fn bare(scan: &Scan<'_, '_>, found: &mut Found, dirs: &BTreeSet<String>) {
    let repo = scan.repo;
    let mut groups: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in repo.files().iter().filter(|f| f.extension() == "py" && f.role == Role::Normal) {
        if !dirs.iter().any(|d| path::within(&file.path, d)) && !repo.is_support(file.dir()) {
            groups.entry(file.dir()).or_default().push(file);
        }
    }
    for (dir, files) in groups {
        if let Some(object) = app::find(repo, &files, dir, |_| true) {
            let manifest = Manifest { dir: dir.to_owned(), ..Manifest::default() };
            let draft = draft(scan, manifest, object);
            found.drafts.push(draft);
        }
    }
}

fn find_in(scan: &Scan<'_, '_>, found: &mut Found, manifest: Manifest, files: &[&File]) {
    let repo = scan.repo;
    let dir = manifest.dir.clone();
    if let Some(draft) = django::find(scan, &manifest, files) {
        celery(repo, found, &draft, files);
        found.drafts.push(draft);
        return;
    }
    let any_web = app::WEB.iter().any(|f| f.packages.iter().any(|p| manifest.has(p)));
    let object = app::find(repo, files, &dir, |f| f.packages.iter().any(|p| manifest.has(p)) || !any_web);
    match object {
        Some(object) => {
            let draft = draft(scan, manifest, object);
            celery(repo, found, &draft, files);
            found.drafts.push(draft);
        }
        None if manifest.has("celery") => {
            let mut draft = base(scan, &manifest, ServiceKind::Worker);
            draft.stack = Stack::Python(PythonFacts { manifest, ..PythonFacts::default() });
            celery(repo, found, &draft, files);
        }
        None if !manifest.scripts.is_empty() => {
            found.reject(
                &dir,
                "python.cli",
                "a command line program or library: entry points, but no application object",
            );
        }
        None => found.reject(&dir, "python.no_app", "no application object of a known web framework"),
    }
}

/// The parts that every Python service has.
pub(crate) fn base(scan: &Scan<'_, '_>, manifest: &Manifest, kind: ServiceKind) -> Draft {
    let mut draft = Draft::new(&manifest.dir, kind, "python", Stack::Image);
    if manifest.dir.is_empty() {
        if let Some(name) = &manifest.name {
            draft.name.offer(
                name.clone(),
                0.7,
                "python.name.manifest",
                At::find(scan.repo, "pyproject.toml", "name"),
            );
        }
    } else {
        draft.name.offer(path::base(&manifest.dir), 0.6, "name.directory", At::nowhere());
    }
    draft.version = manifest.version.clone();
    draft.package_manager = manifest.manager.clone();
    if draft.package_manager.is_empty() {
        draft.package_manager.offer("pip", 0.5, "python.manager.default", At::nowhere());
    }
    for (dep, name) in [
        ("sqlalchemy", "sqlalchemy"),
        ("alembic", "alembic"),
        ("celery", "celery"),
        ("whitenoise", "whitenoise"),
        ("asyncpg", "asyncpg"),
        ("flask-migrate", "flask-migrate"),
        ("pydantic-settings", "pydantic-settings"),
    ] {
        if manifest.has(dep) {
            draft.also.insert(name.to_owned());
        }
    }
    draft
}

fn draft(scan: &Scan<'_, '_>, manifest: Manifest, object: AppObject) -> Draft {
    let repo = scan.repo;
    let mut draft = base(scan, &manifest, ServiceKind::Web);
    let framework = object.framework;
    let at = At::line(&object.file, object.line);
    draft.framework.offer(framework.id, 0.93, &format!("python.{}.object", framework.id), at.clone());
    if let Some((package, file)) = framework.packages.iter().find_map(|p| manifest.deps.get_key_value(*p)) {
        draft.framework.offer(
            framework.id,
            0.95,
            &format!("python.{}.dependency", framework.id),
            At::find(repo, file, package),
        );
    }
    draft.why.offer(format!("{} application object", framework.id), 0.9, "python.service", at.clone());
    let extra = app::extra_packages(framework, &manifest);
    draft.start.offer(
        app::start_command(&object, &manifest, framework.port),
        0.6,
        &format!("python.{}.start", framework.id),
        at,
    );
    draft.port.offer(framework.port, 0.3, &format!("python.{}.port", framework.id), At::nowhere());
    if manifest.has("alembic") && repo.has(&path::join(&manifest.dir, "alembic.ini")) {
        draft.release.offer(
            "alembic upgrade head",
            0.8,
            "python.alembic",
            At::file(&path::join(&manifest.dir, "alembic.ini")),
        );
    } else if manifest.has("flask-migrate") && repo.has_dir(&path::join(&manifest.dir, "migrations")) {
        draft.release.offer(
            format!("flask --app {} db upgrade", object.module),
            0.6,
            "python.flask_migrate",
            At::nowhere(),
        );
    }
    draft.stack = Stack::Python(PythonFacts { manifest, app: Some(object), extra, ..PythonFacts::default() });
    draft
}

/// A worker beside a web service, when the code has a Celery application.
fn celery(repo: &Repo<'_>, found: &mut Found, web: &Draft, files: &[&File]) {
    let Stack::Python(facts) = &web.stack else { return };
    if !facts.manifest.has("celery") && !facts.manifest.deps.keys().any(|d| d.starts_with("celery[")) {
        return;
    }
    let Some(object) = app::celery(repo, files, &web.dir) else { return };
    let mut worker = web.sibling("worker", ServiceKind::Worker);
    worker.framework = crate::field::Field::default();
    worker.also.remove("celery");
    worker.framework.offer("celery", 0.9, "python.celery.object", At::line(&object.0, object.1));
    worker.start.offer(
        format!("celery -A {} worker --loglevel=info", object.2),
        0.6,
        "python.celery.start",
        At::line(&object.0, object.1),
    );
    worker.why.offer("celery application object", 0.8, "python.celery", At::line(&object.0, object.1));
    found.drafts.push(worker);
}

fn manifest_dirs(repo: &Repo<'_>) -> BTreeSet<String> {
    let mut dirs = BTreeSet::new();
    for file in repo.files().iter().filter(|f| f.role != Role::Vendored) {
        let name = file.name();
        let dir = file.dir();
        let manifest = matches!(
            name,
            "requirements.txt" | "pyproject.toml" | "Pipfile" | "manage.py" | "setup.py" | "setup.cfg"
        );
        let in_requirements = path::base(dir) == "requirements" && file.extension() == "txt";
        if in_requirements {
            dirs.insert(path::parent(dir).to_owned());
        } else if manifest && file.role == Role::Normal {
            dirs.insert(dir.to_owned());
        }
    }
    let nested: Vec<String> = dirs
        .iter()
        .filter(|d| {
            let only_manage = !["requirements.txt", "pyproject.toml", "Pipfile", "setup.py"]
                .iter()
                .any(|n| repo.has(&path::join(d, n)));
            only_manage
                && repo.has(&path::join(d, "manage.py"))
                && dirs.iter().any(|o| o != *d && path::within(d, o))
        })
        .cloned()
        .collect();
    dirs.retain(|d| !nested.contains(d));
    dirs
}

/// Python files of a directory that no nested manifest claims.
fn sources<'r>(
    repo: &'r Repo<'_>,
    dir: &'r str,
    dirs: &'r BTreeSet<String>,
) -> impl Iterator<Item = &'r File> {
    repo.under(dir).filter(move |f| {
        let nested =
            |f: &File| dirs.iter().any(|d| d != dir && path::within(d, dir) && path::within(&f.path, d));
        f.extension() == "py" && f.role == Role::Normal && !nested(f)
    })
}
