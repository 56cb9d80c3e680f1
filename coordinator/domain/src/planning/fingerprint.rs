//! What a release is made from, as two hashes: the source tree and the configuration.
//!
//! Rule: ids, tags and commits are left out, so that the same content on a newer commit counts as unchanged.

use hydron_proto::ids::ReleaseId;
use hydron_proto::plan::{ImageBuild, ReleaseSpec};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The two hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Git's hash of the build context; empty for a dependency.
    pub tree_hash: String,
    /// Hash of Dockerfile, environment (by name and secret version), limits, volumes, health …
    pub config_digest: String,
}

impl Fingerprint {
    /// The fingerprint of a release and the build behind it.
    pub(super) fn of(tree_hash: &str, build: &ImageBuild, spec: &ReleaseSpec) -> Self {
        let neutral = ReleaseSpec { release: ReleaseId::new(0, [0; 10]), ..spec.clone() };
        let mut value = serde_json::to_value(&neutral).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("image");
        }
        let mut hash = Sha256::new();
        hash.update(value.to_string());
        hash.update(recipe(build));
        Self { tree_hash: tree_hash.to_owned(), config_digest: hex(&hash.finalize()) }
    }
}

/// Hash of how an image is built, without what it is built from.
pub(super) fn recipe(build: &ImageBuild) -> String {
    let parts = serde_json::json!([build.context, build.dockerfile, build.args]);
    hex(&Sha256::digest(parts.to_string()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
