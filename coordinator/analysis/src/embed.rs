//! Parts that belong together: front ends built into a server, contexts wider than the code, calls between services.
//!
//! One rule: a front end is folded into a server only where a file shows that the server carries it.

use std::collections::BTreeSet;

use hydron_domain::analysis::{NotAService, ServiceKind};

use crate::draft::{Draft, Found, Stack, edge};
use crate::field::At;
use crate::formats::dockerfile::Dockerfile;
use crate::overlay::compose::names_host;
use crate::overlay::dockerfiles::{self, copied};
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, Role};
use crate::stacks::node::Product;

patterns! {
    OUT_OUTSIDE = r#"(?:outDir|outputDir|outputPath|distDir)['"]?\s*[:(=][^\n]*?['"`]((?:\.\./)+[^'"`]*)['"`]"#;
    OUT_OPTION = r#"--(?:outDir|out-dir|output-path|dist-dir)[= ]((?:\.\./)+[^\s"'&]*)"#;
    PROXY = r"(?:proxy_pass|reverse_proxy|server)\s+(?:https?://)?\$?\{?([\w.-]+)\}?";
    BALANCED = r"lb://([\w-]+)";
}

/// Folds embedded front ends into their servers.
pub(crate) fn fold(repo: &Repo<'_>, found: &mut Found) {
    shared_image(repo, found);
    let mut folded: Vec<usize> = Vec::new();
    for (index, draft) in found.drafts.iter().enumerate() {
        let front = matches!(draft.kind, ServiceKind::Static)
            && matches!(draft.stack, Stack::Node(_) | Stack::Site(_));
        if !front {
            continue;
        }
        let carried = carrier(repo, &found.drafts, draft).or_else(|| packed(repo, draft));
        if let Some((host, reason)) = carried {
            found.rejected.push(NotAService {
                path: path::shown(&draft.dir),
                reason: format!("a front end that {} carries: {reason}", path::shown(&host)),
                rule: "embed.front_end".to_owned(),
            });
            folded.push(index);
        }
    }
    let dirs: Vec<String> =
        folded.iter().filter_map(|i| found.drafts.get(*i)).map(|d| d.dir.clone()).collect();
    for index in folded.into_iter().rev() {
        found.drafts.remove(index);
    }
    let inside = |d: &Draft| d.kind == ServiceKind::Static && dirs.iter().any(|f| path::within(&d.dir, f));
    let parts: Vec<String> = found.drafts.iter().filter(|d| inside(d)).map(|d| d.dir.clone()).collect();
    found.drafts.retain(|d| !inside(d));
    for part in parts {
        found.reject(&part, "embed.part", "a part of a front end that a server carries");
    }
    nest(found);
}

/// A page that Go code beside it packs into a program, though no program of this repository serves it.
fn packed(repo: &Repo<'_>, front: &Draft) -> Option<(String, String)> {
    let code = repo
        .in_dir(&front.dir)
        .find(|f| f.extension() == "go" && repo.text(f).is_some_and(|t| t.contains("//go:embed")))?;
    Some((path::parent(&front.dir).to_owned(), format!("{} embeds it", code.path)))
}

