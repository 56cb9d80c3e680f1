//! Procfile: process types and their commands.
//!
//! One rule: order of the file is kept; it says what the author thinks first.

/// One process type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) line: u32,
}

/// Reads all process types.
pub(crate) fn parse(text: &str) -> Vec<Process> {
    text.lines()
        .zip(1u32..)
        .filter_map(|(line, number)| {
            let (name, command) = line.trim().split_once(':')?;
            let known =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            let command = command.trim();
            (known && !command.is_empty()).then(|| Process {
                name: name.to_owned(),
                command: command.to_owned(),
                line: number,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_not_processes() {
        let all = parse("# web: no\nweb: gunicorn app:app -b :$PORT\n\nrelease: ./migrate.sh\n");
        assert_eq!(all.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["web", "release"]);
        assert_eq!(all[0].command, "gunicorn app:app -b :$PORT");
    }
}
