//! What a service talks to: databases, queues, search engines, outside services.
//!
//! One rule: a driver proposes, configuration decides, compose confirms; several drivers without a decision are alternatives.

pub(crate) mod binding;
pub(crate) mod drivers;
pub(crate) mod packages;
pub(crate) mod providers;
pub(crate) mod table;

use std::collections::BTreeSet;

use hydron_domain::analysis::ServiceKind;

use crate::draft::{Draft, NeedDraft, Stack};
use crate::overlay::compose::Offered;
use crate::path;
use crate::stacks::Scan;
use table::SQL;

/// Finds the dependencies of all drafts.
pub(crate) fn find(scan: &Scan<'_, '_>, drafts: &mut [Draft], offered: &[Offered]) {
    for draft in drafts.iter_mut() {
        drivers::offer(scan, draft);
        providers::offer(scan.repo, draft);
        variables(draft);
    }
    let dirs: Vec<String> = drafts.iter().map(|d| d.dir.clone()).collect();
    for draft in drafts.iter_mut() {
        let near: Vec<&Offered> = offered.iter().filter(|o| reaches(draft, o, &dirs)).collect();
        unlinked(draft, &near);
        decide(draft);
        complete(draft, &near);
        if draft.kind == ServiceKind::Static {
            draft.needs.retain(|kind, _| table::is_external(kind));
        }
    }
    brokers(drafts);
}

/// Whether a compose file can be meant for a service: one in another service's directory is that service's own.
fn reaches(draft: &Draft, offered: &Offered, dirs: &[String]) -> bool {
    let place = path::parent(offered.at.file.as_deref().unwrap_or_default());
    path::within(&draft.dir, place)
        || !dirs.iter().any(|d| !d.is_empty() && *d != draft.dir && path::within(place, d))
}

/// A compose file that runs the service says what it cannot run without: a driver for anything else is a choice.
fn complete(draft: &mut Draft, offered: &[&Offered]) {
    let linked = draft.needs.values().any(|n| n.reasons.confidence() >= 0.9 && n.image.is_some());
    if draft.hosts.is_empty() || !linked {
        return;
    }
    let server = draft.needs.iter().any(|(k, n)| SQL.contains(&k.as_str()) && n.image.is_some());
    for (kind, need) in &mut draft.needs {
        let there = offered.iter().any(|o| o.kind == *kind);
        let only_driver = need.reasons.confidence() <= 0.75;
        if !there && only_driver && !table::is_external(kind) && !table::is_embedded(kind) {
            need.required = false;
            need.alternative = true;
        }
        // Settings fall back to a file, and the compose file gives the server.
        if server && table::is_embedded(kind) && need.image.is_none() {
            need.alternative = true;
        }
    }
}

/// The processes of a task queue speak through one broker.
fn brokers(drafts: &mut [Draft]) {
    let queues = |d: &Draft| {
        matches!(d.framework_name(), "celery" | "rq" | "dramatiq" | "sidekiq" | "resque" | "arq" | "flower")
    };
    let mut found: Vec<(String, String, NeedDraft)> = Vec::new();
    for draft in drafts.iter().filter(|d| queues(d)) {
        let brokers = ["redis", "rabbitmq"].into_iter().filter_map(|k| Some((k, draft.needs.get(k)?)));
        let required = brokers.filter(|(_, need)| need.required && !need.alternative);
        found.extend(required.map(|(kind, need)| (draft.dir.clone(), kind.to_owned(), need.clone())));
    }
    for draft in drafts.iter_mut().filter(|d| queues(d)) {
        let own = ["redis", "rabbitmq"].iter().any(|k| draft.needs.get(*k).is_some_and(|n| n.required));
        for (_, kind, need) in found.iter().filter(|(dir, _, _)| !own && *dir == draft.dir) {
            draft.needs.insert(kind.clone(), need.clone());
        }
    }
}

