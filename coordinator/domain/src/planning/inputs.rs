//! Digests of everything a plan was made from, one a part, so that staleness can be said in words.
//!
//! Rule: content decides. Setting a value back to what it was makes the plan good again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Planning;
use super::fingerprint::hex;
use crate::env::EnvValue;

/// A digest for each part that a plan depends on; the key is what a person reads when it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InputDigests(BTreeMap<String, String>);

impl InputDigests {
    /// One digest over all parts.
    pub fn total(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"hydron-inputs-v1\0");
        for (part, digest) in &self.0 {
            hash.update(part.as_bytes());
            hash.update([0]);
            hash.update(digest.as_bytes());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }

    /// What differs in `now`, in words.
    pub fn changes(&self, now: &Self) -> Vec<String> {
        let gone =
            self.0.keys().filter(|part| !now.0.contains_key(*part)).map(|part| format!("{part} was removed"));
        let changed = now.0.iter().filter_map(|(part, digest)| match self.0.get(part) {
            Some(before) if before == digest => None,
            Some(_) => Some(format!("{part} changed")),
            None => Some(format!("{part} was added")),
        });
        gone.chain(changed).collect()
    }
}

/// The digests of a planning's inputs.
pub fn inputs(planning: &Planning<'_>) -> InputDigests {
    let mut parts = BTreeMap::new();
    parts.insert("the domain".to_owned(), digest(&[planning.project.host.as_str(), planning.zone.as_str()]));
    for planned in planning.services {
        let service = &planned.service;
        let spec = &service.spec;
        let plain = serde_json::json!([
            service.id,
            spec.kind,
            spec.start,
            spec.release,
            spec.port,
            spec.health_path,
            spec.route_prefix,
            spec.dockerfile.origin,
            spec.dockerfile.path,
            spec.dockerfile.content,
            spec.context,
            spec.depends_on,
            spec.needs,
            spec.env,
            spec.volumes,
            spec.dependency,
        ]);
        parts.insert(format!("service {}", service.name), digest(&[&plain.to_string()]));
        if let Some(source) = &spec.source {
            let at = [source.url.as_str(), source.reference.as_str(), source.commit.as_str()];
            parts.insert(format!("the source of {}", service.name), digest(&at));
        }
        for setting in &planned.env {
            let value = match &setting.value {
                EnvValue::Plain(text) => digest(&["plain", text]),
                EnvValue::Secret(secret) => {
                    digest(&["secret", secret.name.as_str(), &secret.version.to_string()])
                }
            };
            parts.insert(format!("variable {} of {}", setting.name, service.name), value);
        }
    }
    for server in planning.servers {
        parts.insert(
            format!("server {}", server.name),
            digest(&[&server.id.to_string(), &server.fingerprint]),
        );
    }
    InputDigests(parts)
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}
