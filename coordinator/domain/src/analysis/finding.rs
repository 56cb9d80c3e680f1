//! What a person should know: problems, doubts, and leaks that the reading saw.
//!
//! One rule: a finding says what was seen *and* what to do about it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable machine-readable code.
    pub code: FindingCode,
    /// The service it concerns, if one.
    #[serde(default)]
    pub service: Option<String>,
    /// What was seen.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// The file it was seen in.
    #[serde(default)]
    pub file: Option<String>,
    /// 1-based line in that file.
    #[serde(default)]
    pub line: Option<u32>,
}

/// Weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A deployment would fail or be unsafe.
    Error,
    /// It may fail or surprise.
    Warning,
    /// Good to know.
    Info,
}

/// Stable codes, for tests, filters and translations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// The tree has no files.
    EmptyRepository,
    /// Files, but nothing deployable.
    NoService,
    /// Only documentation.
    OnlyDocs,
    /// Only binary files.
    OnlyBinary,
    /// Source in a language we have no rules for.
    UnknownLanguage,
    /// A manifest that does not parse.
    UnreadableManifest,
    /// A cap on files, bytes or depth was reached.
    CapReached,
    /// Lock files of several package managers.
    ConflictingLockfiles,
    /// No lock file, so builds are not repeatable.
    NoLockfile,
    /// Services that wait for each other.
    CyclicDependencies,
    /// Two services publish one host port.
    PortConflict,
    /// A real-looking secret is committed.
    CommittedSecret,
    /// A secret behind a public build-time prefix.
    PublicSecret,
    /// The program listens on loopback only.
    LoopbackBind,
    /// A runtime past its end of life.
    EndOfLife,
    /// No start command could be found.
    NoStart,
    /// The declared start is a development server.
    DevServer,
    /// The repository's Dockerfile is not fit for production.
    UnfitDockerfile,
    /// The framework's adapter or output mode does not fit a container.
    NeedsChange,
    /// Data lives in files that need a volume.
    LocalState,
    /// A link points outside the repository.
    ForeignLink,
    /// A path named by a manifest does not exist.
    MissingPath,
    /// Something in a compose file has no counterpart here.
    ComposeUnsupported,
    /// A submodule whose content is not in the repository.
    Submodule,
}
