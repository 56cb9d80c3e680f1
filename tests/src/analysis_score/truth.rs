//! The hand-made truth, as its file holds it.
//!
//! One rule: fields that the scorer does not use are ignored, so the file may grow.

use serde::{Deserialize, Deserializer};

/// `null` means the same as an absent field.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// One repository.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) repo: String,
    pub(crate) commit: String,
    pub(crate) services: Vec<Service>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) not_services: Vec<String>,
}

/// One service.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) language: String,
    #[serde(default)]
    pub(crate) framework: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) accept_frameworks: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) accept_languages: Vec<String>,
    #[serde(default)]
    pub(crate) package_manager: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) alt_package_managers: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) start: Vec<String>,
    #[serde(default)]
    pub(crate) port: Option<u16>,
    #[serde(default)]
    pub(crate) accept_ports: serde_json::Value,
    #[serde(default)]
    pub(crate) port_note: Option<String>,
    #[serde(default)]
    pub(crate) health: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) accept_health: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) env_names: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) env_optional_names: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) env_secrets: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) env_extra_allowed: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) framework_env_extra: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) source_paths: Vec<String>,
    #[serde(default)]
    pub(crate) accept_split: Option<String>,
    #[serde(default, rename = "optional_service", deserialize_with = "nullable")]
    pub(crate) optional: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) depends_on: Vec<String>,
}

/// One dependency.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) kind: String,
    pub(crate) required: bool,
}