/// The server that carries a front end, and how that shows.
fn carrier(repo: &Repo<'_>, drafts: &[Draft], front: &Draft) -> Option<(String, String)> {
    let servers: Vec<&Draft> =
        drafts.iter().filter(|d| d.kind == ServiceKind::Web && d.dir != front.dir).collect();
    for config in repo
        .in_dir(&front.dir)
        .filter(|f| f.name().contains("config") || f.name() == "angular.json" || f.name() == "package.json")
    {
        let Some(text) = repo.text(config) else { continue };
        let found = OUT_OUTSIDE.captures(text).or_else(|| OUT_OPTION.captures(text));
        let Some(out) = found.and_then(|c| c.get(1)) else { continue };
        let target = path::resolve(&front.dir, out.as_str())?;
        let holds =
            |s: &&&Draft| path::within(&target, &s.dir) || s.sources.iter().any(|d| path::within(&target, d));
        if let Some(server) = servers.iter().find(holds) {
            return Some((server.dir.clone(), format!("{} builds into {target}", config.path)));
        }
    }
    if let Some(found) = embedded_by_place(repo, &servers, front).or_else(|| generated(repo, &servers, front))
    {
        return Some(found);
    }
    // A server that depends on the page's package serves what that package builds.
    let depends = |s: &&&Draft| matches!(s.stack, Stack::Node(_)) && s.sources.contains(&front.dir);
    if let Some(server) = servers.iter().find(depends) {
        return Some((server.dir.clone(), "its package is a dependency of the server's".to_owned()));
    }
    for server in servers.iter().filter(|s| path::within(&front.dir, &s.dir)) {
        let relative = path::relative(&front.dir, &server.dir)?;
        let product = match &front.stack {
            Stack::Node(facts) => match &facts.product {
                Product::Files { dir, .. } => dir.clone(),
                Product::Server | Product::Bundle { .. } => "dist".to_owned(),
            },
            Stack::Python(_)
            | Stack::Ruby(_)
            | Stack::Go(_)
            | Stack::Rust(_)
            | Stack::Java(_)
            | Stack::Php(_)
            | Stack::Dotnet(_)
            | Stack::Site(_)
            | Stack::Image => "public".to_owned(),
        };
        let needle = format!("{relative}/{product}");
        let names = [
            "Makefile",
            "Taskfile.yml",
            "justfile",
            "build.sh",
            ".goreleaser.yml",
            ".goreleaser.yaml",
            "Dockerfile",
            "build.rs",
            "pom.xml",
            "build.gradle",
            "build.gradle.kts",
            "package.json",
        ];
        let by_recipe = names.iter().map(|n| path::join(&server.dir, n)).find(|p| {
            repo.read(p).is_some_and(|t| t.contains(&needle) || t.contains(&needle.replace('/', "\\")))
        });
        let by_code = || {
            repo.under(&server.dir).filter(|f| {
                f.role == Role::Normal
                    && matches!(f.extension(), "go" | "rs" | "py" | "js" | "ts" | "rb" | "java" | "cs")
                    && !path::within(&f.path, &front.dir)
            })
        };
        if let Some(file) = by_recipe {
            return Some((server.dir.clone(), format!("{file} takes {needle}")));
        }
        let embedded = by_code().find(|f| {
            repo.text(f).is_some_and(|t| {
                t.contains(&needle)
                    || t.contains(&format!("{relative}', '{product}"))
                    || t.contains(&format!("\"{relative}\", \"{product}"))
            })
        });
        if let Some(file) = embedded {
            return Some((server.dir.clone(), format!("{} serves {needle}", file.path)));
        }
    }
    None
}

/// A line `//go:generate npm --prefix ui run build` makes the front end a part of the program.
fn generated(repo: &Repo<'_>, servers: &[&Draft], front: &Draft) -> Option<(String, String)> {
    let words =
        |line: &str| line.split([' ', '\t', '=', '"', '\'', ';', '&']).map(str::to_owned).collect::<Vec<_>>();
    let names = |file: &File| {
        let lines = repo.text(file).unwrap_or_default().lines().filter(|l| l.starts_with("//go:generate "));
        let mut all = lines.flat_map(words).filter(|w| w.len() > 1 || w == ".");
        all.any(|word| {
            let place = path::resolve(file.dir(), word.trim_end_matches("/..."));
            place.is_some_and(|p| !p.is_empty() && path::within(&p, &front.dir))
        })
    };
    let code = repo.files().iter().filter(|f| f.extension() == "go" && f.role == Role::Normal);
    for file in code.filter(|f| servers.iter().any(|s| matches!(s.stack, Stack::Go(_)) && s.owns(&f.path))) {
        if names(file) {
            let server = servers.iter().find(|s| s.owns(&file.path))?;
            return Some((server.dir.clone(), format!("{} generates code from it", file.path)));
        }
    }
    None
}

