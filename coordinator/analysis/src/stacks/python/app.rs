//! Application objects in Python code: `app = FastAPI()`, `create_app()`, `Celery("x")`.
//!
//! One rule: the module path is computed from the file's place under the service's directory; names are never guessed.

use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, line_at};

use super::manifest::Manifest;

patterns! {
    ASSIGN = r"(?m)^(\w+)(?:\s*:\s*[\w.\[\]]+)?\s*=\s*(?:\w+\.)*(FastAPI|Flask|APIFlask|Quart|Sanic|Starlette|Litestar|Bottle|Dash|Robyn|Blacksheep|Falcon|OpenAPI)\s*\(";
    ABOUT_APPS = r"(?:FastAPI|Flask|Quart|Sanic|Starlette|Litestar|Bottle|Dash|Robyn|Blacksheep|Falcon|OpenAPI)\s*\(|(?:create|make|get|build)_\w*app|app_factory";
    CALL = r"(?:\b|\.)(FastAPI|Flask|APIFlask|Quart|Sanic|Starlette|Litestar|Dash)\s*\(";
    FACTORY = r"(?m)^(?:async\s+)?def\s+(create_app|make_app|get_app|get_application|create_application|app_factory|build_app)\s*\(([^)]*)\)";
    WSGI_FACTORY = r"(?m)^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)*(?:create|make|get|build)_\w*app\w*\s*\(";
    FROM_FACTORY = r"(?m)^(app|application|api|server)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)*((?:create|make|get|build)_\w*app\w*|get_application|create_application)\s*\(";
    CELERY = r"(?m)^\s*(\w+)\s*=\s*(?:celery\.)?Celery\s*\(";
    CELERY_FACTORY = r"(?m)^(celery_app|celery)\s*=\s*\w+";
    STREAMLIT = r"(?m)^import streamlit";
    GRADIO = r"\.launch\s*\(";
    AIOHTTP = r"web\.run_app\s*\(|aiohttp\.web";
    TORNADO = r"tornado\.web|HTTPServer";
}

/// A Python web framework.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Framework {
    pub(crate) id: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) class: &'static str,
    pub(crate) asgi: bool,
    pub(crate) port: u16,
}

/// Frameworks with an application object, most specific first.
pub(crate) const WEB: &[Framework] = &[
    Framework {
        id: "fastapi",
        packages: &["fastapi", "fastapi-slim"],
        class: "FastAPI",
        asgi: true,
        port: 8000,
    },
    Framework { id: "litestar", packages: &["litestar"], class: "Litestar", asgi: true, port: 8000 },
    Framework { id: "quart", packages: &["quart"], class: "Quart", asgi: true, port: 5000 },
    Framework { id: "sanic", packages: &["sanic"], class: "Sanic", asgi: true, port: 8000 },
    Framework { id: "flask", packages: &["flask"], class: "Flask", asgi: false, port: 5000 },
    Framework { id: "flask", packages: &["apiflask"], class: "APIFlask", asgi: false, port: 5000 },
    Framework { id: "flask", packages: &["flask-openapi3"], class: "OpenAPI", asgi: false, port: 5000 },
    Framework { id: "dash", packages: &["dash"], class: "Dash", asgi: false, port: 8050 },
    Framework { id: "starlette", packages: &["starlette"], class: "Starlette", asgi: true, port: 8000 },
    Framework { id: "bottle", packages: &["bottle"], class: "Bottle", asgi: false, port: 8080 },
    Framework { id: "streamlit", packages: &["streamlit"], class: "", asgi: false, port: 8501 },
    Framework { id: "gradio", packages: &["gradio"], class: "", asgi: false, port: 7860 },
    Framework { id: "aiohttp", packages: &["aiohttp"], class: "", asgi: false, port: 8080 },
    Framework { id: "tornado", packages: &["tornado"], class: "", asgi: false, port: 8888 },
];

