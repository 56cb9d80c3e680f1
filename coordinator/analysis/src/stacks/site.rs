//! Sites without a program: Hugo, Jekyll, MkDocs, and plain HTML.
//!
//! One rule: plain HTML is the last resort; a page inside a program's directory belongs to that program.

use hydron_domain::analysis::ServiceKind;

use super::Scan;
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::repo::{File, Repo, Role};

/// What the recipe writer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SiteFacts {
    /// Files are served as they are.
    #[default]
    Plain,
    /// Hugo; extended if SCSS is compiled.
    Hugo {
        /// Needs the extended build.
        extended: bool,
        /// Uses Hugo modules (Go).
        modules: bool,
        /// Needs npm packages (PostCSS).
        npm: bool,
    },
    /// Jekyll; with a Gemfile of its own or the github-pages set.
    Jekyll {
        /// Has a Gemfile.
        gemfile: bool,
    },
    /// MkDocs.
    MkDocs,
}

/// Sites with a generator.
pub(crate) fn find_generators(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let mut seen = std::collections::BTreeSet::new();
    for file in repo.files().iter().filter(|f| f.role != Role::Vendored) {
        let Some((dir, id, rule)) = generator(repo, file) else { continue };
        if !seen.insert(dir.clone()) {
            continue;
        }
        if file.role == Role::Aux || (!dir.is_empty() && repo.is_support(&dir)) {
            found.reject(&dir, "site.docs", format!("a {id} site for documentation or tests"));
            continue;
        }
        if found.drafts.iter().any(|d| d.dir == dir) {
            found.reject(&dir, "site.beside_program", format!("{id} files beside a program"));
            continue;
        }
        found.drafts.push(generated(repo, &dir, id, rule, file));
    }
}

fn generator(repo: &Repo<'_>, file: &File) -> Option<(String, &'static str, &'static str)> {
    let dir = file.dir().to_owned();
    match file.name() {
        "hugo.yaml" | "hugo.yml" | "hugo.toml" | "hugo.json" => Some((dir, "hugo", "site.hugo.config")),
        "config.toml" | "config.yaml" | "config.yml" | "config.json"
            if repo.has_dir(&path::join(&dir, "content")) =>
        {
            let text = repo.text(file)?;
            (text.contains("baseURL") || text.contains("baseurl") || text.contains("baseUrl")).then_some((
                dir,
                "hugo",
                "site.hugo.base_url",
            ))
        }
        "config.toml" | "config.yaml" | "hugo.toml.tmpl" if dir.ends_with("config/_default") => {
            Some((path::parent(path::parent(&dir)).to_owned(), "hugo", "site.hugo.config_dir"))
        }
        "_config.yml" | "_config.yaml" => {
            let gemfile = repo
                .read(&path::join(&dir, "Gemfile"))
                .is_some_and(|t| t.contains("jekyll") || t.contains("github-pages"));
            let layout = ["_layouts", "_posts", "_includes", "_pages"]
                .iter()
                .any(|d| repo.has_dir(&path::join(&dir, d)));
            let hexo = repo.read(&path::join(&dir, "package.json")).is_some_and(|t| t.contains("\"hexo\""));
            ((gemfile || layout || repo.text(file)?.contains("theme:")) && !hexo).then_some((
                dir,
                "jekyll",
                "site.jekyll.config",
            ))
        }
        "mkdocs.yml" | "mkdocs.yaml" => Some((dir, "mkdocs", "site.mkdocs.config")),
        _ => None,
    }
}

