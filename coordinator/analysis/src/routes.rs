//! Routes in code: health paths, and the prefix that all routes of a service share.
//!
//! One rule: only a literal in code that serves is a route; a path in a client's request is not.

use crate::draft::Draft;
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, line_at};

patterns! {
    HEALTH = r#"['"`](/(?:[\w\-]+/){0,4}(?:healthz?|health[-_]?check|_healthz?|livez?|liveness|readyz|readiness|ping|up|heartbeat|alive))/?['"`]"#;
    STATUS = r#"['"`](/(?:[\w\-]+/){0,3}status)/?['"`]"#;
    ROUTE_PY = r#"(?m)^\s*@\w+\.(?:route|get|post|put|delete|patch)\(\s*['"]([^'"]+)['"]"#;
    ROUTE_JS = r#"\b(?:app|server|router|fastify|api)\.(?:get|post|put|delete|patch|use)\(\s*['"`](/[^'"`]*)['"`]"#;
    ROUTE_GO = r#"\.(?:GET|POST|PUT|DELETE|HandleFunc|Handle|Get|Post|Put|Delete|Group)\(\s*"(?:(?:GET|POST|PUT|DELETE|PATCH) )?(/[^"]*)""#;
    ROUTE_RS = r#"\.(?:route|nest|service)\(\s*"(/[^"]*)""#;
    PREFIX_PY = r#"(?:include_router|register_blueprint|APIRouter|Blueprint)\([^)]*(?:url_)?prefix\s*=\s*['"]([^'"]+)['"]"#;
    GLOBAL_PREFIX = r#"setGlobalPrefix\(\s*['"`]/?([^'"`]+)['"`]"#;
}

/// Whether a text can name a path at all: a quoted one, or an annotation.
pub(crate) fn has_paths(text: &str) -> bool {
    text.contains("'/")
        || text.contains("\"/")
        || text.contains("`/")
        || text.contains('@')
        || text.contains("refix")
}

/// Offers health paths that a file shows.
pub(crate) fn health(draft: &mut Draft, file: &File, text: &str) {
    let served = !matches!(file.extension(), "sh" | "conf" | "template" | "tsx" | "jsx" | "vue" | "svelte");
    if !served {
        return;
    }
    let paths = if has_paths(text) { text } else { "" };
    for found in HEALTH.captures_iter(paths).filter_map(|c| c.get(1)).take(2) {
        let line_start = text.get(..found.start()).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
        let line = text.get(line_start..found.end()).unwrap_or_default();
        if line.contains("fetch(")
            || line.contains("axios")
            || line.contains("://")
            || line.trim_start().starts_with(['#', '*'])
        {
            continue;
        }
        let short = if found.as_str().matches('/').count() == 1 { 0.02 } else { 0.0 };
        draft.health.offer(
            found.as_str(),
            0.6 + short,
            "code.health.route",
            At::line(&file.path, line_at(text, found.start())),
        );
    }
    if let Some(found) = STATUS.captures(paths).and_then(|c| c.get(1)) {
        draft.health.offer(
            found.as_str(),
            0.4,
            "code.health.status",
            At::line(&file.path, line_at(text, found.start())),
        );
    }
    if let Some(route) = file_route(&file.path, &draft.dir) {
        draft.health.offer(route, 0.7, "code.health.file_route", At::file(&file.path));
    }
    if text.contains("express-actuator") && text.contains("actuator(") {
        draft.health.offer("/health", 0.62, "code.health.actuator", At::file(&file.path));
    }
    if file.name() == "routes.rb" && text.contains("rails/health#show") {
        draft.health.offer("/up", 0.75, "code.health.rails", At::file(&file.path));
    }
    if file.path.ends_with("bootstrap/app.php") && text.contains("health:") {
        draft.health.offer("/up", 0.75, "code.health.laravel", At::file(&file.path));
    }
}

/// The path that a file-based router gives a health file: `app/api/health/route.ts` → `/api/health`.
fn file_route(file: &str, dir: &str) -> Option<String> {
    patterns! {
        ROUTE = r"^(?:src/)?(?:app|pages|routes|server)/((?:[\w\-()]+/)*?(?:healthz?|health-?check|livez|readyz|ping|alive))(?:/(?:route|\+server|index)|\.get)?\.[jt]s$";
    }
    let relative = path::relative(file, dir)?;
    let found = ROUTE.captures(relative)?.get(1)?.as_str();
    let parts: Vec<&str> = found.split('/').filter(|p| !p.starts_with('(')).collect();
    Some(format!("/{}", parts.join("/")))
}

/// Routes and prefixes that a file declares.
pub(crate) fn collect_routes(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    for pattern in [&*ROUTE_PY, &*ROUTE_JS, &*ROUTE_GO, &*ROUTE_RS] {
        list.extend(pattern.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned()));
    }
    list.extend(
        PREFIX_PY
            .captures_iter(text)
            .filter_map(|c| c.get(1))
            .map(|m| format!("{}/*", m.as_str().trim_end_matches('/'))),
    );
    list.extend(
        GLOBAL_PREFIX.captures_iter(text).filter_map(|c| c.get(1)).map(|m| format!("!{}", m.as_str())),
    );
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
