//! Paths inside a tree: slash-separated, relative, with the empty string as the root directory.
//!
//! One rule: nothing here can leave the tree; `resolve` answers `None` for a path that would.

/// The directory of a path; empty for a file at the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// The last component.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `dir/name`, or `name` at the root.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// Joins and normalises `.` and `..`; `None` if it leaves the tree.
pub(crate) fn resolve(dir: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let start = if relative.starts_with('/') { "" } else { dir };
    for part in start.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Whether `path` lies in `dir` (or is it).
pub(crate) fn within(path: &str, dir: &str) -> bool {
    dir.is_empty() || path == dir || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

/// How the outside names a directory: `.` for the root.
pub(crate) fn shown(dir: &str) -> String {
    if dir.is_empty() { ".".to_owned() } else { dir.to_owned() }
}

/// How a sentence names a directory.
pub(crate) fn called(dir: &str) -> &str {
    if dir.is_empty() { "the repository's root" } else { dir }
}

/// `path` relative to `dir`, if inside.
pub(crate) fn relative<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    if dir.is_empty() {
        return Some(path);
    }
    if path == dir {
        return Some("");
    }
    path.strip_prefix(dir)?.strip_prefix('/')
}

/// Number of components.
pub(crate) fn depth(path: &str) -> usize {
    if path.is_empty() { 0 } else { path.bytes().filter(|byte| *byte == b'/').count() + 1 }
}

/// Lower-case words of a path or name: `apps/cart-e2e` → `apps`, `cart`, `e2e`.
pub(crate) fn words(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase)
}

/// Matches a workspace glob (`packages/*`, `apps/**`, `!x` handled by the caller) against a directory.
pub(crate) fn glob(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    path.len() <= MOST_PARTS
        && pattern.iter().filter(|p| **p == "**").count() <= 4
        && glob_parts(&pattern, &path)
}

/// Deeper paths match nothing: the walk leaves them out long before, and matching follows them one by one.
const MOST_PARTS: usize = 128;

fn glob_parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), None) => glob_parts(rest, path),
        (Some((&"**", rest)), Some((_, deeper))) => glob_parts(rest, path) || glob_parts(pattern, deeper),
        (Some((first, rest)), Some((name, deeper))) => {
            glob_name(first.as_bytes(), name.as_bytes()) && glob_parts(rest, deeper)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// `*` and `?` in one component, in linear memory and at most quadratic time: the pattern comes from the repository.
fn glob_name(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&want) if want == b'?' || want == byte => {
                p += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_tree() {
        assert_eq!(resolve("a/b", "../c"), Some("a/c".to_owned()));
        assert_eq!(resolve("a", "../../c"), None);
        assert_eq!(resolve("a", "/etc"), Some("etc".to_owned()));
        assert_eq!(resolve("", "."), Some(String::new()));
    }

    #[test]
    fn globs_match_as_workspaces_mean_them() {
        assert!(glob("packages/*", "packages/a"));
        assert!(!glob("packages/*", "packages/a/b"));
        assert!(glob("apps/**", "apps/a/b"));
        assert!(glob("*-service", "user-service"));
        assert!(!glob("app?", "apps/x"));
    }

    #[test]
    fn a_directory_contains_only_what_lies_below_it() {
        assert!(within("a/b/c", "a/b"));
        assert!(!within("a/bc", "a/b"));
        assert!(within("x", ""));
        assert_eq!(relative("a/b/c", "a"), Some("b/c"));
    }
}
