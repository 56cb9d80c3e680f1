//! Django: `manage.py`, the settings module, and the WSGI or ASGI entry.
//!
//! One rule: the project's package name is read from `manage.py` or the place of `wsgi.py`, never from the directory's name.

use hydron_domain::analysis::ServiceKind;

use super::manifest::Manifest;
use super::{PythonFacts, base};
use crate::draft::{Draft, Stack};
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo};
use crate::stacks::Scan;

patterns! {
    SETTINGS = r#"DJANGO_SETTINGS_MODULE['"]\s*,\s*['"]([\w.]+)['"]"#;
}

/// Finds a Django project among the files of a manifest.
pub(crate) fn find(scan: &Scan<'_, '_>, manifest: &Manifest, files: &[&File]) -> Option<Draft> {
    let repo = scan.repo;
    let manage = files.iter().filter(|f| f.name() == "manage.py").min_by_key(|f| path::depth(&f.path))?;
    let text = repo.text(manage)?;
    if !text.contains("django") {
        return None;
    }
    let root = manage.dir().to_owned();
    let settings = SETTINGS.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str().to_owned());
    let package = project_package(repo, &root, settings.as_deref());
    let mut draft = base(scan, manifest, ServiceKind::Web);
    let dependency = manifest.deps.get("django").cloned();
    let at = dependency.map_or_else(|| At::file(&manage.path), |file| At::find(repo, &file, "jango"));
    draft.framework.offer("django", 0.96, "python.django", at);
    draft.why.offer("manage.py of a Django project", 0.95, "python.django.manage", At::file(&manage.path));
    let asgi = manifest.has("channels") || manifest.has("daphne");
    let server = if asgi { "uvicorn" } else { "gunicorn" };
    let inner = path::relative(&root, &manifest.dir).unwrap_or_default().to_owned();
    if let Some(package) = &package {
        let chdir = if inner.is_empty() {
            String::new()
        } else if asgi {
            format!(" --app-dir {inner}")
        } else {
            format!(" --chdir {inner}")
        };
        let start = if asgi {
            format!("uvicorn {package}.asgi:application --host 0.0.0.0 --port 8000{chdir}")
        } else {
            format!("gunicorn --bind 0.0.0.0:8000{chdir} {package}.wsgi:application")
        };
        let file = path::join(&root, &format!("{}/wsgi.py", package.replace('.', "/")));
        draft.start.offer(start, 0.6, "python.django.start", At::file(&file));
    }
    draft.port.offer(8000_u16, 0.3, "python.django.port", At::nowhere());
    let manage_path = path::join(&inner, "manage.py");
    draft.release.offer(
        format!("python {manage_path} migrate --noinput"),
        0.7,
        "python.django.migrate",
        At::file(&manage.path),
    );
    let collect = files
        .iter()
        .filter(|f| f.path.contains("settings"))
        .filter_map(|f| repo.text(f))
        .any(|t| t.contains("STATIC_ROOT"));
    let bundled = manifest.has(server);
    let mut extra: Vec<String> = if bundled { Vec::new() } else { vec![server.to_owned()] };
    if !manifest.present {
        extra.push("django".to_owned());
    }
    draft.stack = Stack::Python(PythonFacts {
        manifest: manifest.clone(),
        app: None,
        extra,
        collect_static: collect,
        manage_dir: Some(inner),
    });
    Some(draft)
}

fn project_package(repo: &Repo<'_>, root: &str, settings: Option<&str>) -> Option<String> {
    let has_entry = |package: &str| {
        let dir = path::join(root, &package.replace('.', "/"));
        repo.first_of(&dir, &["wsgi.py", "asgi.py"]).is_some()
    };
    let mut name = settings.unwrap_or_default();
    while let Some((package, _)) = name.rsplit_once('.') {
        if has_entry(package) {
            return Some(package.to_owned());
        }
        name = package;
    }
    let found = repo.under(root).find(|f| f.name() == "wsgi.py")?;
    Some(path::relative(found.dir(), root)?.replace('/', "."))
}
