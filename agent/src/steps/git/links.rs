//! Which symbolic links of a repository may exist on a server. Pure.
//!
//! Rule: a link may climb only at its beginning, and never higher than the tree: then no chain of allowed links leads out.

/// Whether a link at `path` (inside the tree) with this target stays inside whatever the other links are.
pub(super) fn stays_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return false;
    }
    let depth = path.split('/').count() - 1;
    let parts: Vec<&str> = target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let climbs = parts.iter().take_while(|part| **part == "..").count();
    climbs <= depth && !parts.iter().skip(climbs).any(|part| *part == "..")
}

/// Whether every part of a path in a tree is a plain name. Git's own checks are not relied on.
pub(super) fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 4096
        && path.split('/').all(|part| {
            !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git") && !part.contains('\0')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_the_tree_may_exist() {
        for (path, target) in
            [("a", "b"), ("d/a", "../b"), ("d/e/a", "../../x/y"), ("a", "./b"), ("a", "d/"), ("a", "...")]
        {
            assert!(stays_inside(path, target), "{path} -> {target}");
        }
    }

    #[test]
    fn links_that_lead_or_could_lead_out_may_not() {
        for (path, target) in [
            ("Dockerfile", "/etc/passwd"),
            ("a", ".."),
            ("a", "../b"),
            ("d/a", "../../b"),
            ("a", "d/../../b"),
            ("a", "d/.."),
            ("a", "d/../b"),
            ("d/a", "../x/../../b"),
            ("a", ""),
            ("d/a", "..//../b"),
            ("d/a", "./../../b"),
        ] {
            assert!(!stays_inside(path, target), "{path} -> {target}");
        }
    }

    #[test]
    fn names_that_mean_something_else_are_not_plain() {
        assert!(is_plain("src/main.rs"));
        for path in ["", "/etc", "a//b", "../a", "a/..", ".git/config", "a/.GIT/hooks/x", "./a"] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
