//! Where a service listens and how to see that it is well: ports, bind addresses, commands; routes are next door.
//!
//! One rule: what a file of the service says beats the framework's default; a loopback bind is a finding with a remedy.

use hydron_domain::analysis::{Finding, FindingCode, ServiceKind, Severity};

use crate::draft::{Draft, Stack};
use crate::field::At;
use crate::formats::{dockerfile::Dockerfile, yaml};
use crate::overlay::compose_file::url_path;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, Role, line_at};
use crate::routes;
use crate::sources::Source;

patterns! {
    GUNICORN = r"(?m)^\s*bind\s*=\s*[^\n#]*?:\{?[^\n#]*?(\d{2,5})";
    PUMA = r#"(?m)^\s*port\s*\(?\s*(?:ENV(?:\.fetch)?[\[(]\s*['"]PORT['"]\s*[\])]?\s*(?:,|\)?\s*\{|\|\|)\s*)?['"]?(\d{2,5})"#;
    UWSGI = r"(?m)^\s*(?:http|http-socket|socket)\s*=\s*[\w.\[\]]*:(\d{2,5})";
    COMMAND_PORT = r"(?:--port[= ]|-p[ =]|--bind[= ]\S*:|-b[ =]\S*:|--address=?\S*:|--http[= ]\S*:|-Dserver\.port=|server\.port=)\s*(\d{2,5})\b";
}

/// Resolves ports, health and prefixes of all drafts.
pub(crate) fn find(repo: &Repo<'_>, drafts: &mut [Draft], sources: &[Source<'_>]) {
    for draft in drafts.iter_mut() {
        from_dockerfile(repo, draft);
        from_start(draft);
    }
    code(repo, drafts, sources);
    for draft in drafts.iter_mut().filter(|d| asks_code(d)) {
        config(repo, draft);
        given(draft);
    }
}

fn from_dockerfile(repo: &Repo<'_>, draft: &mut Draft) {
    let Some(link) = draft.dockerfile.clone() else { return };
    let Some(parsed) = repo.read(&link.path).map(Dockerfile::parse) else { return };
    let target = link.target.as_deref();
    let unusable = crate::recipe::is_unusable(repo, draft, &link);
    let set = parsed.variables(target).into_iter().rev().find(|(n, _)| {
        n == "PORT"
            || n.ends_with("_PORT") && n != "DB_PORT"
            || n == "ASPNETCORE_URLS"
            || n == "ASPNETCORE_HTTP_PORTS"
    });
    let ports = parsed.ports(target);
    if draft.kind != ServiceKind::Worker {
        for (rank, (port, line)) in ports.iter().enumerate() {
            let lower = if rank > 0 { 0.02 } else { 0.0 };
            draft.port.offer(*port, 0.85 - lower, "dockerfile.expose", At::line(&link.path, *line));
        }
    }
    if let Some(port) = set.and_then(|(_, v)| {
        v.rsplit([':', '+']).next().and_then(|p| p.trim_end_matches('/').parse::<u16>().ok())
    }) {
        let exposed = ports.iter().any(|(p, _)| *p == port);
        draft.port.offer(
            port,
            if exposed { 0.87 } else { 0.78 },
            "dockerfile.env_port",
            At::file(&link.path),
        );
    }
    if let Some((command, port)) =
        parsed.product(target).and_then(|s| base_command(&s.image)).filter(|_| draft.kind == ServiceKind::Web)
    {
        draft.port.offer(port, 0.74, "dockerfile.base_image", At::file(&link.path));
        draft.start.offer(
            command,
            if unusable { 0.1 } else { 0.7 },
            "dockerfile.base_image",
            At::file(&link.path),
        );
    }
    if let Some(check) = parsed.last(target, "HEALTHCHECK")
        && let Some((path, asked)) =
            url_path(&crate::formats::dockerfile::expand(&check.args, &parsed.variables(target)))
    {
        // A check on another port asks something beside the program: an administration port, a metrics endpoint.
        let beside = asked.is_some_and(|p| !ports.is_empty() && !ports.iter().any(|(known, _)| *known == p))
            || asked == Some(CADDY_ADMIN);
        if !beside {
            draft.health.offer(path, 0.92, "dockerfile.healthcheck", At::line(&link.path, check.line));
        }
    }
    if let Some((start, line)) = parsed.start(target) {
        let start = entrypoint(repo, &link, &start).unwrap_or(start);
        let dev = unusable || crate::formats::command::is_dev(&start);
        let shell = matches!(start.trim(), "bash" | "sh" | "/bin/bash" | "/bin/sh");
        if !shell
            && draft.kind != ServiceKind::Static
            && (draft.start.confidence() < 0.9 || draft.kind == ServiceKind::Web)
        {
            let supervisor =
                ["/init", "supervisord", "/usr/bin/supervisord", "s6-svscan", "/usr/bin/s6-svscan", "litefs"]
                    .contains(&start.split_whitespace().next().unwrap_or_default());
            let sure = if dev {
                0.2
            } else if supervisor {
                0.45
            } else {
                0.9
            };
            draft.start.offer(
                crate::formats::command::unwrap(&start),
                sure,
                "dockerfile.command",
                At::line(&link.path, line),
            );
        }
    }
}