/// A front end inside the sources of a server whose language embeds files: Java's `src/main`, Go's `//go:embed`.
fn embedded_by_place(repo: &Repo<'_>, servers: &[&Draft], front: &Draft) -> Option<(String, String)> {
    for server in servers {
        let relative = path::relative(&front.dir, &server.dir);
        if matches!(server.stack, Stack::Java(_)) && relative.is_some_and(|r| r.starts_with("src/main/")) {
            return Some((
                server.dir.clone(),
                "it lies in src/main, which is packed into the archive".to_owned(),
            ));
        }
    }
    let embed = repo
        .in_dir(&front.dir)
        .find(|f| f.extension() == "go" && repo.text(f).is_some_and(|t| t.contains("//go:embed")))?;
    let server = servers.iter().find(|s| s.owns(&embed.path))?;
    Some((server.dir.clone(), format!("{} embeds it", embed.path)))
}

/// One Dockerfile above a server and a front end that puts both into one image: one service.
fn shared_image(repo: &Repo<'_>, found: &mut Found) {
    let files: Vec<_> =
        repo.files().iter().filter(|f| f.name() == "Dockerfile" && f.role == Role::Normal).collect();
    for file in files {
        let Some(parsed) = repo.text(file).map(Dockerfile::parse) else { continue };
        let dir = file.dir();
        if found.drafts.iter().any(|d| d.dir == dir)
            || dockerfiles::purpose(&file.path, &parsed) != dockerfiles::Purpose::App
        {
            continue;
        }
        fold_copied(found, &file.path, &parsed);
        let sources = copied(&parsed);
        let uses = |d: &Draft| {
            path::relative(&d.dir, dir).is_some_and(|r| {
                !r.is_empty() && sources.iter().any(|s| s == r || s.starts_with(&format!("{r}/")))
            })
        };
        let product_copies = parsed
            .product(None)
            .is_some_and(|s| s.instructions.iter().any(|i| i.name == "COPY" && i.args.contains("--from=")));
        let server = found.drafts.iter().position(|d| d.kind == ServiceKind::Web && uses(d));
        let fronts: Vec<String> = found
            .drafts
            .iter()
            .filter(|d| d.kind == ServiceKind::Static && uses(d))
            .map(|d| d.dir.clone())
            .collect();
        let others = found.drafts.iter().filter(|d| d.kind == ServiceKind::Web && uses(d)).count();
        let Some(server) = server.filter(|_| product_copies && !fronts.is_empty() && others == 1) else {
            continue;
        };
        for front in &fronts {
            found.reject(
                front,
                "embed.shared_image",
                format!("a front end that {} builds into the server's image", file.path),
            );
        }
        found.drafts.retain({
            let fronts = fronts.clone();
            move |d| !(d.kind == ServiceKind::Static && fronts.contains(&d.dir))
        });
        let server = found.drafts.get(server).map(|d| d.dir.clone()).unwrap_or_default();
        for draft in found
            .drafts
            .iter_mut()
            .filter(|d| d.kind == ServiceKind::Web && uses(d) && (d.dir == server || fronts.len() == 1))
        {
            dir.clone_into(&mut draft.dir);
            draft.sources.extend(fronts.iter().cloned());
        }
    }
}

/// A product that takes one server and one front end from an earlier stage is the server's image.
fn fold_copied(found: &mut Found, file: &str, parsed: &Dockerfile) {
    let Some(product) = parsed.product(None) else { return };
    let dir = path::parent(file);
    let takes = |d: &Draft| {
        path::relative(&d.dir, dir).filter(|r| !r.is_empty()).is_some_and(|r| {
            let copies =
                product.instructions.iter().filter(|i| i.name == "COPY" && i.args.contains("--from="));
            copies.into_iter().any(|i| i.args.contains(&format!("/{r}/")))
        })
    };
    let count = |kind| found.drafts.iter().filter(|d| d.kind == kind && takes(d)).count();
    if count(ServiceKind::Web) != 1 || count(ServiceKind::Static) != 1 {
        return;
    }
    if let Some(front) = found.drafts.iter().position(|d| d.kind == ServiceKind::Static && takes(d)) {
        let front = found.drafts.remove(front);
        found.reject(
            &front.dir,
            "embed.shared_image",
            format!("a front end that {file} copies into the server's image"),
        );
    }
}

