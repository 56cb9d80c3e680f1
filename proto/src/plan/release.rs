//! A release of one service: the image, its configuration, and how the swap is made.
//!
//! Rule: kept whole on the server for rollback, so it names secrets and never contains them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ids::{ReleaseId, ServiceId};
use crate::names::{AbsolutePath, EnvName, ImageRef, ResourceName, SecretName, ServiceName};

/// Releases besides the live one that a server keeps, image and configuration, so that they can come back.
pub const RELEASES_KEPT: usize = 3;

/// A version of a service on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// Which service.
    pub service: ServiceId,
    /// Its name: the name other services resolve.
    pub name: ServiceName,
    /// This release.
    pub release: ReleaseId,
    /// What runs.
    pub image: ReleaseImage,
    /// Replaces the image's command; argv.
    pub command: Option<Vec<String>>,
    /// Environment of the container.
    pub env: Vec<EnvVar>,
    /// The port it listens on; none for a worker.
    pub port: Option<u16>,
    /// Private network (see the network step).
    pub network: ResourceName,
    /// Volumes.
    pub volumes: Vec<VolumeMount>,
    /// Limits of the container.
    pub limits: Limits,
    /// How to know that it is well.
    pub health: Health,
    /// Whether old and new may run side by side.
    pub order: ReleaseOrder,
    /// One-shot command before the swap, same image and environment; argv.
    pub pre_deploy: Option<Vec<String>>,
    /// Watch time after the switch, seconds.
    pub bake_s: u16,
    /// Longest wait for open connections to the old one, seconds.
    pub drain_s: u16,
    /// Time between TERM and KILL, seconds.
    pub stop_grace_s: u16,
}

/// What a release runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReleaseImage {
    /// An image that an earlier step of the run built; the agent records its id.
    Built {
        /// The tag the build gave.
        tag: ImageRef,
    },
    /// An image that an earlier step pulled.
    Pulled {
        /// The reference.
        image: ImageRef,
    },
}

/// One variable: literal text and secrets, joined in order. No shell is involved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvVar {
    /// Name.
    pub name: EnvName,
    /// Value, in parts.
    pub value: Vec<EnvPart>,
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvPart {
    /// As it stands.
    Text(String),
    /// The value of a secret.
    Secret(SecretRef),
}

/// A secret by name and version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// Name.
    pub name: SecretName,
    /// Version; a changed value is a new version, so the plan's digest changes with it.
    pub version: u32,
}

/// A variable that needs a secret which was not given, or whose value is not text.
#[derive(Debug, thiserror::Error)]
#[error("variable {variable} needs the secret {secret}, which is missing or not UTF-8")]
pub struct MissingSecret {
    /// Which variable.
    pub variable: EnvName,
    /// Which secret.
    pub secret: SecretName,
}

impl EnvVar {
    /// A variable with literal text.
    pub fn literal(name: EnvName, text: impl Into<String>) -> Self {
        Self { name, value: vec![EnvPart::Text(text.into())] }
    }

    /// The secrets it names.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.value.iter().filter_map(|part| match part {
            EnvPart::Text(_) => None,
            EnvPart::Secret(secret) => Some(secret),
        })
    }

    /// `NAME=value` with the secrets put in.
    pub fn resolve(
        &self,
        secrets: &BTreeMap<SecretRef, Zeroizing<Vec<u8>>>,
    ) -> Result<Zeroizing<String>, MissingSecret> {
        let mut text = Zeroizing::new(format!("{}=", self.name));
        for part in &self.value {
            match part {
                EnvPart::Text(literal) => text.push_str(literal),
                EnvPart::Secret(secret) => {
                    let missing =
                        || MissingSecret { variable: self.name.clone(), secret: secret.name.clone() };
                    let value = secrets.get(secret).ok_or_else(missing)?;
                    text.push_str(std::str::from_utf8(value).map_err(|_| missing())?);
                }
            }
        }
        Ok(text)
    }
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VolumeMount {
    /// Which volume.
    pub volume: ResourceName,
    /// Where.
    pub path: AbsolutePath,
}

/// Limits of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory, MiB.
    pub memory_mb: u32,
    /// CPU, thousandths of a core.
    pub cpu_milli: u32,
    /// Processes.
    pub pids: u32,
}

/// How the agent decides that a candidate may serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What is asked.
    pub check: HealthKind,
    /// Successes in a row.
    pub successes: u8,
    /// Time between tries, milliseconds.
    pub interval_ms: u32,
    /// Longest wait for health, seconds.
    pub deadline_s: u32,
}

/// What is asked of a candidate, from the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HealthKind {
    /// GET answers with 200–399.
    Http {
        /// Path.
        path: String,
    },
    /// GET answers with any status below 500: for a site whose health path nobody knows.
    Answers {
        /// Path.
        path: String,
    },
    /// The port accepts a connection.
    Tcp {},
    /// It stays up for ten seconds.
    Running {},
}

/// Whether old and new may run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseOrder {
    /// New beside old: no downtime.
    StartFirst,
    /// Old stops first: one replica with a volume.
    StopFirst,
}