/// Variables whose name or value names a kind.
fn variables(draft: &mut Draft) {
    let names: Vec<(String, Option<String>)> = draft
        .env
        .values()
        .map(|e| (e.name.clone(), draft.given.get(&e.name).cloned().or_else(|| e.default.clone())))
        .collect();
    for (name, value) in names {
        let by_value = value.as_deref().and_then(table::kind_of_url);
        let kind = by_value.or_else(|| table::kind_of_name(&name));
        if let Some(provider) = oauth_provider(&name) {
            let required = draft.env.get(&name).is_some_and(|e| e.required);
            let need = draft.need(&format!("oauth-{provider}"));
            need.driver = true;
            need.required |= required;
            need.reasons.offer(format!("variable {name}"), 0.7, "needs.oauth", crate::field::At::nowhere());
        }
        if let Some(outside) =
            outside_provider(&name).filter(|_| kind.is_none() && !matches!(draft.stack, Stack::Php(_)))
        {
            let read = draft.env.get(&name).is_some_and(|e| {
                e.source == hydron_domain::analysis::EnvSource::Code && e.default.is_none() && !e.build_time
            });
            let need = draft.need(&outside);
            need.driver = true;
            need.alternative = !read;
            need.reasons.offer(
                format!("variable {name}"),
                0.6,
                "needs.provider",
                crate::field::At::nowhere(),
            );
        }
        let Some(kind) = kind else { continue };
        let file = draft
            .env
            .get(&name)
            .map(|e| crate::field::At { file: e.file.clone(), line: e.line })
            .unwrap_or_default();
        let sure = if by_value.is_some() { 0.6 } else { 0.5 };
        draft.need(kind).reasons.offer(format!("variable {name}"), sure, "needs.variable", file);
    }
}

/// Auth.js names its providers: `AUTH_DISCORD_SECRET`.
fn oauth_provider(name: &str) -> Option<String> {
    let provider = name.strip_prefix("AUTH_")?.strip_suffix("_SECRET")?;
    (!provider.is_empty() && !provider.contains('_')).then(|| provider.to_lowercase())
}

/// An outside API by the name of its key: `TMDB_API_KEY` → `tmdb-api`; an identity provider by its address.
fn outside_provider(name: &str) -> Option<String> {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split('_').collect();
    if words.iter().any(|w| *w == "IDP" || *w == "OIDC")
        && ["URL", "ISSUER", "KNOWN", "ENDPOINT"].iter().any(|w| words.last() == Some(w))
    {
        return Some("oidc-idp".to_owned());
    }
    let vendor = upper.strip_suffix("_API_KEY")?;
    let own = [
        "APP", "INITIAL", "SECRET", "INTERNAL", "ADMIN", "PUBLIC", "SERVER", "CLIENT", "MASTER", "MY",
        "TEST", "DEFAULT", "HYDRON", "SERVICE", "PRIVATE", "X", "API", "WEB", "USER", "AUTH",
    ];
    let single = vendor.len() >= 3 && vendor.chars().all(|c| c.is_ascii_alphanumeric());
    (single && !own.contains(&vendor)).then(|| format!("{}-api", vendor.to_lowercase()))
}

/// A database of the compose file that no service claims confirms a driver.
fn unlinked(draft: &mut Draft, offered: &[&Offered]) {
    for dependency in offered.iter().filter(|o| !o.linked) {
        let kind = if dependency.kind == "mariadb" && draft.needs.contains_key("mysql") {
            "mysql"
        } else {
            dependency.kind.as_str()
        };
        let Some(need) = draft.needs.get_mut(kind) else { continue };
        let same_group = offered.iter().filter(|o| !o.linked && SQL.contains(&o.kind.as_str())).count();
        let alternatives = SQL.contains(&kind) && same_group > 1;
        if need.driver && !alternatives && !dependency.choice {
            need.required = true;
        }
        if need.driver || need.required {
            need.version.clone_from(&dependency.version);
            need.image.clone_from(&dependency.image);
            need.reasons.offer(
                format!("compose service {}", dependency.host),
                0.85,
                "compose.offered",
                dependency.at.clone(),
            );
        }
    }
}

/// A product that knows the keys of many providers works without each of them.
const MANY_PROVIDERS: usize = 3;