/// Where the application stands.
#[derive(Debug, Clone)]
pub(crate) struct AppObject {
    pub(crate) framework: &'static Framework,
    /// `app.main`.
    pub(crate) module: String,
    /// `app` or `create_app()`; empty when the file itself is run.
    pub(crate) object: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

/// The best application object among files: a module-level object near the root wins.
pub(crate) fn find(
    repo: &Repo<'_>,
    files: &[&File],
    dir: &str,
    allowed: impl Fn(&Framework) -> bool,
) -> Option<AppObject> {
    let mut best: Option<(i32, AppObject)> = None;
    let shown = repo.each_text(files, |file| file, |file, text| candidates(text, file, dir));
    for (score, object) in shown.into_iter().flatten().flatten() {
        if allowed(object.framework) && best.as_ref().is_none_or(|(s, _)| score > *s) {
            best = Some((score, object));
        }
    }
    best.map(|(_, object)| object)
}

fn candidates(whole: &str, file: &File, dir: &str) -> Vec<(i32, AppObject)> {
    let mut list = Vec::new();
    let module = module(&file.path, dir);
    let stem = path::base(&file.path).trim_end_matches(".py");
    let place =
        40 - 4 * i32::try_from(path::depth(&module.replace('.', "/"))).unwrap_or(9) + name_bonus(stem);
    let make = |framework: &'static Framework, object: &str, at: usize| AppObject {
        framework,
        module: module.clone(),
        object: object.to_owned(),
        file: file.path.clone(),
        line: line_at(whole, at),
    };
    // Most files hold no word of an application object.
    let text = if ABOUT_APPS.is_match(whole) { whole } else { "" };
    for found in ASSIGN.captures_iter(text) {
        let (Some(all), Some(name), Some(class)) = (found.get(0), found.get(1), found.get(2)) else {
            continue;
        };
        let Some(framework) = WEB.iter().find(|f| f.class == class.as_str()) else { continue };
        list.push((100 + place, make(framework, name.as_str(), all.start())));
    }
    let class =
        CALL.captures(text).and_then(|c| c.get(1)).and_then(|m| WEB.iter().find(|f| f.class == m.as_str()));
    if let (Some(framework), Some(factory)) = (class, FACTORY.captures(text)) {
        let name = factory.get(1).map_or("create_app", |m| m.as_str());
        let arguments = factory.get(2).map_or("", |m| m.as_str());
        let needs_argument = arguments
            .split(',')
            .any(|a| !a.trim().is_empty() && !a.contains('=') && !a.trim().starts_with('*'));
        let bonus = if needs_argument { 10 } else { 70 };
        list.push((
            bonus + place,
            make(framework, &format!("{name}()"), factory.get(0).map_or(0, |m| m.start())),
        ));
    }
    // A file of this name is there for the server, whatever its object is called.
    let served = || WSGI_FACTORY.captures(whole).filter(|_| matches!(stem, "wsgi" | "asgi"));
    if let Some(found) = FROM_FACTORY.captures(text).or_else(served) {
        let framework = class.or_else(|| by_import(text));
        if let (Some(framework), Some(name)) = (framework, found.get(1)) {
            list.push((110 + place, make(framework, name.as_str(), name.start())));
        }
    }
    scripts(whole, stem, &mut |id, at| {
        if let Some(framework) = WEB.iter().find(|f| f.id == id) {
            list.push((30 + place, make(framework, "", at)));
        }
    });
    list
}

/// Frameworks whose file is run directly.
fn scripts(text: &str, stem: &str, push: &mut dyn FnMut(&'static str, usize)) {
    if text.contains("streamlit")
        && let Some(found) = STREAMLIT.find(text).filter(|_| !stem.starts_with("test"))
    {
        push("streamlit", found.start());
    }
    if text.contains("gradio") && GRADIO.is_match(text) {
        push("gradio", 0);
    }
    if text.contains("run_app") && AIOHTTP.is_match(text) {
        push("aiohttp", text.find("run_app").unwrap_or(0));
    }
    if text.contains(".listen(") && TORNADO.is_match(text) {
        push("tornado", text.find(".listen(").unwrap_or(0));
    }
}

/// A factory imported from elsewhere: the file says nothing of the framework, so the most common one is assumed by its imports.
fn by_import(text: &str) -> Option<&'static Framework> {
    let named = WEB.iter().find(|f| {
        f.packages.iter().any(|p| {
            text.contains(&format!("import {}", p.replace('-', "_")))
                || text.contains(&format!("from {}", p.replace('-', "_")))
        })
    });
    named.or_else(|| WEB.iter().find(|f| f.id == "flask"))
}

