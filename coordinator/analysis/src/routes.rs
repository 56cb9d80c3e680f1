//! Routes in code: health paths, and the prefix that all routes of a service share.
//!
//! One rule: only a literal in code that serves is a route; a path in a client's request is not.

use regex::Regex;

use crate::draft::Draft;
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, line_at};

patterns! {
    ABOUT_HEALTH = r#"(?:healthz?|check|livez?|liveness|readyz|readiness|ping|/up|heartbeat|alive)/?['"`]"#;
    ABOUT_STATUS = r#"/status/?['"`]"#;
    HEALTH = r#"['"`](/(?:[\w\-]+/){0,4}(?:healthz?|health[-_]?check|_healthz?|livez?|liveness|readyz|readiness|ping|up|heartbeat|alive))/?['"`]"#;
    STATUS = r#"['"`](/(?:[\w\-]+/){0,3}status)/?['"`]"#;
    ROUTE_PY = r#"(?m)^\s*@\w+\.(?:route|get|post|put|delete|patch)\(\s*['"]([^'"]+)['"]"#;
    ROUTE_JS = r#"\b(?:app|server|router|fastify|api)\.(?:get|post|put|delete|patch|use)\(\s*['"`](/[^'"`]*)['"`]"#;
    ROUTE_GO = r#"\.(?:GET|POST|PUT|DELETE|HandleFunc|Handle|Get|Post|Put|Delete|Group)\(\s*"(?:(?:GET|POST|PUT|DELETE|PATCH) )?(/[^"]*)""#;
    ROUTE_RS = r#"\.(?:route|nest|service)\(\s*"(/[^"]*)""#;
    PREFIX_PY = r#"(?:include_router|register_blueprint|APIRouter|Blueprint)\([^)]*(?:url_)?prefix\s*=\s*['"]([^'"]+)['"]"#;
    GLOBAL_PREFIX = r#"setGlobalPrefix\(\s*['"`]/?([^'"`]+)['"`]"#;
}

/// Paths that a file shows.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    health: Vec<HealthSeen>,
    /// Declared routes; a global prefix begins with `!`.
    pub(crate) routes: Vec<String>,
}

#[derive(Debug)]
struct HealthSeen {
    path: String,
    confidence: f32,
    rule: &'static str,
    line: Option<u32>,
}

/// Health paths and routes of a text.
pub(crate) fn find(file: &File, text: &str) -> Paths {
    if !has_paths(text) {
        return Paths { health: named_health(file, text), routes: Vec::new() };
    }
    let mut health = if serves(file) { literal_health(text) } else { Vec::new() };
    health.extend(named_health(file, text));
    Paths { health, routes: collect_routes(file.extension(), text) }
}

/// Whether a text can name a path at all: a quoted one, or an annotation.
fn has_paths(text: &str) -> bool {
    ["'/", "\"/", "`/", "@", "refix"].iter().any(|word| text.contains(word))
}

fn serves(file: &File) -> bool {
    !matches!(file.extension(), "sh" | "conf" | "template" | "tsx" | "jsx" | "vue" | "svelte")
}

fn literal_health(text: &str) -> Vec<HealthSeen> {
    let mut list = Vec::new();
    let candidates = if ABOUT_HEALTH.is_match(text) { text } else { "" };
    for found in HEALTH.captures_iter(candidates).filter_map(|c| c.get(1)).take(2) {
        let line_start = text.get(..found.start()).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
        let line = text.get(line_start..found.end()).unwrap_or_default();
        let asks = ["fetch(", "axios", "://"].iter().any(|word| line.contains(word));
        if asks || line.trim_start().starts_with(['#', '*']) {
            continue;
        }
        let short = if found.as_str().matches('/').count() == 1 { 0.02 } else { 0.0 };
        list.push(seen(text, found, 0.6 + short, "code.health.route"));
    }
    if ABOUT_STATUS.is_match(text)
        && let Some(found) = STATUS.captures(text).and_then(|c| c.get(1))
    {
        list.push(seen(text, found, 0.4, "code.health.status"));
    }
    list
}

fn seen(text: &str, found: regex::Match<'_>, confidence: f32, rule: &'static str) -> HealthSeen {
    let line = Some(line_at(text, found.start()));
    HealthSeen { path: found.as_str().to_owned(), confidence, rule, line }
}

