//! `.dockerignore` (docs.docker.com/build/concepts/context/#dockerignore-files): the last pattern that matches wins;
//! a pattern that matches a directory covers what is below it.

use std::io;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// The patterns of one context.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: GlobMatcher,
    ignores: bool,
}

impl Ignore {
    /// The patterns of a context directory; none when it has no file.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let path = directory.join(".dockerignore");
        match std::fs::symlink_metadata(&path) {
            Ok(data) if data.is_file() => Self::parse(&std::fs::read_to_string(path)?),
            Ok(_) | Err(_) => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#'));
        let rules = lines.map(str::trim).filter_map(|line| rule(line).transpose());
        Ok(Self { rules: rules.collect::<io::Result<_>>()? })
    }

    /// Whether a path of the context stays here.
    pub(super) fn matches(&self, path: &Path) -> bool {
        self.rules
            .iter()
            .rev()
            .find(|rule| {
                path.ancestors().any(|part| !part.as_os_str().is_empty() && rule.pattern.is_match(part))
            })
            .is_some_and(|rule| rule.ignores)
    }
}

fn rule(line: &str) -> io::Result<Option<Rule>> {
    let (text, ignores) = line.strip_prefix('!').map_or((line, true), |rest| (rest.trim(), false));
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    // Braces mean nothing there, but would here.
    let text = parts.join("/").replace('{', "[{]").replace('}', "[}]");
    let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
    let glob = glob.map_err(|error| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(".dockerignore has a pattern that is none: {line}: {error}"),
        )
    })?;
    Ok(Some(Rule { pattern: glob.compile_matcher(), ignores }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(patterns: &str, path: &str) -> bool {
        Ignore::parse(patterns).unwrap().matches(Path::new(path))
    }

    #[test]
    fn patterns_mean_what_docker_says() {
        assert!(ignored("*.md", "README.md"));
        assert!(!ignored("*.md", "docs/README.md"));
        assert!(ignored("**/*.md", "docs/deep/README.md"));
        assert!(ignored("**/*.md", "README.md"));
        assert!(ignored("/build/", "build/out/a.o"));
        assert!(ignored("*/temp*", "dir/temporary.txt"));
        assert!(!ignored("*/temp*", "a/b/temporary.txt"));
        assert!(ignored("temp?", "tempa"));
        assert!(!ignored("# *.md", "README.md"));
        assert!(ignored("a{b}", "a{b}"));
    }

    #[test]
    fn the_last_match_wins() {
        assert!(!ignored("*.md\n!README.md", "README.md"));
        assert!(ignored("*.md\n!README*.md\nREADME-secret.md", "README-secret.md"));
        assert!(!ignored("*\n!src", "src/main.rs"));
        assert!(ignored("*\n!src", "target/main.o"));
    }
}
