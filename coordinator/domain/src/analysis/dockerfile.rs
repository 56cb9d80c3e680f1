//! How a service becomes an image.
//!
//! One rule: `content` is text that we wrote or repaired; an accepted file of the repository is only pointed at.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was found and what will be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DockerfileReading {
    /// Whether the repository has one for this service.
    pub found: bool,
    /// Its path (or, when generated, where ours would stand).
    #[serde(default)]
    pub path: Option<String>,
    /// The build context directory, relative to the repository.
    pub context: String,
    /// Stage to build, when the file has several products.
    #[serde(default)]
    pub target: Option<String>,
    /// Use, repair or replace.
    pub verdict: DockerfileVerdict,
    /// Why, one sentence each; empty for a plain accept.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The text to build when generated or repaired.
    #[serde(default)]
    pub content: Option<String>,
    /// What a repair changes, as a unified diff of the repository's file.
    #[serde(default)]
    pub diff: Option<String>,
    /// A `.dockerignore` to use with `content`.
    #[serde(default)]
    pub ignore: Option<String>,
    /// Build arguments to pass.
    #[serde(default)]
    pub build_args: Vec<String>,
}

/// The decision about an image recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DockerfileVerdict {
    /// The repository's file is built as it is.
    Accept,
    /// The repository's file with shown changes (`content`).
    Repair,
    /// None was found (or none fits); ours is in `content`.
    Generate,
    /// One was found and is not fit for production; ours is in `content`.
    Replace,
    /// Nothing can be built without a person's help; `reasons` says what is missing.
    Missing,
}

impl DockerfileVerdict {
    /// The word used in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Repair => "repair",
            Self::Generate => "generate",
            Self::Replace => "replace",
            Self::Missing => "missing",
        }
    }
}
