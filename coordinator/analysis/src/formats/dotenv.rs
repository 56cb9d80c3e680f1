//! `.env` style files: names, values, and whether the line is commented out.
//!
//! One rule: it only splits; whether a value is a secret is decided elsewhere.

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) line: u32,
    /// `# NAME=value`: optional, shown as an example.
    pub(crate) commented: bool,
}

/// Reads all assignments.
pub(crate) fn parse(text: &str) -> Vec<Assignment> {
    text.lines().zip(1u32..).filter_map(|(line, number)| assignment(line, number)).collect()
}

fn assignment(line: &str, number: u32) -> Option<Assignment> {
    let mut rest = line.trim();
    let commented = rest.starts_with('#');
    if commented {
        rest = rest.trim_start_matches('#').trim_start();
    }
    rest = rest.strip_prefix("export ").unwrap_or(rest).trim_start();
    let split = rest.split_once('=').or_else(|| if commented { None } else { rest.split_once(": ") });
    let (name, value) = split?;
    let name = name.trim_end();
    let spaced = commented && name.len() != rest.find('=').unwrap_or(0);
    if !is_name(name) || spaced || (commented && !name.contains(|c: char| c.is_ascii_uppercase() || c == '_'))
    {
        return None;
    }
    Some(Assignment { name: name.to_owned(), value: unquote(value), line: number, commented })
}

/// Whether a text can be the name of a variable (dashes occur in the wild).
pub(crate) fn is_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or_default().to_owned();
        }
    }
    value.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_are_read() {
        let all = parse(
            "A=1\nexport B='x y' # c\n# C=z\n#a sentence = not one\nD=\"q\" \nlower_case=ok\nnot a line\n",
        );
        let names: Vec<_> = all.iter().map(|a| (a.name.as_str(), a.value.as_str(), a.commented)).collect();
        assert_eq!(
            names,
            [
                ("A", "1", false),
                ("B", "x y", false),
                ("C", "z", true),
                ("D", "q", false),
                ("lower_case", "ok", false)
            ]
        );
    }
}
