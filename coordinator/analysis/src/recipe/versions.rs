//! From a declared version or range to an image tag that is pinned by minor version.
//!
//! One rule: the caller's defaults come first, then this table; an impossible range falls back to the default.

use crate::draft::Draft;
use crate::options::Options;

/// Tool, versions offered as tags (newest last), default.
const TABLE: [(&str, &[&str], &str); 8] = [
    ("node", &["18", "20", "22", "24"], "22"),
    ("python", &["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"], "3.13"),
    ("ruby", &["3.1", "3.2", "3.3", "3.4", "4.0"], "3.4"),
    ("go", &["1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26"], "1.25"),
    ("rust", &["1.75", "1.80", "1.85", "1.88", "1.90", "1.91"], "1.91"),
    ("java", &["8", "11", "17", "21", "25"], "21"),
    ("php", &["7.4", "8.1", "8.2", "8.3", "8.4"], "8.4"),
    ("dotnet", &["6.0", "7.0", "8.0", "9.0", "10.0"], "9.0"),
];

/// The version to build a draft with.
pub(crate) fn pick(options: &Options, draft: &Draft, tool: &str) -> String {
    let (known, fallback) =
        TABLE.iter().find(|(t, _, _)| *t == tool).map_or((&[][..], ""), |(_, k, d)| (*k, *d));
    let default = options.default_versions.get(tool).cloned().unwrap_or_else(|| fallback.to_owned());
    let Some(declared) = draft.version.value() else { return default };
    choose(declared, known, &default)
}

/// Resolves a version or a range against the offered ones.
pub(crate) fn choose(declared: &str, known: &[&str], default: &str) -> String {
    let declared = match declared.trim() {
        "lts/*" | "lts" | "node" | "stable" | "latest" | "current" | "nightly" => return default.to_owned(),
        "lts/hydrogen" => "18",
        "lts/iron" => "20",
        "lts/jod" => "22",
        "lts/krypton" => "24",
        other => other,
    };
    let precision = known.first().map_or(1, |k| k.split('.').count());
    let short = |v: &str| v.split('.').take(precision).collect::<Vec<_>>().join(".");
    let exact = declared.trim_start_matches(['v', '=']);
    if exact.starts_with(|c: char| c.is_ascii_digit())
        && !exact.contains([' ', '|', 'x', '*', ',', '<', '>', '-'])
    {
        let wanted = short(exact);
        if default.starts_with(&format!("{wanted}.")) {
            return default.to_owned();
        }
        return if wanted.split('.').count() == precision {
            wanted
        } else {
            newest(known, |v| v.starts_with(&format!("{wanted}."))).unwrap_or(default).to_owned()
        };
    }
    let fits = |v: &str| declared.split("||").any(|range| in_range(v, range));
    if fits(default) {
        return default.to_owned();
    }
    newest(known, fits).unwrap_or(default).to_owned()
}

fn newest<'k>(known: &[&'k str], fits: impl Fn(&str) -> bool) -> Option<&'k str> {
    known.iter().rev().find(|v| fits(v)).copied()
}

/// Whether a minor version lies in a comma- or space-separated set of comparators.
fn in_range(version: &str, range: &str) -> bool {
    let glued = range
        .replace(">= ", ">=")
        .replace("<= ", "<=")
        .replace("> ", ">")
        .replace("< ", "<")
        .replace("~> ", "~>")
        .replace("^ ", "^");
    glued.split([',', ' ']).map(str::trim).filter(|c| !c.is_empty() && *c != "-").all(|c| holds(version, c))
}

fn holds(version: &str, comparator: &str) -> bool {
    let digits = |s: &str| -> Vec<u32> { s.split('.').map_while(|p| p.parse().ok()).collect() };
    let number = comparator.trim_start_matches(|c: char| !c.is_ascii_digit());
    let want = digits(number.trim_end_matches(".x").trim_end_matches(".*"));
    let have = digits(version);
    if want.is_empty() {
        return true;
    }
    let cut = |list: &[u32]| list.iter().take(have.len()).copied().collect::<Vec<_>>();
    let wanted = cut(&want);
    let same_major = have.first() == want.first();
    match comparator.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '*' | 'x')) {
        ">=" => have >= wanted,
        ">" => have > wanted || (have == wanted && want.len() > have.len()),
        "<=" => have <= wanted,
        "<" => have < wanted || (have == wanted && want.len() > have.len() && want.last() != Some(&0)),
        "!=" => true,
        "^" => same_major && have >= wanted,
        "~" | "~=" | "~>" => same_major && have >= wanted && (want.len() <= 2 || have == wanted),
        _ => have.iter().zip(&wanted).all(|(a, b)| a == b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &[&str] = &["18", "20", "22", "24"];
    const PYTHON: &[&str] = &["3.9", "3.10", "3.11", "3.12", "3.13"];

    #[test]
    fn ranges_prefer_the_default_and_stay_inside() {
        assert_eq!(choose(">=18.0.0", NODE, "22"), "22");
        assert_eq!(choose("^20.11", NODE, "22"), "20");
        assert_eq!(choose("18.x || 20.x", NODE, "22"), "20");
        assert_eq!(choose("lts/iron", NODE, "22"), "20");
        assert_eq!(choose("22.21.0", NODE, "22"), "22");
        assert_eq!(choose("^3.9", PYTHON, "3.11"), "3.11");
        assert_eq!(choose(">=3.10,<3.12", PYTHON, "3.13"), "3.11");
        assert_eq!(choose("3.11.2", PYTHON, "3.13"), "3.11");
        assert_eq!(choose("3", PYTHON, "3.12"), "3.12");
        assert_eq!(choose("~=3.12", PYTHON, "3.11"), "3.13");
    }
}