fn generated(repo: &Repo<'_>, dir: &str, id: &'static str, rule: &str, file: &File) -> Draft {
    let has = |name: &str| repo.has(&path::join(dir, name));
    let (facts, language, manager, build, out) = match id {
        "hugo" => {
            let scss = repo.under(dir).any(|f| f.extension() == "scss")
                || repo.under(dir).any(|f| f.name() == "go.mod");
            let facts = SiteFacts::Hugo { extended: scss, modules: has("go.mod"), npm: has("package.json") };
            (facts, "none", if has("package.json") { "npm" } else { "none" }, "hugo --gc --minify", "public")
        }
        "jekyll" => {
            let build = if has("Gemfile") { "bundle exec jekyll build" } else { "jekyll build" };
            (
                SiteFacts::Jekyll { gemfile: has("Gemfile") },
                "ruby",
                if has("Gemfile") { "bundler" } else { "none" },
                build,
                "_site",
            )
        }
        _ => (SiteFacts::MkDocs, "python", "pip", "mkdocs build", "site"),
    };
    let mut draft = Draft::new(dir, ServiceKind::Static, language, Stack::Site(facts));
    draft.framework.offer(id, 0.93, rule, At::file(&file.path));
    draft.why.offer(format!("{id} configuration"), 0.93, rule, At::file(&file.path));
    draft.package_manager.offer(manager, 0.7, "site.manager", At::nowhere());
    draft.build.offer(build, 0.8, "site.build", At::nowhere());
    draft.output_dir.offer(out, 0.7, "site.output", At::nowhere());
    if !dir.is_empty() {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    draft
}

/// Directories with an index page and no program.
pub(crate) fn find_plain(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let mut pages: Vec<&File> =
        repo.files().iter().filter(|f| f.name() == "index.html" && f.role == Role::Normal).collect();
    pages.sort_by_key(|f| path::depth(&f.path));
    let mut taken: Vec<String> = Vec::new();
    for page in pages {
        let mut dir = page.dir();
        for root in ["public", "dist", "site", "www", "html", "static", "src", "build", "_site"] {
            if path::base(dir) == root && !repo.has(&path::join(dir, "package.json")) {
                dir = path::parent(dir);
                break;
            }
        }
        let inside = |other: &str| path::within(dir, other);
        if path::depth(page.dir()) > 4 || repo.is_support(dir) || taken.iter().any(|t| inside(t)) {
            continue;
        }
        // A page belongs to the program whose directory holds it, unless that program is the whole repository
        // and the page stands in a directory of its own with other web files.
        let owner = found.drafts.iter().filter(|d| inside(&d.dir)).max_by_key(|d| d.dir.len());
        if owner.is_some() || has_other_program(repo, dir) {
            continue;
        }
        let refused = found
            .rejected
            .iter()
            .any(|r| r.path != "." && path::within(dir, &r.path) && r.rule != "go.no_server");
        if refused {
            continue;
        }
        let draft = plain(dir, page);
        taken.push(dir.to_owned());
        found.drafts.push(draft);
    }
}

/// Whether a directory is claimed by templates or a program that the stacks did not recognise.
fn has_other_program(repo: &Repo<'_>, dir: &str) -> bool {
    let templates = dir.split('/').any(|p| {
        matches!(
            p,
            "templates"
                | "views"
                | "resources"
                | "webapp"
                | "wwwroot"
                | "layouts"
                | "partials"
                | "emails"
                | "assets"
        )
    });
    let programs = [
        "package.json",
        "go.mod",
        "Cargo.toml",
        "pom.xml",
        "composer.json",
        "Gemfile",
        "requirements.txt",
        "pyproject.toml",
        "mix.exs",
    ];
    let bundled = repo.first_of(dir, &programs).is_some_and(|p| !p.ends_with("package.json"));
    templates || bundled
}

fn plain(dir: &str, page: &File) -> Draft {
    let mut draft = Draft::new(dir, ServiceKind::Static, "html", Stack::Site(SiteFacts::Plain));
    draft.framework.offer("static", 0.8, "site.plain.index", At::file(&page.path));
    draft.why.offer("an index page and no program", 0.8, "site.plain.index", At::file(&page.path));
    draft.package_manager.offer("none", 0.8, "site.manager", At::nowhere());
    let output = path::relative(page.dir(), dir).filter(|o| !o.is_empty()).unwrap_or(".");
    draft.output_dir.offer(output, 0.8, "site.plain.output", At::file(&page.path));
    draft.health.offer("/", 0.4, "site.health", At::nowhere());
    if !dir.is_empty() {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    draft
}
