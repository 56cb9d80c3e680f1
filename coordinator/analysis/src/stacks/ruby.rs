//! Ruby: Rails, Sinatra and other Rack applications, and their background workers.
//!
//! One rule: gems are read from the lock file's list and the Gemfile's `gem` lines, never from text that merely contains a name.

use std::collections::BTreeSet;

use hydron_domain::analysis::ServiceKind;

use super::Scan;
use super::node::version::{first_line, tool_versions};
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{Repo, Role};

patterns! {
    GEM = r#"(?m)^\s*gem\s*\(?\s*['"]([\w\-]+)['"]([^\n]*)"#;
    GROUP = r"(?m)^\s*group\s+([^\n]*?)\s*do\s*$";
    LOCKED = r"(?m)^    ([\w\-]+) \(([^)]+)\)";
    GEMFILE_RUBY = r#"(?m)^\s*ruby\s+['"]([^'"]+)['"]"#;
    LOCK_RUBY = r"(?m)^RUBY VERSION\s*\n\s*ruby ([\d.]+)";
    SINATRA = r#"Sinatra::Base|require ['"]sinatra"#;
}

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct RubyFacts {
    pub(crate) gems: BTreeSet<String>,
    pub(crate) rails: bool,
    pub(crate) has_lock: bool,
    pub(crate) assets: bool,
    pub(crate) node: bool,
}

/// Finds Ruby services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    for file in repo.files().iter().filter(|f| f.name() == "Gemfile" && f.role == Role::Normal) {
        let dir = file.dir();
        if !dir.is_empty() && repo.is_support(dir) {
            found.reject(dir, "ruby.support", "tests, docs or tooling");
            continue;
        }
        let Some(text) = repo.text(file) else { continue };
        let (direct, locked) = gems(repo, dir, text);
        let all: BTreeSet<String> = direct.union(&locked).cloned().collect();
        let application = repo.read(&path::join(dir, "config/application.rb")).unwrap_or_default();
        let rackup = repo.has(&path::join(dir, "config.ru"));
        let framework = if application.contains("Rails::Application")
            || (all.contains("rails") && repo.has(&path::join(dir, "bin/rails")))
        {
            "rails"
        } else if all.contains("jekyll") || all.contains("github-pages") {
            continue;
        } else if rackup || all.contains("sinatra") && uses(repo, dir, &SINATRA) {
            ["hanami", "roda", "grape", "padrino", "sinatra"]
                .into_iter()
                .find(|g| all.contains(*g))
                .unwrap_or("rack")
        } else {
            found.reject(dir, "ruby.no_app", "a Gemfile without a Rails or Rack application");
            continue;
        };
        services(scan, found, dir, framework, &direct, &all);
    }
}

