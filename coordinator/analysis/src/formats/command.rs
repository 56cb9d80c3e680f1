//! Command lines of manifests: splitting, unwrapping env wrappers, telling a production start from a development server.
//!
//! One rule: a command is only *read* here; nothing is ever run, and what we generate is an argument vector.

use crate::pattern::patterns;

patterns! {
    DEV = r"(?x)
        \b(?:ng|vue-cli-service|nx|quasar|umi|rsbuild|webpack|storybook)\s+(?:serve|dev|start)\b
        | \breact-scripts\s+start\b | \breact-app-rewired\s+start\b | \bcraco\s+start\b | \bgatsby\s+(?:develop|serve)\b
        | \b(?:astro|next|nuxt|nuxi|remix|turbo|wrangler|nitro|nitropack|react-router|rsbuild|svelte-kit|vinxi|expo|sirv)\s+dev\b
        | \bastro\s+(?:preview|start)\b | \bturbo\s+(?:run\s+)?(?:dev|watch|start)\b
        | \beleventy\b.*--(?:serve|watch)\b | \bnodemon\b | \bts-node(?:-dev)?\b | \btsx\s+(?:watch|--watch)\b | \bnode\s+--watch\b
        | (?:^|\s)--(?:watch|reload|hot|live-reload)\b | \bvite(?:\s+(?:dev|serve|--(?:port|host|open|mode)\b.*))?\s*$ | \bvite\s+preview\b
        | \bwebpack-dev-server\b | \bbrowser-sync\b | \blive-server\b | \bgulp\b | \bgrunt\b | \bparcel\b(?:\s+serve)?\s+\S*\.html | \bconcurrently\b
        | \bflask\b[^&|]*\brun\b | \brunserver\b | \bartisan\s+serve\b | \bcargo\s+watch\b | (?:^|/|\s)air(?:\s|$)
        | \bnest\s+start\b | \bexpo\s+start\b | \bhugo\s+(?:server|serve)\b | \bjekyll\s+serve\b | \bdocusaurus\s+start\b | \bvitepress\s+dev\b
        | \bfastapi\s+dev\b | \bsleep\s+infinity\b | \btail\s+-f\b | \bwatchexec\b | \bwatchmedo\b | \bmeteor\s+run\b | \bbun\s+--(?:hot|watch)\b
        | \b(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?(?:dev|watch|develop|start:dev|serve:dev)\b
        | \bserver:(?:run|start)\b | \bphp\s+-S\b | \bspring-boot:run\b | \bquarkus:dev\b | \bquarkusDev\b | \bbootRun\b | \bdotnet\s+(?:watch|run)\b | \bgo\s+run\b
        | \bforeman\s+start\b | \bhonc?ho\s+start\b | \bovermind\b | \bguard\b";
}

/// Splits like a POSIX shell would, without expanding anything. Unbalanced quotes end the last word.
pub(crate) fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut open = false;
    let mut quote: Option<char> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('"'), '\\') => word.extend(chars.next()),
            (None, '"' | '\'') => {
                quote = Some(c);
                open = true;
            }
            (None, '\\') => {
                let escaped = chars.next();
                if escaped != Some('\n') {
                    word.extend(escaped);
                    open = true;
                }
            }
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (Some(_) | None, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a command needs a shell to run (operators, expansions).
pub(crate) fn needs_shell(command: &str) -> bool {
    command.contains("&&") || command.contains("||") || command.contains(['$', '|', ';', '>', '<', '`', '*'])
}

/// Whether this starts a development server or a watcher.
pub(crate) fn is_dev(command: &str) -> bool {
    DEV.is_match(command)
}

/// Removes environment wrappers: `cross-env A=b`, `dotenv -e ../.env --`, `env A=b`, leading `A=b`.
pub(crate) fn unwrap(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut rest: &[&str] = &words;
    while let Some((first, tail)) = rest.split_first() {
        let assignment = first.split_once('=').is_some_and(|(n, _)| super::dotenv::is_name(n));
        match crate::path::base(first) {
            _ if assignment => rest = tail,
            "dumb-init" | "tini" | "tini-static" | "catatonit" => rest = after_options(tail),
            "cross-env" | "cross-env-shell" | "env" | "exec" | "sudo" | "npx" | "bunx" => rest = tail,
            "env-cmd" | "dotenv" | "dotenvx" => {
                let after = rest.iter().position(|w| *w == "--");
                rest = after.and_then(|at| rest.get(at + 1..)).unwrap_or(tail);
                if after.is_none() {
                    while let Some((option, tail)) = rest.split_first() {
                        if !option.starts_with('-') {
                            break;
                        }
                        rest = tail.get(1..).unwrap_or_default();
                    }
                }
            }
            _ => break,
        }
    }
    rest.join(" ")
}

/// What follows the options of an init process (`-g`, `--rewrite 15:2`, `--`).
fn after_options<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let mut rest = words;
    while let Some((option, tail)) = rest.split_first().filter(|(word, _)| word.starts_with('-')) {
        rest = match *option {
            "-p" | "-e" | "-r" | "--rewrite" => tail.get(1..).unwrap_or_default(),
            _ => tail,
        };
        if *option == "--" {
            break;
        }
    }
    rest
}

