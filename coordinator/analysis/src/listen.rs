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

patterns! {
    ENV_DEFAULT = r#"(?:\bPORT|_PORT|[pP]ort)['"]?\s*\]?\)?\s*(?:\|\||\?\?|:-)\s*['"`]?(\d{2,5})\b"#;
    CALL_DEFAULT = r#"\b\w*(?:get|GET|fetch|env|ENV|Env|int|Int|config|parse\w*)\w*\(\s*['"](?:APP_|SERVER_|HTTP_|WEB_|API_)?PORT['"]\s*(?:,\s*(?:default\s*=\s*)?['"]?|\)\s*(?:\{|or)\s*['"]?)(\d{2,5})"#;
    SCHEMA = r#"\b(?:APP_|SERVER_|HTTP_|API_)?PORT['"]?\s*:\s*[^\n]*default\(?\s*:?\s*\(?\s*['"]?(\d{2,5})"#;
    LISTEN = r#"(?:\.|::)(?:listen|Listen|Start|Run|ListenAndServe|bind|serve|run_server)\(\s*(?:&?http\.Server\{\s*Addr:\s*)?(?:\(?['"`]([^'"`]*?):)?['"`]?:?(\d{2,5})['"`]?\s*[,)]"#;
    LISTEN_PAIR = r#"(?:bind|SocketAddr::from|TcpListener::bind)\(?\s*\(+\s*(?:"([\d.]+|localhost)"|\[([\d, ]+)\])\s*,\s*(\d{2,5})"#;
    LISTEN_ADDR = r#"(?:Addr|addr|ADDR|address|Listen|LISTEN\w*)\w*['"]?\s*(?::=|[:=(,])\s*['"`]([\w.\[\]:]*):(\d{2,5})['"`]"#;
    PORT_FIELD = r#"(?m)^\s*(?:const|let|var|pub const|static)?\s*(?:PORT|port|DEFAULT_PORT|HTTP_PORT)\w*\s*(?::\s*[\w.]+)?\s*[:=]\s*['"]?(\d{2,5})['"]?\s*[,;]?\s*$"#;
    RUN_PORT = r"\.run\([^)\n]*port\s*=\s*(?:int\()?\s*(\d{2,5})|\buvicorn\.run\([^)]*port\s*=\s*(\d{2,5})";
    GUNICORN = r"(?m)^\s*bind\s*=\s*[^\n#]*?:\{?[^\n#]*?(\d{2,5})";
    PUMA = r#"(?m)^\s*port\s*\(?\s*(?:ENV(?:\.fetch)?[\[(]\s*['"]PORT['"]\s*[\])]?\s*(?:,|\)?\s*\{|\|\|)\s*)?['"]?(\d{2,5})"#;
    UWSGI = r"(?m)^\s*(?:http|http-socket|socket)\s*=\s*[\w.\[\]]*:(\d{2,5})";
    RUST_DEFAULT = r#"var\(\s*"(?:\w*_)?PORT"\s*\)[^;]*?unwrap_or(?:_else)?\([^)\d]*"?(\d{2,5})"#;
    COMMAND_PORT = r"(?:--port[= ]|-p[ =]|--bind[= ]\S*:|-b[ =]\S*:|--address=?\S*:|--http[= ]\S*:|-Dserver\.port=|server\.port=)\s*(\d{2,5})\b";
    ABOUT_PORTS = r"PORT|\b[pP]ort|[a-z_]Port|_port|isten|LISTEN|\.(?:Start|Run|bind|serve|run\w*)\(|bind\(|SocketAddr|[aA]ddr|ADDR";
    LOOPBACK = r#"(?:listen|Listen|Start|Run|bind|ListenAndServe)\(\s*['"](?:127\.0\.0\.1|localhost):?(\d*)['"]|(?m)^\s*(?:host|HOST|hostname)\s*[:=]\s*['"](?:127\.0\.0\.1|localhost)['"]"#;
}

