//! Names with a character grammar: services, secrets, variables, hosts, images, Docker objects.

use super::checked_text;

checked_text!(
    /// A service of a project: DNS label, at most 40 characters, so that `<service>-<release>` fits a container name.
    ServiceName, "service name",
    |text| label(text, 40)
);

checked_text!(
    /// A network, volume or checkout that Hydron owns on a server.
    ResourceName, "resource name",
    |text| label(text, 63)
);

checked_text!(
    /// The name under which a plan mentions a secret; never its value.
    SecretName, "secret name",
    |text| {
        if text.is_empty() || text.len() > 128 {
            return Err("must have 1 to 128 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/')) {
            return Err("may contain only letters, digits, `-`, `_`, `.` and `/`");
        }
        Ok(())
    }
);

/// Variables that change what a process loads or runs before its own code: never set for a step or a container.
const REFUSED_VARIABLES: [&str; 8] =
    ["PATH", "IFS", "BASH_ENV", "ENV", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS"];

checked_text!(
    /// An environment variable (POSIX.1-2017 §8.1 names), except those that hijack a process: `PATH`, `LD_*`, …
    EnvName, "environment variable",
    |text| {
        if text.is_empty() || text.len() > 128 {
            return Err("must have 1 to 128 characters");
        }
        let mut bytes = text.bytes();
        let first = bytes.next().unwrap_or_default();
        if !(first.is_ascii_alphabetic() || first == b'_')
            || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err("must start with a letter or `_` and contain only letters, digits and `_`");
        }
        if REFUSED_VARIABLES.contains(&text) || text.starts_with("LD_") || text.starts_with("DYLD_") {
            return Err("is reserved: it would change how programs start; choose another name");
        }
        Ok(())
    }
);

checked_text!(
    /// A DNS host name, lower case, no trailing dot (RFC 1123 §2.1); no wildcard, no address.
    Hostname, "host name",
    |text| {
        if text.is_empty() || text.len() > 253 {
            return Err("must have 1 to 253 characters");
        }
        if text.split('.').any(|part| label(part, 63).is_err()) {
            return Err("must be lower-case labels of letters, digits and `-`, separated by dots");
        }
        if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err("must be a name, not an address");
        }
        Ok(())
    }
);

checked_text!(
    /// An image reference, `[host[:port]/]path[:tag][@sha256:digest]` (distribution/reference grammar, reduced).
    ImageRef, "image",
    |text| {
        if text.is_empty() || text.len() > 255 {
            return Err("must have 1 to 255 characters");
        }
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").ok_or("has a digest that is not `sha256:`")?;
            if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
                return Err("has a digest that is not 64 hexadecimal digits");
            }
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b':');
        if !name.bytes().all(allowed) || !name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric()) {
            return Err("must look like `registry/path:tag`");
        }
        if name.contains("//") || name.contains("..") || name.ends_with(['/', ':', '.', '-']) {
            return Err("must look like `registry/path:tag`");
        }
        Ok(())
    }
);

/// A DNS label: lower-case letters, digits, inner dashes.
fn label(text: &str, longest: usize) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("must not be empty");
    }
    if text.len() > longest {
        return Err("is too long");
    }
    if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err("may contain only lower-case letters, digits and `-`");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err("must start and end with a letter or digit");
    }
    Ok(())
}