/// Where Caddy, and FrankenPHP with it, answers its administrator.
const CADDY_ADMIN: u16 = 2019;

/// What a base image runs by itself, and where it listens.
fn base_command(image: &str) -> Option<(&'static str, u16)> {
    let name = crate::overlay::images::base_name(image);
    Some(match name.as_str() {
        "nginx" => ("nginx -g \"daemon off;\"", 80),
        "nginx-unprivileged" => ("nginx -g \"daemon off;\"", 8080),
        "httpd" => ("httpd-foreground", 80),
        "php" if image.contains("apache") => ("apache2-foreground", 80),
        "tomcat" => ("catalina.sh run", 8080),
        "caddy" => ("caddy run --config /etc/caddy/Caddyfile --adapter caddyfile", 80),
        _ => return None,
    })
}

/// The program behind an entrypoint script of the repository: what its last `exec` line runs.
fn entrypoint(repo: &Repo<'_>, link: &crate::draft::DockerfileLink, start: &str) -> Option<String> {
    let (script, rest) = start.split_once(' ').unwrap_or((start, ""));
    let name = path::base(script.trim_matches('"'));
    let shell = name.rsplit_once('.').is_some_and(|(_, e)| e == "sh");
    if !shell && !name.contains("entrypoint") {
        return None;
    }
    let dirs = [link.context.as_str(), path::parent(&link.path)];
    let file = dirs
        .iter()
        .map(|d| path::join(d, name))
        .find(|p| repo.has(p))
        .or_else(|| repo.under(&link.context).find(|f| f.name() == name).map(|f| f.path.clone()))?;
    let text = repo.read(&file)?;
    let named = |l: &&str| l.strip_prefix("exec ").is_some_and(|c| !c.trim_matches('"').starts_with("$@"));
    let lines = || text.lines().rev().map(str::trim);
    let last =
        lines().find(named).or_else(|| lines().find(|l| l.starts_with("exec ")))?.strip_prefix("exec ")?;
    let mut words: Vec<&str> = last.split_whitespace().collect();
    if matches!(
        words.first().copied(),
        Some("gosu" | "su-exec" | "setpriv" | "runuser" | "chpst" | "s6-setuidgid")
    ) {
        words.drain(..words.len().min(2));
    }
    let joined = words.join(" ").replace("\"$@\"", rest).replace("$@", rest);
    let joined = joined.trim().to_owned();
    (!joined.is_empty() && !joined.contains('$')).then_some(joined)
}