/// Health paths that a framework serves when a file says so.
fn named_health(file: &File, text: &str) -> Vec<HealthSeen> {
    let named = [
        (
            "/health",
            0.62,
            "code.health.actuator",
            text.contains("express-actuator") && text.contains("actuator("),
        ),
        ("/up", 0.75, "code.health.rails", file.name() == "routes.rb" && text.contains("rails/health#show")),
        (
            "/up",
            0.75,
            "code.health.laravel",
            file.path.ends_with("bootstrap/app.php") && text.contains("health:"),
        ),
    ];
    let shown = named.into_iter().filter(|(_, _, _, holds)| *holds && serves(file));
    shown
        .map(|(path, confidence, rule, _)| HealthSeen { path: path.to_owned(), confidence, rule, line: None })
        .collect()
}

/// Offers the health paths of a file to a service.
pub(crate) fn health(draft: &mut Draft, file: &File, paths: &Paths) {
    for one in &paths.health {
        let at = At { file: Some(file.path.clone()), line: one.line };
        draft.health.offer(one.path.clone(), one.confidence, one.rule, at);
    }
    if serves(file)
        && let Some(route) = file_route(&file.path, &draft.dir)
    {
        draft.health.offer(route, 0.7, "code.health.file_route", At::file(&file.path));
    }
}

/// The path that a file-based router gives a health file: `app/api/health/route.ts` → `/api/health`.
fn file_route(file: &str, dir: &str) -> Option<String> {
    patterns! {
        ROUTE = r"^(?:src/)?(?:app|pages|routes|server)/((?:(?:api|v\d+|_?internal|\([\w\-]+\))/)*?(?:healthz?|health-?check|livez|readyz|ping|alive))(?:/(?:route|\+server|index)|\.get)?\.[jt]s$";
    }
    let relative = path::relative(file, dir)?;
    let found = ROUTE.captures(relative)?.get(1)?.as_str();
    let parts: Vec<&str> = found.split('/').filter(|p| !p.starts_with('(')).collect();
    Some(format!("/{}", parts.join("/")))
}

/// Routes and prefixes that a file declares, by the patterns of its language.
fn collect_routes(extension: &str, text: &str) -> Vec<String> {
    let mut list = Vec::new();
    let patterns: &[&Regex] = match extension {
        "py" => &[&ROUTE_PY],
        "go" => &[&ROUTE_GO],
        "rs" => &[&ROUTE_RS],
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => &[&ROUTE_JS, &ROUTE_RS],
        _ => &[&ROUTE_JS, &ROUTE_GO, &ROUTE_RS],
    };
    for pattern in patterns {
        list.extend(pattern.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned()));
    }
    if extension == "py" && text.contains("prefix") {
        let prefixes = PREFIX_PY.captures_iter(text).filter_map(|c| c.get(1));
        list.extend(prefixes.map(|m| format!("{}/*", m.as_str().trim_end_matches('/'))));
    }
    if text.contains("setGlobalPrefix") {
        let global = GLOBAL_PREFIX.captures_iter(text).filter_map(|c| c.get(1));
        list.extend(global.map(|m| format!("!{}", m.as_str())));
    }
    list
}

/// The first segment that every route shares; health routes do not count against it.
pub(crate) fn prefix(draft: &mut Draft, routes: &[String]) {
    if let Some(global) = routes.iter().find_map(|r| r.strip_prefix('!')) {
        draft.prefix.offer(
            format!("/{}", global.trim_matches('/')),
            0.9,
            "code.prefix.global",
            At::nowhere(),
        );
        return;
    }
    let counted: Vec<&str> = routes.iter().map(String::as_str).filter(|r| !is_health(r)).collect();
    let first = |r: &str| r.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let Some(lead) =
        counted.first().map(|r| first(r)).filter(|l| !l.is_empty() && !l.starts_with(['<', ':', '{', '*']))
    else {
        return;
    };
    let whole = counted.iter().all(|r| first(r) == lead);
    let deep = counted.iter().any(|r| r.trim_matches('/').contains('/'));
    if whole && (deep || lead == "api") {
        draft.prefix.offer(format!("/{lead}"), 0.8, "code.prefix.routes", At::nowhere());
    }
}

fn is_health(route: &str) -> bool {
    matches!(
        route.trim_matches('/'),
        "health"
            | "healthz"
            | "healthcheck"
            | "health-check"
            | "ping"
            | "up"
            | "livez"
            | "readyz"
            | "live"
            | "ready"
            | "alive"
            | "status"
    )
}