/// Files below another service's directory belong to that service.
fn nest(found: &mut Found) {
    let dirs: BTreeSet<String> = found.drafts.iter().map(|d| d.dir.clone()).collect();
    for draft in &mut found.drafts {
        let inner = dirs
            .iter()
            .filter(|d| **d != draft.dir && draft.sources.iter().any(|s| path::within(d, s) && *d != s));
        draft.nested = inner.filter(|d| !draft.sources.contains(d)).cloned().collect();
        let rejected = found.rejected.iter().filter(|r| {
            !r.path.is_empty()
                && r.path != "."
                && !r.rule.starts_with("embed.")
                && !r.rule.ends_with("no_app")
        });
        let rejected = rejected.filter(|r| {
            path::within(&r.path, &draft.dir)
                && r.path != draft.dir
                && !draft.sources.iter().any(|s| path::within(s, &r.path) && s != &draft.dir)
        });
        let library = |rule: &str| {
            rule.contains("descriptor")
                || rule.contains("library")
                || rule.contains("helper")
                || rule.contains("no_server")
                || rule.contains("client")
        };
        draft.nested.extend(rejected.filter(|r| !library(&r.rule)).map(|r| r.path.clone()));
    }
}

/// Front ends that a stage of a server's Dockerfile builds and its product takes.
fn staged(repo: &Repo<'_>, found: &mut Found) {
    let mut carried: Vec<(String, String)> = Vec::new();
    for server in found.drafts.iter().filter(|d| d.kind == ServiceKind::Web) {
        let Some(link) = &server.dockerfile else { continue };
        let Some(parsed) = repo.read(&link.path).map(Dockerfile::parse) else { continue };
        let target = link.target.as_deref();
        let taken = |alias: &str| {
            let from = format!("--from={alias}");
            parsed.all(target, "COPY").iter().any(|i| i.args.split_whitespace().any(|w| w == from))
        };
        for stage in parsed.stages.iter().filter(|s| s.alias.as_deref().is_some_and(taken)) {
            let sources = dockerfiles::sources(stage);
            for front in found.drafts.iter().filter(|d| is_front(d, server)) {
                let place = path::relative(&front.dir, &link.context).filter(|p| !p.is_empty());
                if place.is_some_and(|p| sources.iter().any(|s| s == p || path::within(s, p))) {
                    carried.push((front.dir.clone(), link.path.clone()));
                }
            }
        }
    }
    for (dir, file) in carried {
        found.drafts.retain(|d| d.dir != dir);
        found.reject(
            &dir,
            "embed.shared_image",
            format!("a front end that {file} builds and copies into the server's image"),
        );
    }
}

/// A page, or a Node front end beside a server of another language, that nothing runs by itself.
fn is_front(front: &Draft, server: &Draft) -> bool {
    let page = matches!(front.stack, Stack::Node(_) | Stack::Site(_));
    let alone = front.hosts.is_empty() && !matches!(server.stack, Stack::Node(_) | Stack::Image);
    let own = front.dockerfile.as_ref().is_some_and(|l| path::within(&l.path, &front.dir));
    page && !own && front.dir != server.dir && (front.kind == ServiceKind::Static || alone)
}

