//! Where source code comes from. What passes here stands in git's argv after `--` (trust evidence B1, B5, B7).

use super::checked_text;

checked_text!(
    /// An `https://host[:port]/path` repository URL without credentials, query or fragment.
    GitUrl, "repository URL",
    |text| {
        if text.len() > 2048 {
            return Err("is too long");
        }
        let Some(rest) = text.strip_prefix("https://") else {
            return Err("must start with `https://`");
        };
        let Some((authority, path)) = rest.split_once('/') else {
            return Err("must name a repository: `https://host/owner/name`");
        };
        if authority.contains('@') {
            return Err("must not contain a user name or password; connect the account instead");
        }
        authority_is_plain(authority)?;
        if path.trim_matches('/').is_empty() {
            return Err("must name a repository: `https://host/owner/name`");
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'~' | b'+');
        if !path.bytes().all(plain) || path.split('/').any(|part| part == ".." || part == "." || part.starts_with('-')) {
            return Err("may contain only letters, digits and `- _ . / ~ +` in its path");
        }
        Ok(())
    }
);

checked_text!(
    /// A branch or tag name, or a full `refs/…` name (git-check-ref-format rules, reduced); never starts with `-`.
    GitRef, "branch or tag",
    |text| {
        if text.is_empty() || text.len() > 255 {
            return Err("must have 1 to 255 characters");
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'+' | b'#');
        if !text.bytes().all(plain) {
            return Err("may contain only letters, digits and `- _ . / + #`");
        }
        if text.starts_with(['-', '/', '.']) || text.ends_with(['/', '.']) || text.contains("..") || text.contains("//") {
            return Err("must not start with `-`, `/` or `.`, end with `/` or `.`, or contain `..` or `//`");
        }
        if text.split('/').any(|part| part.strip_suffix(".lock").is_some()) {
            return Err("must have no part that ends with `.lock`");
        }
        Ok(())
    }
);

checked_text!(
    /// A full SHA-1 or SHA-256 object name in lower-case hex.
    CommitId, "commit",
    |text| {
        if !matches!(text.len(), 40 | 64) || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err("must be 40 or 64 lower-case hexadecimal digits");
        }
        Ok(())
    }
);

impl GitUrl {
    /// Host and port (443 when none is given), without brackets around an IPv6 address.
    pub fn host_and_port(&self) -> (&str, u16) {
        let rest = self.0.strip_prefix("https://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(443)),
            Some(_) | None => (authority, 443),
        };
        (host.trim_start_matches('[').trim_end_matches(']'), port)
    }

    /// The last part of the path without `.git`: a first guess at the project's name.
    pub fn repository_name(&self) -> &str {
        let path = self.0.trim_end_matches('/');
        path.rsplit('/').next().unwrap_or_default().trim_end_matches(".git")
    }
}

fn authority_is_plain(authority: &str) -> Result<(), &'static str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return Err("has a malformed address");
        };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("has a malformed address");
        }
        return port_is_valid(port);
    }
    let (host, port) = authority.find(':').map_or((authority, ""), |at| authority.split_at(at));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    if host.is_empty() || !host.bytes().all(plain) || host.starts_with(['-', '.']) {
        return Err("has a malformed host name");
    }
    port_is_valid(port)
}

fn port_is_valid(port: &str) -> Result<(), &'static str> {
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(digits) if digits.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        Some(_) | None => Err("has a malformed port"),
    }
}
