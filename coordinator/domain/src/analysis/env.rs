//! An environment variable that a service reads.
//!
//! One rule: the value of a secret found in a repository never stands here; a leaked one becomes a finding instead.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvNeed {
    /// Name, exactly as read (may be lower or mixed case).
    pub name: String,
    /// Whether its value must be stored encrypted and never shown.
    pub secret: bool,
    /// Whether the service cannot start without it.
    pub required: bool,
    /// Default in code or example; always absent for secrets.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether it is compiled into the build, so that a change needs a rebuild.
    #[serde(default)]
    pub build_time: bool,
    /// The strongest place it was seen in.
    pub source: EnvSource,
    /// How a value can be made without asking, if it can.
    #[serde(default)]
    pub generate: Option<EnvGenerate>,
    /// The file that shows it.
    #[serde(default)]
    pub file: Option<String>,
    /// 1-based line in that file.
    #[serde(default)]
    pub line: Option<u32>,
    /// Description given by the repository (app.json), if any.
    #[serde(default)]
    pub description: Option<String>,
}

/// Where a variable was seen, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvSource {
    /// A literal read in code (`os.environ["X"]`).
    Code,
    /// A field of a settings schema (pydantic, zod, Joi, clap, struct tags).
    Schema,
    /// A configuration file that interpolates it (Spring, Symfony, `database.yml`).
    Config,
    /// A compose file's `environment`.
    Compose,
    /// An example file (`.env.example`).
    Example,
    /// A platform manifest (`app.json`, `render.yaml`).
    Platform,
    /// `ARG`/`ENV` of a Dockerfile.
    Dockerfile,
    /// A shell script.
    Script,
    /// Implied by the framework (`SECRET_KEY_BASE`, `RAILS_MASTER_KEY`).
    Framework,
}

/// Ways to make a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvGenerate {
    /// 32 random bytes in hexadecimal.
    Hex32,
    /// 64 random bytes in hexadecimal (Rails).
    Hex64,
    /// `base64:` and 32 random bytes (Laravel).
    LaravelKey,
}