/// Resolves ports, health and prefixes of all drafts.
pub(crate) fn find(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for draft in drafts.iter_mut() {
        from_dockerfile(repo, draft);
        from_start(draft);
        if draft.kind == ServiceKind::Static {
            continue;
        }
        if draft.kind == ServiceKind::Web {
            code(repo, draft);
            config(repo, draft);
            given(draft);
        }
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
        && let Some(path) =
            url_path(&crate::formats::dockerfile::expand(&check.args, &parsed.variables(target)))
    {
        draft.health.offer(path, 0.92, "dockerfile.healthcheck", At::line(&link.path, check.line));
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
                ["/init", "supervisord", "/usr/bin/supervisord", "s6-svscan", "/usr/bin/s6-svscan"]
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

fn code(repo: &Repo<'_>, draft: &mut Draft) {
    let mut declared: Vec<String> = Vec::new();
    let files: Vec<&File> = repo
        .files()
        .iter()
        .filter(|f| f.role == Role::Normal && draft.owns(&f.path) && crate::env::reads::is_source(f))
        .collect();
    let single = draft.sources.len() <= 1 || !matches!(draft.stack, Stack::Node(_));
    for file in files {
        let own = path::within(&file.path, &draft.dir) || single;
        let Some(text) = repo.text(file).filter(|_| own) else { continue };
        let config_file =
            file.name().contains(".config.") || matches!(file.extension(), "sh" | "conf" | "template");
        if !config_file && !listens_by_itself(draft.framework_name()) {
            ports(draft, file, text);
            loopback(repo, draft, file, text);
        }
        routes::health(draft, file, text);
        if routes::has_paths(text) {
            declared.extend(routes::collect_routes(text));
        }
    }
    routes::prefix(draft, &declared);
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
    )
}

fn ports(draft: &mut Draft, file: &File, text: &str) {
    let rules: [(&regex::Regex, &[usize], f32, &str); 9] = [
        (&ENV_DEFAULT, &[1], 0.7, "code.port.default"),
        (&CALL_DEFAULT, &[1], 0.7, "code.port.default"),
        (&SCHEMA, &[1], 0.7, "code.port.schema"),
        (&RUST_DEFAULT, &[1], 0.7, "code.port.default"),
        (&LISTEN, &[2], 0.72, "code.port.listen"),
        (&LISTEN_PAIR, &[3], 0.72, "code.port.bind"),
        (&LISTEN_ADDR, &[2], 0.6, "code.port.address"),
        (&PORT_FIELD, &[1], 0.55, "code.port.constant"),
        (&RUN_PORT, &[1, 2], 0.66, "code.port.run"),
    ];
    // One pass that most files do not survive, instead of nine. `export` and `import` are no ports.
    let lower = ABOUT_PORTS.is_match(text);
    if !lower {
        return;
    }
    let entry = matches!(
        path::base(&file.path).split('.').next(),
        Some("main" | "index" | "server" | "app" | "config" | "settings" | "application")
    );
    for (pattern, groups, confidence, rule) in rules {
        for found in pattern.captures_iter(text).take(4) {
            let Some(number) = groups.iter().find_map(|g| found.get(*g)) else { continue };
            let Ok(port) = number.as_str().parse::<u16>() else { continue };
            let line_start = text.get(..number.start()).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
            let line = text.get(line_start..number.end()).unwrap_or_default();
            let foreign = [
                "DB", "db", "REDIS", "redis", "SMTP", "smtp", "MAIL", "mail", "MYSQL", "POSTGRES", "PG",
                "MONGO", "amqp", "//", "debug", "pprof", "metrics", "proxy", "axios", "fetch(",
            ];
            let comment = line.trim_start().starts_with(['#', '*']) || line.trim_start().starts_with("//");
            let known_foreign =
                matches!(port, 5432 | 3306 | 6379 | 27017 | 5672 | 25 | 587 | 465 | 1025 | 9200 | 11211)
                    || port < 80;
            if comment || known_foreign || foreign.iter().any(|w| line.contains(w) && *w != "//") {
                continue;
            }
            let bonus = if entry { 0.03 } else { 0.0 };
            draft.port.offer(
                port,
                confidence + bonus,
                rule,
                At::line(&file.path, line_at(text, number.start())),
            );
        }
    }
}

fn loopback(repo: &Repo<'_>, draft: &Draft, file: &File, text: &str) {
    let Some(found) = LOOPBACK.find(text) else { return };
    let near = text.get(found.start().saturating_sub(60)..found.end()).unwrap_or_default().to_lowercase();
    if ["db", "redis", "smtp", "mail", "mysql", "postgres", "mongo", "process.env", "?"]
        .iter()
        .any(|w| near.contains(w))
    {
        return;
    }
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
        line: Some(line_at(text, found.start())),
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
    let files: Vec<&File> = repo
        .under(&dir)
        .filter(|f| f.extension() == "ini" && f.role == Role::Normal && draft.owns(&f.path))
        .collect();
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