/// After the overlays: a declared context widens a lone service.
pub(crate) fn settle(repo: &Repo<'_>, found: &mut Found) {
    staged(repo, found);
    for draft in found
        .drafts
        .iter_mut()
        .filter(|d| matches!(d.stack, Stack::Site(crate::stacks::site::SiteFacts::Plain)))
    {
        let Some(parsed) = draft.dockerfile.as_ref().and_then(|l| repo.read(&l.path)).map(Dockerfile::parse)
        else {
            continue;
        };
        let proxies = repo
            .under(&draft.dir)
            .filter(|f| repo.size(f).is_some_and(|size| size < 65536))
            .filter_map(|f| repo.text(f))
            .any(|t| t.contains("proxy_pass") || t.contains("reverse_proxy"));
        if dockerfiles::is_web_server(&parsed) && proxies {
            draft.kind = ServiceKind::Web;
            let at = draft.dockerfile.as_ref().map(|l| At::file(&l.path)).unwrap_or_default();
            draft.framework.offer("nginx", 0.85, "settle.proxy", at);
        }
    }
    let dirs: Vec<String> = found.drafts.iter().map(|d| d.dir.clone()).collect();
    for draft in &mut found.drafts {
        let Some(link) = draft.dockerfile.as_ref().filter(|l| {
            !l.context.is_empty() && l.context != draft.dir && path::within(&draft.dir, &l.context)
        }) else {
            continue;
        };
        let alone = dirs.iter().filter(|d| path::within(d, &link.context)).count() == 1;
        let beside = path::parent(&link.path) == link.context;
        if alone && beside {
            let context = link.context.clone();
            draft.sources.push(context.clone());
            draft.name.offer(path::base(&context), 0.85, "settle.context", At::file(&link.path));
            draft.dir = context;
        }
    }
    nest(found);
}

/// Calls between services that values and proxy rules show.
pub(crate) fn edges(repo: &Repo<'_>, drafts: &mut [Draft]) {
    let all: Vec<(usize, String)> = drafts
        .iter()
        .enumerate()
        .flat_map(|(i, d)| d.hosts.iter().cloned().chain(d.name.value().cloned()).map(move |h| (i, h)))
        .collect();
    let mut edges: Vec<(usize, String, At)> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let mut hosts: Vec<(String, At)> = Vec::new();
        // A name of a compose file reaches no service of another compose file.
        let foreign = |other: usize| {
            let files = |d: &Draft| d.composed.iter().map(|(file, _)| file.clone()).collect::<BTreeSet<_>>();
            let (own, theirs) = (files(draft), drafts.get(other).map(files).unwrap_or_default());
            !own.is_empty() && !theirs.is_empty() && own.is_disjoint(&theirs)
        };
        let names: Vec<(usize, String)> = all.iter().filter(|(i, _)| !foreign(*i)).cloned().collect();
        for (other, host) in names.iter().filter(|(i, h)| *i != index && h.len() >= 3) {
            let same_dir = drafts.get(*other).is_some_and(|d| d.dir == draft.dir);
            let value = draft.env.values().find(|e| {
                !same_dir
                    && e.default
                        .as_deref()
                        .or_else(|| draft.given.get(&e.name).map(String::as_str))
                        .is_some_and(|v| names_host(v, host))
            });
            if let Some(env) = value {
                hosts.push((host.clone(), At { file: env.file.clone(), line: env.line }));
            }
        }
        for file in repo.under(&draft.dir).filter(|f| {
            matches!(f.extension(), "conf" | "template" | "yml" | "yaml" | "properties")
                && f.role == Role::Normal
                && draft.owns(&f.path)
        }) {
            let Some(text) = repo.text(file) else { continue };
            for pattern in [&*PROXY, &*BALANCED] {
                for found in pattern.captures_iter(text).filter_map(|c| c.get(1)) {
                    let word = found.as_str();
                    let given = draft.given.get(word).cloned();
                    let named = names.iter().find(|(i, h)| {
                        *i != index
                            && (h == word
                                || given.as_deref() == Some(h)
                                || word.eq_ignore_ascii_case(&format!("{h}_HOST")))
                    });
                    if let Some((_, host)) = named {
                        hosts.push((
                            host.clone(),
                            At::line(&file.path, crate::repo::line_at(text, found.start())),
                        ));
                    }
                }
            }
        }
        let key = |host: &String| {
            let shared = draft.composed.iter().map(|(file, _)| edge(file, host));
            let known = |e: &String| drafts.iter().any(|d| d.composed.iter().any(|(f, n)| edge(f, n) == *e));
            shared.into_iter().find(known).unwrap_or_else(|| host.clone())
        };
        edges.extend(hosts.into_iter().map(|(h, at)| (index, key(&h), at)));
    }
    for (index, host, at) in edges {
        if let Some(draft) = drafts.get_mut(index) {
            draft.depends_on.entry(host).or_insert(at);
        }
    }
}
