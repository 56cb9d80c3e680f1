//! PHP: Laravel, Symfony and other Composer applications.
//!
//! One rule: a framework is its own package (`symfony/framework-bundle`), never one of its many libraries.

use std::collections::BTreeSet;

use hydron_domain::analysis::ServiceKind;
use serde_json::Value;

use super::Scan;
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::formats::json;
use crate::path;
use crate::repo::{Repo, Role};

/// Frameworks by package, most specific first.
const FRAMEWORKS: [(&str, &str); 13] = [
    ("laravel/framework", "laravel"),
    ("laravel/lumen-framework", "lumen"),
    ("symfony/framework-bundle", "symfony"),
    ("symfony/symfony", "symfony"),
    ("mezzio/mezzio", "mezzio"),
    ("slim/slim", "slim"),
    ("cakephp/cakephp", "cakephp"),
    ("codeigniter4/framework", "codeigniter"),
    ("yiisoft/yii2", "yii"),
    ("laminas/laminas-mvc", "laminas"),
    ("drupal/core-recommended", "drupal"),
    ("hyperf/framework", "hyperf"),
    ("roots/wordpress", "wordpress"),
];

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhpFacts {
    /// Directory of `composer.json`.
    pub(crate) app_dir: String,
    pub(crate) deps: BTreeSet<String>,
    pub(crate) extensions: BTreeSet<String>,
    pub(crate) web_root: String,
    pub(crate) laravel: bool,
    /// Front-end assets are built by npm.
    pub(crate) node_build: bool,
}

/// Finds PHP services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    for file in repo.files().iter().filter(|f| f.name() == "composer.json" && f.role == Role::Normal) {
        let dir = file.dir();
        if !dir.is_empty() && repo.is_support(dir) {
            found.reject(dir, "php.support", "tests, docs or tooling");
            continue;
        }
        let value = match repo.text(file).map(json::parse) {
            Some(Ok(value)) => value,
            Some(Err(problem)) => {
                repo.note_unreadable(&file.path, &problem);
                continue;
            }
            None => continue,
        };
        let deps: BTreeSet<String> = json::keys(&value, "require").into_iter().collect();
        let framework = FRAMEWORKS.iter().find(|(package, _)| deps.contains(*package));
        let page =
            repo.first_of(dir, &["public/index.php", "index.php", "web/index.php", "webroot/index.php"]);
        let library = json::text(&value, "type")
            .is_some_and(|t| t == "library" || t.ends_with("-bundle") || t.ends_with("plugin"));
        if framework.is_none() && (page.is_none() || library) {
            found.reject(dir, "php.library", "a Composer package without a web entry");
            continue;
        }
        if framework.is_some_and(|(_, id)| *id == "laravel") && !repo.has(&path::join(dir, "artisan")) {
            found.reject(dir, "php.library", "a Laravel package, not an application");
            continue;
        }
        let draft = draft(repo, dir, &value, deps, framework.copied(), page.as_deref());
        found.drafts.push(draft);
    }
    bare(scan, found);
}

fn draft(
    repo: &Repo<'_>,
    dir: &str,
    value: &Value,
    deps: BTreeSet<String>,
    framework: Option<(&str, &'static str)>,
    page: Option<&str>,
) -> Draft {
    let file = path::join(dir, "composer.json");
    let mut draft = Draft::new(dir, ServiceKind::Web, "php", Stack::Image);
    match framework {
        Some((package, id)) => {
            draft.framework.offer(id, 0.96, &format!("php.{id}.package"), At::find(repo, &file, package));
        }
        None => draft.framework.offer("none", 0.5, "php.plain", At::nowhere()),
    }
    let name = json::text(value, "name").map(path::base);
    if dir.is_empty() {
        if let Some(name) = name {
            draft.name.offer(name, 0.6, "php.name.manifest", At::find(repo, &file, "\"name\""));
        }
    } else {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    draft.package_manager.offer("composer", 0.98, "php.composer", At::file(&file));
    for (key, confidence) in [("config.platform.php", 0.95), ("require.php", 0.9)] {
        if let Some(version) = json::text(value, key) {
            draft.version.offer(version, confidence, "php.version", At::find(repo, &file, "\"php\""));
        }
    }
    let web_root = page.map(path::parent).and_then(|d| path::relative(d, dir)).unwrap_or("public").to_owned();
    let laravel = framework.is_some_and(|(_, id)| id == "laravel" || id == "lumen");
    draft.build.offer("composer install --no-dev --optimize-autoloader", 0.8, "php.build", At::file(&file));
    draft.start.offer("frankenphp run", 0.5, "php.start", At::nowhere());
    draft.port.offer(8000_u16, 0.2, "php.port", At::nowhere());
    if laravel {
        draft.release.offer("php artisan migrate --force", 0.7, "php.laravel.migrate", At::nowhere());
    }
    draft.why.offer("a Composer application with a web entry", 0.9, "php.service", At::file(&file));
    for (package, name) in [
        ("doctrine/orm", "doctrine"),
        ("doctrine/doctrine-bundle", "doctrine"),
        ("twig/twig", "twig"),
        ("spiral/roadrunner", "roadrunner"),
        ("tymon/jwt-auth", "jwt-auth"),
        ("livewire/livewire", "livewire"),
    ] {
        if deps.contains(package) {
            draft.also.insert(name.to_owned());
        }
    }
    let extensions = deps.iter().filter_map(|d| d.strip_prefix("ext-")).map(str::to_owned).collect();
    let node_build = repo.has(&path::join(dir, "package.json"));
    if node_build && repo.read(&path::join(dir, "package.json")).is_some_and(|t| t.contains("\"vite\"")) {
        draft.also.insert("vite".to_owned());
    }
    draft.stack =
        Stack::Php(PhpFacts { app_dir: dir.to_owned(), deps, extensions, web_root, laravel, node_build });
    draft
}

/// PHP pages without Composer: `index.php` in a directory that nothing claims.
fn bare(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let pages = repo
        .files()
        .iter()
        .filter(|f| f.name() == "index.php" && f.role == Role::Normal && path::depth(&f.path) <= 3);
    for page in pages {
        let dir = match path::base(page.dir()) {
            "public" | "web" | "htdocs" | "html" | "www" => path::parent(page.dir()),
            _ => page.dir(),
        };
        let claimed = found.drafts.iter().any(|d| path::within(dir, &d.dir) || path::within(&d.dir, dir));
        let rejected = found.rejected.iter().any(|r| r.path == path::shown(dir));
        if claimed || rejected || repo.is_support(dir) {
            continue;
        }
        let mut draft = draft(repo, dir, &Value::Null, BTreeSet::new(), None, Some(&page.path));
        draft.package_manager = crate::field::Field::default();
        draft.package_manager.offer("none", 0.7, "php.none", At::nowhere());
        found.drafts.push(draft);
    }
}