fn from_start(draft: &mut Draft) {
    let Some(start) = draft.start.best().filter(|o| o.confidence > 0.5 && o.rule != "python.port") else {
        return;
    };
    let found = COMMAND_PORT
        .captures(&start.value)
        .and_then(|c| c.get(1))
        .and_then(|m| m.as_str().parse::<u16>().ok());
    let sure = if start.at.file.is_some() && start.confidence > 0.7 { 0.83 } else { 0.35 };
    if let Some(port) = found.filter(|_| draft.kind == ServiceKind::Web) {
        let at = start.at.clone();
        draft.port.offer(port, sure, "start.port", at);
    }
}

/// A variable that names the port in an example or compose file.
fn given(draft: &mut Draft) {
    for name in ["PORT", "APP_PORT", "SERVER_PORT", "HTTP_PORT"] {
        if let Some(port) = draft.given.get(name).and_then(|v| v.trim().parse::<u16>().ok()) {
            draft.port.offer(port, 0.62, "example.port", At::nowhere());
        }
    }
}

/// Whether a draft is asked where it listens at all.
pub(crate) fn asks_code(draft: &Draft) -> bool {
    draft.kind == ServiceKind::Web
}

fn code(repo: &Repo<'_>, drafts: &mut [Draft], sources: &[Source<'_>]) {
    let mut declared: Vec<Vec<String>> = vec![Vec::new(); drafts.len()];
    for source in sources {
        for (draft, declared) in mine(drafts, &mut declared, &source.owners) {
            if asks_code(draft) && speaks_for(draft, source.file) {
                hear(repo, draft, source, declared);
            }
        }
    }
    for (draft, declared) in drafts.iter_mut().zip(&declared) {
        if asks_code(draft) {
            routes::prefix(draft, declared);
        }
    }
}

/// The drafts at some places, each with the routes found for it so far.
fn mine<'d>(
    drafts: &'d mut [Draft],
    declared: &'d mut [Vec<String>],
    owners: &'d [usize],
) -> impl Iterator<Item = (&'d mut Draft, &'d mut Vec<String>)> {
    let both = drafts.iter_mut().zip(declared).enumerate();
    both.filter(|(at, _)| owners.contains(at)).map(|(_, pair)| pair)
}

/// A library of a Node workspace may open ports that the service never does.
fn speaks_for(draft: &Draft, file: &File) -> bool {
    let single = draft.sources.len() <= 1 || !matches!(draft.stack, Stack::Node(_));
    single || path::within(&file.path, &draft.dir)
}

fn hear(repo: &Repo<'_>, draft: &mut Draft, source: &Source<'_>, declared: &mut Vec<String>) {
    let shown = &source.shown;
    if !listens_by_itself(draft.framework_name()) {
        for port in &shown.ports {
            let at = At::line(&source.file.path, port.line);
            draft.port.offer(port.number, port.confidence, port.rule, at);
        }
        if let Some(line) = shown.loopback {
            loopback(repo, draft, source.file, line);
        }
    }
    routes::health(draft, source.file, &shown.paths);
    declared.extend(shown.paths.routes.iter().cloned());
}

/// Frameworks that open the port themselves, so that numbers in application code mean something else.
fn listens_by_itself(framework: &str) -> bool {
    matches!(
        framework,
        "nextjs"
            | "nuxt"
            | "sveltekit"
            | "remix"
            | "react-router"
            | "tanstack-start"
            | "solid-start"
            | "astro"
            | "angular"
            | "nitro"
            | "laravel"
            | "symfony"
            | "rails"
            | "django"
            | "spring-boot"
            | "quarkus"
    )
}

fn loopback(repo: &Repo<'_>, draft: &Draft, file: &File, line: u32) {
    repo.note(Finding {
        severity: Severity::Warning,
        code: FindingCode::LoopbackBind,
        service: Some(path::shown(&draft.dir)),
        message: format!(
            "{} listens on the loopback address only, so nothing outside its container can reach it",
            file.path
        ),
        advice: "Listen on 0.0.0.0, or read the address from a variable.".to_owned(),
        file: Some(file.path.clone()),
        line: Some(line),
    });
}

