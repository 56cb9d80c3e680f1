//! What can go wrong while fetching, in words for the person who typed the URL.
//!
//! Rule: every case has a stable code and the field to change; what `git` wrote is read, never shown.

use hydron_proto::source::AddressRefused;

use super::child::Output;

/// Why a commit could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address may not be asked, or there is none.
    #[error(transparent)]
    Address(#[from] AddressRefused),
    /// Nobody answers.
    #[error("the host does not answer; check the URL and that the host is up")]
    Unreachable,
    /// The certificate is not one we trust.
    #[error("the host's certificate is not trusted; it must come from a public authority")]
    Certificate,
    /// The host says no.
    #[error("the host does not show this repository; check the spelling, or make it public")]
    NotFound,
    /// It sends us elsewhere.
    #[error("the host redirects to another address; use the repository's final URL")]
    Redirect,
    /// It answers, but not as a git host.
    #[error("there is no git repository at this URL; use the URL that `git clone` takes")]
    NotARepository,
    /// No commits.
    #[error("the repository is empty; push a commit first")]
    Empty,
    /// The branch or tag is not there.
    #[error("the repository has no such branch, tag or commit; check its name")]
    NoSuchRef,
    /// Too large, too slow, too many.
    #[error(
        "the repository is over the limits: {0}; take out of it what is generated or vendored, and large data, and read it again"
    )]
    OverCaps(&'static str),
    /// Objects that git refuses to take.
    #[error("the repository holds objects that git's own checks refuse; repair it with `git fsck`")]
    Unsafe,
    /// Our own directory.
    #[error("the fetch's directory cannot be used")]
    Directory(#[source] std::io::Error),
    /// The child could not be started.
    #[error("git could not be started on the coordinator")]
    Start(#[source] std::io::Error),
    /// Anything else that git says.
    #[error("git could not read the repository (exit code {0:?})")]
    Git(Option<i32>),
}

impl FetchError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(AddressRefused::Private { .. }) => "private_address",
            Self::Address(AddressRefused::Host) => "malformed_url",
            Self::Address(AddressRefused::Unresolved) | Self::Unreachable => "source_unreachable",
            Self::Certificate => "source_certificate",
            Self::NotFound => "source_not_found",
            Self::Redirect => "source_redirect",
            Self::NotARepository => "source_not_git",
            Self::Empty => "source_empty",
            Self::NoSuchRef => "source_no_such_ref",
            Self::OverCaps(_) => "source_over_limits",
            Self::Unsafe => "source_unsafe",
            Self::Directory(_) | Self::Start(_) | Self::Git(_) => "source_failed",
        }
    }

    /// The field of the request to change.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoSuchRef => "ref",
            Self::Address(_)
            | Self::Unreachable
            | Self::Certificate
            | Self::NotFound
            | Self::Redirect
            | Self::NotARepository
            | Self::Empty
            | Self::OverCaps(_)
            | Self::Unsafe
            | Self::Directory(_)
            | Self::Start(_)
            | Self::Git(_) => "url",
        }
    }

    /// A time-out before anything was fetched means that nobody answers.
    pub(super) fn while_connecting(self) -> Self {
        if matches!(self, Self::OverCaps(_)) { Self::Unreachable } else { self }
    }

    /// Reads what `git` wrote (with `LC_ALL=C`).
    pub(super) fn from_git(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if output.over_limit
            || says(&["file too large", "signal 25", "out of memory", "cannot allocate memory", "signal 24"])
        {
            return Self::OverCaps("it needs more than 512 MiB or more memory than a fetch may use");
        }
        if says(&[
            "fsck error",
            "fsck failed",
            "error in tree",
            "invalid path",
            "not a valid object",
            "malformed",
        ]) {
            return Self::Unsafe;
        }
        if says(&[
            "couldn't find remote ref",
            "not our ref",
            "no such remote ref",
            "upload-pack: not our ref",
        ]) {
            return Self::NoSuchRef;
        }
        if says(&["redirect"]) {
            return Self::Redirect;
        }
        if says(&["certificate", "ssl", "tls"]) {
            return Self::Certificate;
        }
        if says(&[
            "authentication failed",
            "could not read username",
            "terminal prompts disabled",
            "returned error: 40",
            "not found",
        ]) {
            return Self::NotFound;
        }
        if says(&[
            "failed to connect",
            "couldn't connect",
            "could not connect",
            "could not resolve",
            "timed out",
            "connection",
            "empty reply",
            "too slow",
            "returned error: 5",
        ]) {
            return Self::Unreachable;
        }
        if says(&[
            "not valid",
            "bad line length",
            "does not appear to be a git repository",
            "protocol error",
            "invalid server response",
            "unexpected",
        ]) {
            return Self::NotARepository;
        }
        // A child that the kernel ended at its file-size or time limit says nothing; only its parent notices.
        if says(&["index-pack"]) {
            return Self::OverCaps("it needs more than 512 MiB or more time than a fetch may use");
        }
        Self::Git(output.code)
    }
}
