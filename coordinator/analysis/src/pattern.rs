//! Regular expressions as constants.
//!
//! One rule: a pattern is a literal of this crate, so that compiling it cannot fail at run time; linear-time matching only.
//! Its classes mean ASCII: names of variables, ports and commands are, and tables for all of Unicode cost more to build than
//! a small repository to read.

/// Compiles a literal pattern. A test of the owning module runs each of them.
#[expect(clippy::expect_used, reason = "patterns are literals of this crate and every one runs in a test")]
pub(crate) fn compile(source: &'static str) -> regex::Regex {
    regex::Regex::new(&ascii(source)).expect("a literal pattern compiles")
}

/// The same pattern with `\w`, `\d`, `\s` and `\b` for ASCII.
fn ascii(source: &str) -> String {
    let mut out = String::with_capacity(source.len() * 2);
    let mut in_class = false;
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push_str(&escape(letters.next().unwrap_or_default(), in_class)),
            '[' | ']' => {
                in_class = letter == '[';
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

fn escape(letter: char, in_class: bool) -> String {
    let class = match letter {
        'w' => ":word:",
        'd' => ":digit:",
        's' => ":space:",
        'S' => ":^space:",
        'b' if !in_class => return r"(?-u:\b)".to_owned(),
        other => return format!("\\{other}"),
    };
    if in_class { format!("[{class}]") } else { format!("[[{class}]]") }
}

/// Declares lazily compiled patterns: `patterns! { NAME = r"…"; }`.
macro_rules! patterns {
    ($($name:ident = $source:expr;)+) => {
        $(static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| $crate::pattern::compile($source));)+
    };
}
pub(crate) use patterns;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_mean_ascii_inside_and_outside_of_brackets() {
        assert_eq!(ascii(r"\b[\w\-]+\s*\[\d"), r"(?-u:\b)[[:word:]\-]+[[:space:]]*\[[[:digit:]]");
        let word = compile(r"\bname\s*=\s*([\w.]+)\S");
        assert_eq!(word.captures("name = a.b1é").and_then(|c| c.get(1)).map(|m| m.as_str()), Some("a.b1"));
        assert!(!word.is_match("names = a"));
    }
}
