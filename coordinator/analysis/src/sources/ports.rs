//! Numbers in code that may be the port, and binds to the loopback address.
//!
//! One rule: a pattern runs only over a text that holds a word it cannot match without; most files hold none of them.

use regex::Regex;

use super::PortSeen;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, line_at};

patterns! {
    ENV_DEFAULT = r#"(?:\bPORT|_PORT|[pP]ort)['"]?\s*\]?\)?\s*(?:\|\||\?\?|:-)\s*['"`]?(\d{2,5})\b"#;
    CALL_DEFAULT = r#"\b\w*(?:get|GET|fetch|env|ENV|Env|int|Int|config|parse\w*)\w*\(\s*['"](?:APP_|SERVER_|HTTP_|WEB_|API_)?PORT['"]\s*(?:,\s*(?:default\s*=\s*)?['"]?|\)\s*(?:\{|or)\s*['"]?)(\d{2,5})"#;
    SCHEMA = r#"\b(?:APP_|SERVER_|HTTP_|API_)?PORT['"]?\s*:\s*[^\n]*default\(?\s*:?\s*\(?\s*['"]?(\d{2,5})"#;
    LISTEN = r#"(?:\.|::)(?:listen|Listen|Start|Run|ListenAndServe|bind|serve|run_server)\(\s*(?:&?http\.Server\{\s*Addr:\s*)?(?:\(?&?['"`]([^'"`]*?):)?['"`]?:?(\d{2,5})['"`]?(?:\.parse(?:::<\w+>)?\(\)(?:\?|\.\w+\([^)]*\))*)?\s*[,)]"#;
    LISTEN_PAIR = r#"(?:bind|SocketAddr::from|TcpListener::bind)\(?\s*\(+\s*(?:"([\d.]+|localhost)"|\[([\d, ]+)\])\s*,\s*(\d{2,5})"#;
    LISTEN_ADDR = r#"(?:Addr|addr|ADDR|address|Listen|LISTEN\w*)\w*['"]?\s*(?::=|[:=(,])\s*['"`]([\w.\[\]:]*):(\d{2,5})['"`]"#;
    PORT_FIELD = r#"(?m)^\s*(?:const|let|var|pub const|static)?\s*(?:PORT|port|DEFAULT_PORT|HTTP_PORT)\w*\s*(?::\s*[\w.]+)?\s*[:=]\s*['"]?(\d{2,5})['"]?\s*[,;]?\s*$"#;
    RUN_PORT = r"\.run\([^)\n]*port\s*=\s*(?:int\()?\s*(\d{2,5})|\buvicorn\.run\([^)]*port\s*=\s*(\d{2,5})";
    RUST_DEFAULT = r#"var\(\s*"(?:\w*_)?PORT"\s*\)[^;]*?unwrap_or(?:_else)?\([^)\d]*"?(\d{2,5})"#;
    LOOPBACK = r#"(?:listen|Listen|Start|Run|bind|ListenAndServe)\(\s*['"](?:127\.0\.0\.1|localhost):?(\d*)['"]|(?m)^\s*(?:host|HOST|hostname)\s*[:=]\s*['"](?:127\.0\.0\.1|localhost)['"]"#;
}

/// A pattern, the group of its number, how sure it is, its rule, and what must be in the text.
struct Rule {
    pattern: &'static Regex,
    groups: &'static [usize],
    confidence: f32,
    id: &'static str,
    applies: fn(&Words<'_>) -> bool,
}

/// What is asked of a text again and again.
struct Words<'t> {
    text: &'t str,
    /// `PORT`, in any name.
    upper: bool,
    /// A name with `port` that is given a value, which `import` and `export` are not.
    given: bool,
}