fn name_bonus(stem: &str) -> i32 {
    match stem {
        "wsgi" | "asgi" => 9,
        "main" | "app" => 8,
        "application" | "server" | "run" | "autoapp" | "api" => 6,
        "__init__" => 3,
        _ if stem.contains("celery") || stem.contains("worker") || stem.contains("tasks") => -8,
        _ => 0,
    }
}

/// A Celery application: file, line and the name for `-A`.
pub(crate) fn celery(repo: &Repo<'_>, files: &[&File], dir: &str) -> Option<(String, u32, String)> {
    let mut best: Option<(usize, (String, u32, String))> = None;
    for file in files {
        let Some(text) = repo.text(file).filter(|t| t.contains("Celery(")) else { continue };
        let Some(found) = CELERY.captures(text) else { continue };
        let (Some(all), Some(name)) = (found.get(0), found.get(1)) else { continue };
        let indented = all.as_str().trim_start_matches('\n').starts_with([' ', '\t']);
        let exported = CELERY_FACTORY.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str());
        let object = if indented { exported.unwrap_or("celery_app") } else { name.as_str() };
        let module = module(&file.path, dir);
        let shown = if path::base(&file.path) == "celery.py" && module.contains('.') {
            module.rsplit_once('.').map_or(module.clone(), |(package, _)| package.to_owned())
        } else {
            format!("{module}.{object}")
        };
        let rank = usize::from(indented) * 100 + path::depth(&file.path);
        if best.as_ref().is_none_or(|(r, _)| rank < *r) {
            best = Some((rank, (file.path.clone(), line_at(text, all.start()), shown)));
        }
    }
    best.map(|(_, found)| found)
}

/// Dotted module of a file under a directory; a `src` root is not part of the name.
pub(crate) fn module(file: &str, dir: &str) -> String {
    let relative = path::relative(file, dir).unwrap_or(file);
    let relative = relative.strip_prefix("src/").unwrap_or(relative);
    relative.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".")
}

/// The production start command.
pub(crate) fn start_command(object: &AppObject, manifest: &Manifest, port: u16) -> String {
    let target = format!("{}:{}", object.module, object.object);
    match object.framework.id {
        "streamlit" => format!(
            "streamlit run {} --server.port {port} --server.address 0.0.0.0",
            relative(object, manifest)
        ),
        "gradio" | "aiohttp" | "tornado" => format!("python {}", relative(object, manifest)),
        "sanic" => format!("sanic {target} --host 0.0.0.0 --port {port}"),
        _ if object.framework.asgi && object.object.ends_with("()") => {
            format!("uvicorn --factory {} --host 0.0.0.0 --port {port}", target.trim_end_matches("()"))
        }
        _ if object.framework.asgi => format!("uvicorn {target} --host 0.0.0.0 --port {port}"),
        "dash" => format!("gunicorn --bind 0.0.0.0:{port} {target}.server"),
        _ => format!("gunicorn --bind 0.0.0.0:{port} {target}"),
    }
}

fn relative(object: &AppObject, manifest: &Manifest) -> String {
    path::relative(&object.file, &manifest.dir).unwrap_or(&object.file).to_owned()
}

/// The production server, if the project does not bring one; and the framework, if nothing installs it.
pub(crate) fn extra_packages(framework: &Framework, manifest: &Manifest) -> Vec<String> {
    let mut extra = Vec::new();
    if !manifest.present {
        extra.extend(framework.packages.first().map(|p| (*p).to_owned()));
    }
    let server = match framework.id {
        "streamlit" | "gradio" | "aiohttp" | "tornado" | "sanic" => return extra,
        _ if framework.asgi => "uvicorn",
        _ => "gunicorn",
    };
    let bundled = server == "uvicorn"
        && manifest
            .deps
            .keys()
            .any(|d| d == "fastapi[standard]" || d == "fastapi[all]" || d.starts_with("uvicorn"));
    if !bundled && !manifest.has(server) {
        extra.push(server.to_owned());
    }
    extra
}
