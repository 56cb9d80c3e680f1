//! One `package.json`, read into what the rules ask for.
//!
//! One rule: a dependency is matched by its exact name in any group, never as text (the anchors' oldest bug).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::formats::json;
use crate::path;
use crate::repo::{Repo, Role};

/// A parsed manifest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) dir: String,
    pub(crate) file: String,
    pub(crate) role_aux: bool,
    pub(crate) name: Option<String>,
    pub(crate) deps: BTreeSet<String>,
    pub(crate) dev: BTreeSet<String>,
    pub(crate) scripts: BTreeMap<String, String>,
    pub(crate) main: Option<String>,
    pub(crate) has_bin: bool,
    pub(crate) has_exports: bool,
    pub(crate) private: bool,
    pub(crate) declared_manager: Option<String>,
    pub(crate) engines: BTreeMap<String, String>,
    pub(crate) volta_node: Option<String>,
    pub(crate) workspaces: Vec<String>,
}

impl Package {
    /// Whether a dependency stands in any group.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.deps.contains(name) || self.dev.contains(name)
    }

    /// Whether any of several stands in any group.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|n| self.has(n))
    }

    /// A script's text.
    pub(crate) fn script(&self, name: &str) -> Option<&str> {
        self.scripts.get(name).map(String::as_str)
    }

    /// The name without its scope.
    pub(crate) fn short_name(&self) -> Option<&str> {
        self.name.as_deref().map(path::base).filter(|n| !n.is_empty())
    }
}

/// Reads every manifest that is not somebody else's.
pub(crate) fn read_all(repo: &Repo<'_>) -> Vec<Package> {
    let manifests = repo.files().iter().filter(|f| f.name() == "package.json" && f.role != Role::Vendored);
    let mut packages = Vec::new();
    for file in manifests {
        let Some(text) = repo.text(file) else { continue };
        match json::parse(text) {
            Ok(value) if value.is_object() => {
                let mut package = from_json(&value);
                file.dir().clone_into(&mut package.dir);
                package.file.clone_from(&file.path);
                package.role_aux = file.role == Role::Aux;
                packages.push(package);
            }
            Ok(_) => repo.note_unreadable(&file.path, "it is not an object"),
            Err(problem) => repo.note_unreadable(&file.path, &problem),
        }
    }
    packages
}

fn from_json(value: &Value) -> Package {
    let mut deps: BTreeSet<String> = json::keys(value, "dependencies").into_iter().collect();
    deps.extend(json::keys(value, "optionalDependencies"));
    let mut dev: BTreeSet<String> = json::keys(value, "devDependencies").into_iter().collect();
    dev.extend(json::keys(value, "peerDependencies"));
    let text_map = |key: &str| -> BTreeMap<String, String> {
        let object = value.get(key).and_then(Value::as_object);
        let pairs = object.into_iter().flatten();
        pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
    };
    let mut workspaces = json::strings(value, "workspaces");
    workspaces.extend(json::strings(value, "workspaces.packages"));
    Package {
        name: json::text(value, "name").map(str::to_owned),
        deps,
        dev,
        scripts: text_map("scripts"),
        main: json::text(value, "main").map(str::to_owned),
        has_bin: value.get("bin").is_some(),
        has_exports: value.get("exports").is_some() || value.get("types").is_some(),
        private: value.get("private").and_then(Value::as_bool).unwrap_or(false),
        declared_manager: json::text(value, "packageManager").map(str::to_owned),
        engines: text_map("engines"),
        volta_node: json::text(value, "volta.node").map(str::to_owned),
        workspaces,
        ..Package::default()
    }
}