fn decide(draft: &mut Draft) {
    mariadb(draft);
    sql(draft);
    let providers = draft.needs.iter().filter(|(k, n)| k.ends_with("-api") && !n.alternative).count();
    if providers >= MANY_PROVIDERS {
        for (_, need) in draft.needs.iter_mut().filter(|(k, _)| k.ends_with("-api")) {
            need.alternative = true;
        }
    }
    let names: BTreeSet<String> = draft.needs.keys().cloned().collect();
    for kind in &names {
        if SQL.contains(&kind.as_str()) {
            continue;
        }
        let external = table::is_external(kind);
        let variables: Vec<&hydron_domain::analysis::EnvNeed> =
            draft.env.values().filter(|e| table::kind_of_name(&e.name) == Some(kind.as_str())).collect();
        let demanded = variables.iter().any(|e| e.required);
        let place =
            |n: &str| n.ends_with("HOST") || n.ends_with("URL") || n.ends_with("URI") || n.ends_with("KEY");
        let optional = !variables.is_empty()
            && variables.iter().all(|e| !e.required && (e.default.is_none() || !place(&e.name)))
            && variables.iter().any(|e| matches!(e.source, hydron_domain::analysis::EnvSource::Schema))
            && (external
                || variables.iter().all(|e| matches!(e.source, hydron_domain::analysis::EnvSource::Schema)));
        // Ruby asks for what it cannot do without by `fetch`; a plain read there is mostly a question.
        let asks = matches!(draft.stack, Stack::Ruby(_)) && kind.ends_with("-api");
        let model =
            matches!(kind.as_str(), "openai" | "anthropic" | "stripe" | "oidc-idp") || kind.ends_with("-api");
        let model = model && !asks;
        let mails = kind == "smtp" && matches!(draft.stack, Stack::Go(_));
        // A package that can speak to a provider, without a variable for it, is one of several that a setting chooses.
        let silent = matches!(kind.as_str(), "openai" | "anthropic") && variables.is_empty();
        let Some(need) = draft.needs.get_mut(kind) else { continue };
        if !need.required && !need.alternative {
            need.required = if external {
                need.driver && (demanded || ((model || mails) && !optional && !silent))
            } else {
                need.driver && !optional
            };
        }
    }
    // A variable alone is a hint; without a driver, a decision or a compose link it is not reported as a container.
    draft.needs.retain(|kind, need| {
        need.required
            || need.driver
            || need.image.is_some()
            || need.reasons.confidence() >= 0.6 && !table::is_external(kind)
            || need.reasons.confidence() >= 0.8
    });
}

/// MariaDB speaks MySQL: one of the two is enough.
fn mariadb(draft: &mut Draft) {
    let linked = draft.needs.get("mariadb").is_some_and(|n| n.image.is_some());
    if linked
        && let Some(mysql) = draft.needs.remove("mysql")
        && let Some(maria) = draft.needs.get_mut("mariadb")
    {
        maria.driver |= mysql.driver;
        maria.scheme = mysql.scheme;
        maria.required |= mysql.required;
    }
}

fn sql(draft: &mut Draft) {
    let present: Vec<String> = draft.needs.keys().filter(|k| SQL.contains(&k.as_str())).cloned().collect();
    let decided: Vec<String> = present
        .iter()
        .filter(|k| draft.needs.get(*k).is_some_and(|n| n.required && !n.alternative))
        .cloned()
        .collect();
    let drivers: Vec<String> = present
        .iter()
        .filter(|k| draft.needs.get(*k).is_some_and(|n| n.driver && !n.alternative))
        .cloned()
        .collect();
    if decided.is_empty() {
        let servers: Vec<&String> = drivers.iter().filter(|k| !table::is_embedded(k)).collect();
        let only = match (drivers.as_slice(), servers.as_slice()) {
            ([one], _) => Some(one.clone()),
            (_, [one]) if drivers.iter().all(|d| d == *one || d == "h2" || d == "hsqldb") => {
                None.or(Some((*one).clone())).filter(|_| !drivers.iter().any(|d| d == "h2" || d == "hsqldb"))
            }
            _ => None,
        };
        if let Some(kind) = only {
            draft.need(&kind).required = true;
        }
        return;
    }
    for kind in present.iter().filter(|k| !decided.contains(k)) {
        draft.need(kind).alternative = true;
    }
}