/// The parts of a command joined by `&&`, `;` or `||`.
pub(crate) fn parts(command: &str) -> Vec<&str> {
    command.split("&&").flat_map(|p| p.split(';')).map(str::trim).filter(|p| !p.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_servers_are_recognised() {
        for dev in [
            "nx serve",
            "ng serve --open",
            "react-scripts start",
            "cross-env PORT=4100 react-scripts start",
            "gatsby develop",
            "astro dev",
            "eleventy --serve --quiet",
            "npx @11ty/eleventy --serve",
            "nodemon index.js",
            "tsx watch src/index.ts",
            "nest start",
            "nest start --watch",
            "vite",
            "vite --port 3333 --open",
            "next dev",
            "flask run",
            "flask --app x run",
            "python manage.py runserver",
            "uvicorn main:app --reload",
            "cargo watch -x run",
            "php artisan serve",
            "hugo server -D",
            "node --watch index.js",
            "php bin/console server:run 0.0.0.0:8000",
            "php -S 0.0.0.0:80 -t public",
            "./mvnw spring-boot:run",
            "dotnet run",
            "go run ./cmd/api",
        ] {
            assert!(is_dev(dev), "{dev}");
        }
        for production in [
            "node server.js",
            "next start",
            "node dist/main",
            "gunicorn app:app",
            "vite build",
            "uvicorn main:app",
            "bin/rails server",
            "nuxt start",
            "./fair",
            "remix-serve build",
            "node build",
        ] {
            assert!(!is_dev(production), "{production}");
        }
    }

    #[test]
    fn wrappers_fall_away() {
        assert_eq!(unwrap("cross-env NODE_ENV=production node server.js"), "node server.js");
        assert_eq!(unwrap("dotenv -e ../../.env -- next start"), "next start");
        assert_eq!(unwrap("PORT=3 env A=b node x"), "node x");
        assert_eq!(unwrap("env-cmd -f .env node x"), "node x");
        assert_eq!(unwrap("dumb-init -- node x"), "node x");
        assert_eq!(unwrap("/sbin/tini -g -e 143 -- node x"), "node x");
        assert_eq!(unwrap("tini node x"), "node x");
    }

    #[test]
    fn words_are_split_like_a_shell_does() {
        assert_eq!(split(r#"gunicorn "a b" 'c d' e\ f"#), ["gunicorn", "a b", "c d", "e f"]);
        assert_eq!(split("a \\\n b"), ["a", "b"]);
        assert_eq!(split("''"), [""]);
    }
}
