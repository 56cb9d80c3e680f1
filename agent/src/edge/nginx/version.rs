//! The version of the installed nginx: what it can be told depends on it.

/// `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NginxVersion(u16, u16, u16);

impl NginxVersion {
    /// `listen … http2` became `http2 on` (nginx CHANGES 1.25.1).
    pub(super) const HTTP2_DIRECTIVE: Self = Self(1, 25, 1);

    #[cfg(test)]
    pub(super) const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self(major, minor, patch)
    }

    /// Reads the answer to `nginx -v`, e.g. `nginx version: nginx/1.22.1 (Ubuntu)`.
    pub(super) fn parse(answer: &str) -> Option<Self> {
        let text = answer.split_once("nginx/")?.1;
        let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut parts = number.split('.').map(str::parse);
        Some(Self(parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
    }
}

impl std::fmt::Display for NginxVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_distribution() {
        assert_eq!(NginxVersion::parse("nginx version: nginx/1.22.1\n"), Some(NginxVersion(1, 22, 1)));
        assert_eq!(NginxVersion::parse("nginx version: nginx/1.18.0 (Ubuntu)"), Some(NginxVersion(1, 18, 0)));
        assert_eq!(NginxVersion::parse("command not found"), None);
    }
}