fn rules() -> [Rule; 9] {
    let rule = |pattern, groups, confidence, id, applies| Rule { pattern, groups, confidence, id, applies };
    [
        rule(&ENV_DEFAULT, &[1], 0.7, "code.port.default", |w| w.has(&["||", "??", ":-"])),
        rule(&CALL_DEFAULT, &[1], 0.7, "code.port.default", |w| w.upper && w.has(&["PORT\"", "PORT'"])),
        rule(&SCHEMA, &[1], 0.7, "code.port.schema", |w| w.upper && w.has(&["default"])),
        rule(&RUST_DEFAULT, &[1], 0.7, "code.port.default", |w| w.upper && w.has(&["unwrap_or"])),
        rule(&LISTEN, &[2], 0.72, "code.port.listen", |_| true),
        rule(&LISTEN_PAIR, &[3], 0.72, "code.port.bind", |w| w.has(&["bind(", "SocketAddr"])),
        rule(&LISTEN_ADDR, &[2], 0.6, "code.port.address", |w| w.has(&["ddr", "ADDR", "isten", "LISTEN"])),
        rule(&PORT_FIELD, &[1], 0.55, "code.port.constant", |w| w.given),
        rule(&RUN_PORT, &[1, 2], 0.66, "code.port.run", |w| w.has(&["run("])),
    ]
}

impl<'t> Words<'t> {
    fn of(text: &'t str) -> Self {
        let is_given = |at: usize| {
            let rest = text.get(at + "port".len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            rest.trim_start().starts_with([':', '='])
        };
        let all = |word: &'static str| memchr::memmem::find_iter(text.as_bytes(), word);
        let upper = text.contains("PORT");
        let given = upper && all("PORT").any(is_given) || all("port").any(is_given);
        Self { text, upper, given }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }
}

/// Every number that may be the port.
pub(super) fn find(file: &File, text: &str) -> Vec<PortSeen> {
    let words = Words::of(text);
    let entry = matches!(
        path::base(&file.path).split('.').next(),
        Some("main" | "index" | "server" | "app" | "config" | "settings" | "application")
    );
    let bonus = if entry { 0.03 } else { 0.0 };
    let mut seen = Vec::new();
    for rule in rules().iter().filter(|rule| (rule.applies)(&words)) {
        for found in rule.pattern.captures_iter(text).take(4) {
            let Some(number) = rule.groups.iter().find_map(|g| found.get(*g)) else { continue };
            let Ok(port) = number.as_str().parse::<u16>() else { continue };
            let line_start = text.get(..number.start()).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
            let line = text.get(line_start..number.end()).unwrap_or_default();
            if is_known_elsewhere(port) || is_about_something_else(line) {
                continue;
            }
            seen.push(PortSeen {
                number: port,
                confidence: rule.confidence + bonus,
                rule: rule.id,
                line: line_at(text, number.start()),
            });
        }
    }
    seen
}

/// The ports of databases and mail, and those no program chooses.
fn is_known_elsewhere(port: u16) -> bool {
    matches!(port, 5432 | 3306 | 6379 | 27017 | 5672 | 25 | 587 | 465 | 1025 | 9200 | 11211) || port < 80
}

/// Comments, and lines that name another server.
fn is_about_something_else(line: &str) -> bool {
    let trimmed = line.trim_start();
    let foreign = [
        "DB", "db", "REDIS", "redis", "SMTP", "smtp", "MAIL", "mail", "MYSQL", "POSTGRES", "PG", "MONGO",
        "amqp", "debug", "pprof", "metrics", "proxy", "axios", "fetch(",
    ];
    trimmed.starts_with(['#', '*'])
        || trimmed.starts_with("//")
        || foreign.iter().any(|word| line.contains(word))
}

/// The line of a bind to the loopback address that no variable can change.
pub(super) fn loopback(text: &str) -> Option<u32> {
    if !text.contains("127.0.0.1") && !text.contains("localhost") {
        return None;
    }
    let found = LOOPBACK.find(text)?;
    let near = text.get(found.start().saturating_sub(60)..found.end()).unwrap_or_default().to_lowercase();
    let other = ["db", "redis", "smtp", "mail", "mysql", "postgres", "mongo", "process.env", "?"];
    (!other.iter().any(|w| near.contains(w))).then(|| line_at(text, found.start()))
}
