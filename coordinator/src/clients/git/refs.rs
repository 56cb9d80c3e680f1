//! Which ref and commit a listing of `git ls-remote --symref` names.

use std::collections::BTreeMap;

use hydron_proto::names::{CommitId, GitRef};
use hydron_proto::source::candidates;

use super::FetchError;

/// The full name and the commit of the wanted ref, or of the default branch.
pub(super) fn choose(listing: &[u8], wanted: Option<&GitRef>) -> Result<(GitRef, CommitId), FetchError> {
    let text = String::from_utf8_lossy(listing);
    let mut commits: BTreeMap<&str, &str> = BTreeMap::new();
    let mut head = None;
    for line in text.lines() {
        let Some((left, name)) = line.split_once('\t') else { continue };
        match left.strip_prefix("ref: ") {
            Some(target) if name == "HEAD" => head = Some(target),
            Some(_) => {}
            None => {
                commits.insert(name, left);
            }
        }
    }
    if commits.is_empty() {
        return Err(if wanted.is_some() { FetchError::NoSuchRef } else { FetchError::Empty });
    }
    // The default branch is asked for as HEAD: its own line is not in the listing.
    let found = match wanted {
        None => commits.get("HEAD").map(|commit| (head.unwrap_or("HEAD").to_owned(), *commit)),
        Some(wanted) => candidates(wanted)
            .into_iter()
            .find_map(|name| target(&commits, &name).map(|commit| (name, commit))),
    };
    let missing = if wanted.is_some() { FetchError::NoSuchRef } else { FetchError::Empty };
    let (name, commit) = found.ok_or(missing)?;
    let name = name.parse().map_err(|_| FetchError::NoSuchRef)?;
    Ok((name, commit.parse().map_err(|_| FetchError::NotARepository)?))
}

/// An annotated tag lists its commit as `name^{}`.
fn target<'a>(commits: &BTreeMap<&str, &'a str>, name: &str) -> Option<&'a str> {
    let peeled = format!("{name}^{{}}");
    commits.get(peeled.as_str()).or_else(|| commits.get(name)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn chosen(listing: &str, wanted: Option<&str>) -> Result<(String, String), &'static str> {
        let wanted = wanted.map(|text| text.parse().unwrap());
        choose(listing.as_bytes(), wanted.as_ref())
            .map(|(name, commit)| (name.to_string(), commit.to_string()))
            .map_err(|error| error.code())
    }

    #[test]
    fn the_default_branch_is_what_head_points_to() {
        let listing = format!("ref: refs/heads/trunk\tHEAD\n{A}\tHEAD\n");
        assert_eq!(chosen(&listing, None), Ok(("refs/heads/trunk".into(), A.into())));
        assert_eq!(chosen("", None), Err("source_empty"));
    }

    #[test]
    fn a_branch_wins_over_a_tag_and_a_tag_is_peeled() {
        let listing = format!("{A}\tHEAD\n{A}\trefs/heads/x\n{B}\trefs/tags/x\n");
        assert_eq!(chosen(&listing, Some("x")), Ok(("refs/heads/x".into(), A.into())));
        let listing = format!("{A}\tHEAD\n{A}\trefs/tags/v1\n{B}\trefs/tags/v1^{{}}\n");
        assert_eq!(chosen(&listing, Some("v1")), Ok(("refs/tags/v1".into(), B.into())));
        assert_eq!(chosen(&format!("{A}\tHEAD\n"), Some("nope")), Err("source_no_such_ref"));
    }
}