fn services(
    scan: &Scan<'_, '_>,
    found: &mut Found,
    dir: &str,
    framework: &str,
    direct: &BTreeSet<String>,
    all: &BTreeSet<String>,
) {
    let repo = scan.repo;
    let file = path::join(dir, "Gemfile");
    let mut draft = Draft::new(dir, ServiceKind::Web, "ruby", Stack::Image);
    draft.framework.offer(framework, 0.95, &format!("ruby.{framework}"), At::find(repo, &file, framework));
    draft.why.offer(format!("{framework} application"), 0.93, "ruby.service", At::file(&file));
    if !dir.is_empty() {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    draft.package_manager.offer("bundler", 0.98, "ruby.bundler", At::file(&file));
    version(repo, dir, &mut draft);
    for gem in [
        "puma",
        "sidekiq",
        "solid_queue",
        "solid_cache",
        "propshaft",
        "sprockets-rails",
        "devise",
        "resque",
        "good_job",
        "delayed_job",
    ] {
        if direct.contains(gem) {
            draft.also.insert(gem.to_owned());
        }
    }
    let puma = path::join(dir, "config/puma.rb");
    if framework == "rails" {
        if direct.contains("puma") && repo.has(&puma) {
            draft.start.offer("bundle exec puma -C config/puma.rb", 0.62, "ruby.puma", At::file(&puma));
        }
        draft.start.offer(
            "bin/rails server -b 0.0.0.0",
            0.63,
            "ruby.rails.server",
            At::file(&path::join(dir, "bin/rails")),
        );
        draft.port.offer(3000_u16, 0.3, "ruby.rails.port", At::nowhere());
        draft.release.offer("bin/rails db:prepare", 0.7, "ruby.rails.prepare", At::nowhere());
        draft.build.offer("bin/rails assets:precompile", 0.6, "ruby.rails.assets", At::nowhere());
    } else {
        draft.start.offer(
            "bundle exec rackup --host 0.0.0.0 -p 9292",
            0.6,
            "ruby.rackup",
            At::file(&path::join(dir, "config.ru")),
        );
        draft.port.offer(9292_u16, 0.3, "ruby.rack.port", At::nowhere());
    }
    let assets = ["propshaft", "sprockets", "sprockets-rails", "webpacker", "shakapacker", "vite_rails"]
        .iter()
        .any(|g| all.contains(*g));
    let facts = RubyFacts {
        rails: framework == "rails",
        has_lock: repo.has(&path::join(dir, "Gemfile.lock")),
        assets,
        node: repo.has(&path::join(dir, "package.json")),
        gems: direct.clone(),
    };
    draft.stack = Stack::Ruby(facts);
    workers(repo, found, &draft, direct);
    found.drafts.push(draft);
}

fn workers(repo: &Repo<'_>, found: &mut Found, web: &Draft, direct: &BTreeSet<String>) {
    let jobs = path::join(&web.dir, "bin/jobs");
    let rules = [
        ("sidekiq", "bundle exec sidekiq", "sidekiq", false),
        ("solid_queue", "bin/jobs", "solid_queue", true),
        ("resque", "bundle exec rake resque:work", "resque", false),
        ("good_job", "bundle exec good_job start", "good_job", true),
        ("delayed_job", "bin/delayed_job run", "delayed_job", false),
    ];
    for (gem, command, framework, optional) in rules {
        if !direct.contains(gem) || (gem == "solid_queue" && !repo.has(&jobs)) {
            continue;
        }
        let mut worker = web.sibling("worker", ServiceKind::Worker);
        worker.framework = crate::field::Field::default();
        worker.framework.offer(
            framework,
            0.9,
            &format!("ruby.{gem}"),
            At::find(repo, &path::join(&web.dir, "Gemfile"), gem),
        );
        worker.start.offer(command, 0.6, "ruby.worker", At::nowhere());
        worker.optional = optional;
        found.drafts.push(worker);
        return;
    }
}

fn uses(repo: &Repo<'_>, dir: &str, pattern: &regex::Regex) -> bool {
    repo.under(dir)
        .filter(|f| f.extension() == "rb" && f.role == Role::Normal)
        .filter_map(|f| repo.text(f))
        .any(|t| pattern.is_match(t))
}

/// Direct gems outside of development and test groups, and all locked ones.
fn gems(repo: &Repo<'_>, dir: &str, text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut direct = BTreeSet::new();
    let mut depth_dev: u32 = 0;
    for line in text.lines() {
        if let Some(group) = GROUP.captures(line).and_then(|c| c.get(1)) {
            let names = group.as_str();
            let run_time = names.contains("production") || names.contains("default");
            depth_dev = if run_time {
                0
            } else {
                u32::from(names.contains("development") || names.contains("test") || names.contains("ci"))
            };
        } else if line.trim() == "end" {
            depth_dev = 0;
        }
        if depth_dev > 0 {
            continue;
        }
        if let Some(found) = GEM.captures(line) {
            let rest = found.get(2).map_or("", |m| m.as_str());
            let dev = rest.contains(":development")
                || rest.contains(":test")
                || rest.contains("group: %i[development");
            if let (Some(name), false) = (found.get(1), dev) {
                direct.insert(name.as_str().to_owned());
            }
        }
    }
    let lock = repo.read(&path::join(dir, "Gemfile.lock")).unwrap_or_default();
    let locked = LOCKED.captures_iter(lock).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned()).collect();
    (direct, locked)
}

fn version(repo: &Repo<'_>, dir: &str, draft: &mut Draft) {
    let file = path::join(dir, ".ruby-version");
    if let Some((version, line)) = repo.read(&file).and_then(first_line) {
        draft.version.offer(
            version.trim_start_matches("ruby-"),
            0.97,
            "ruby.version.file",
            At::line(&file, line),
        );
    }
    if let Some((version, at)) = tool_versions(repo, dir, &["ruby"]) {
        draft.version.offer(version, 0.95, "ruby.version.tool_versions", at);
    }
    let gemfile = path::join(dir, "Gemfile");
    if let Some(found) = repo.read(&gemfile).and_then(|t| GEMFILE_RUBY.captures(t)).and_then(|c| c.get(1)) {
        let literal = found.as_str();
        let exact = literal.starts_with(|c: char| c.is_ascii_digit());
        draft.version.offer(
            literal,
            if exact { 0.93 } else { 0.6 },
            "ruby.version.gemfile",
            At::find(repo, &gemfile, literal),
        );
    }
    let lock = path::join(dir, "Gemfile.lock");
    if let Some(found) = repo.read(&lock).and_then(|t| LOCK_RUBY.captures(t)).and_then(|c| c.get(1)) {
        draft.version.offer(found.as_str(), 0.9, "ruby.version.lock", At::find(repo, &lock, "RUBY VERSION"));
    }
}
