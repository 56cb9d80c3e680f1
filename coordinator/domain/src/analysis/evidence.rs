//! Why a value stands where it stands.
//!
//! One rule: evidence names a file of the repository (or says that a rule's default was used), so that a person can check it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One reason for one value of one field. The losers of a conflict stay visible with `chosen: false`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// The field it speaks about: `framework`, `port`, `dependencies.postgres`, `env.DATABASE_URL` …
    pub field: String,
    /// The value it supports.
    pub value: String,
    /// The file; absent when a rule's default was used.
    #[serde(default)]
    pub file: Option<String>,
    /// 1-based line in that file.
    #[serde(default)]
    pub line: Option<u32>,
    /// Stable id of the rule (`python.flask.dependency`).
    pub rule: String,
    /// 0 to 1. Below 0.7 a person should look.
    pub confidence: f32,
    /// Whether this value was used.
    pub chosen: bool,
}
