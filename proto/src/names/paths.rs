//! Paths: inside a repository (relative, no way out) and on a server (absolute, no way round).

use super::checked_text;

checked_text!(
    /// A path inside a repository: relative, `/`-separated, no `.`/`..` parts, no control characters. `""` is the root.
    RelPath, "path",
    |text| {
        if text.len() > 1024 {
            return Err("is too long");
        }
        if text.is_empty() {
            return Ok(());
        }
        parts(text)
    }
);

checked_text!(
    /// An absolute path on a server, in normal form.
    AbsolutePath, "path",
    |text| {
        if text.len() > 1024 {
            return Err("is too long");
        }
        parts(text.strip_prefix('/').ok_or("must start with `/`")?)
    }
);

impl RelPath {
    /// The root of the repository.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Whether this is the root of the repository.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

fn parts(text: &str) -> Result<(), &'static str> {
    if text.contains('\\') || text.chars().any(char::is_control) {
        return Err("must not contain backslashes or control characters");
    }
    if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err("must not contain empty, `.` or `..` parts");
    }
    Ok(())
}