fn config(repo: &Repo<'_>, draft: &mut Draft) {
    let dir = draft.dir.clone();
    let text_rules: [(&str, &regex::Regex, &str); 4] = [
        ("gunicorn.conf.py", &GUNICORN, "config.gunicorn"),
        ("config/gunicorn.py", &GUNICORN, "config.gunicorn"),
        ("config/puma.rb", &PUMA, "config.puma"),
        ("uwsgi.ini", &UWSGI, "config.uwsgi"),
    ];
    for (name, pattern, rule) in text_rules {
        let file = path::join(&dir, name);
        let Some(text) = repo.read(&file) else { continue };
        if let Some(found) = pattern.captures(text).and_then(|c| c.get(1))
            && let Ok(port) = found.as_str().parse::<u16>()
        {
            draft.port.offer(port, 0.74, rule, At::line(&file, line_at(text, found.start())));
        }
    }
    let files = repo.under(&dir).filter(|f| f.extension() == "ini" && f.role == Role::Normal);
    let files: Vec<&File> = files.filter(|f| draft.owns(&f.path)).collect();
    for file in files {
        let Some(found) = repo.text(file).and_then(|t| UWSGI.captures(t)).and_then(|c| c.get(1)) else {
            continue;
        };
        if let Ok(port) = found.as_str().parse::<u16>() {
            draft.port.offer(port, 0.73, "config.uwsgi", At::file(&file.path));
        }
    }
    if matches!(draft.stack, Stack::Java(_)) {
        java(repo, draft, &dir);
    }
    for name in [
        "configuration/base.yaml",
        "config/default.yaml",
        "config/default.json",
        "config/default.yml",
        "config.yaml",
        "config/config.yaml",
        "config.toml.sample",
        "config.sample.toml",
        "config.example.toml",
        "config.toml",
        "Rocket.toml",
    ] {
        let file = path::join(&dir, name);
        let Some(text) = repo.read(&file) else { continue };
        patterns! { ANY = r#"(?m)^\s*['"]?(?:port|address|addr|listen|http_addr|bind)['"]?\s*[:=]\s*['"]?(?:[\w.\[\]]*:)?(\d{2,5})['"]?\s*,?\s*$"#; }
        if let Some(found) = ANY.captures(text).and_then(|c| c.get(1))
            && let Ok(port) = found.as_str().parse::<u16>()
            && !matches!(port, 5432 | 3306 | 6379 | 27017 | 5672)
        {
            draft.port.offer(port, 0.68, "config.port", At::line(&file, line_at(text, found.start())));
        }
    }
}

fn java(repo: &Repo<'_>, draft: &mut Draft, dir: &str) {
    for name in ["application.properties", "application.yml", "application.yaml", "bootstrap.yml"] {
        let file = path::join(dir, &format!("src/main/resources/{name}"));
        let Some(text) = repo.read(&file) else { continue };
        patterns! { PROPERTY = r"(?m)^\s*(?:server\.port|quarkus\.http\.port|micronaut\.server\.port)\s*[=:]\s*(?:\$\{[\w.]+:)?(\d{2,5})"; }
        if let Some(found) = PROPERTY.captures(text).and_then(|c| c.get(1))
            && let Ok(port) = found.as_str().parse::<u16>()
        {
            draft.port.offer(port, 0.75, "config.java.port", At::line(&file, line_at(text, found.start())));
        }
        if name.ends_with("properties") {
            continue;
        }
        let first = text.split("\n---").next().unwrap_or(text);
        for (key, value) in yaml::leaves(&yaml::parse(first).unwrap_or_default()) {
            let named = matches!(key.as_str(), "server.port" | "quarkus.http.port" | "micronaut.server.port");
            let digits = value.trim_end_matches('}').rsplit(':').next().unwrap_or_default();
            if let (true, Ok(port)) = (named, digits.parse::<u16>()) {
                draft.port.offer(port, 0.75, "config.java.port", At::find(repo, &file, "port"));
            }
        }
    }
}
