//! What a newer reading says that the one before did not.
//!
//! One rule: values are compared as they are shown; the text of a Dockerfile and the values of secrets never stand here.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::ServiceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, AnalyzedService, EnvNeed};

/// How a service differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A service that was not there before.
    Added,
    /// A service that is no longer there.
    Removed,
    /// A field with another value.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisChange {
    /// The service, as it was found.
    pub service: String,
    /// The service of the project that it is, under whatever name.
    #[serde(default)]
    pub service_id: Option<ServiceId>,
    /// What happened.
    pub change: ChangeKind,
    /// The field: `port`, `start`, `env.DATABASE_URL`, `dependencies.redis` …; none for a whole service.
    #[serde(default)]
    pub field: Option<String>,
    /// The value before.
    #[serde(default)]
    pub before: Option<String>,
    /// The value now.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether a person edited the field: then the edit stays in force.
    #[serde(default)]
    pub kept: bool,
}

/// All differences, by service and field. `subdir` narrows the older reading to what the newer one looked at.
pub fn changes(before: &Analysis, after: &Analysis, subdir: &str) -> Vec<AnalysisChange> {
    let inside = |s: &&AnalyzedService| {
        subdir.is_empty()
            || s.path == subdir
            || s.path.strip_prefix(subdir).is_some_and(|rest| rest.starts_with('/'))
    };
    let old: BTreeMap<&str, &AnalyzedService> =
        before.services.iter().filter(inside).map(|s| (s.name.as_str(), s)).collect();
    let new: BTreeMap<&str, &AnalyzedService> = after.services.iter().map(|s| (s.name.as_str(), s)).collect();
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut list = Vec::new();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => fields(old, new, &mut list),
            (None, Some(new)) => list.push(whole(name, ChangeKind::Added, None, Some(new.path.clone()))),
            (Some(old), None) => list.push(whole(name, ChangeKind::Removed, Some(old.path.clone()), None)),
            (None, None) => {}
        }
    }
    list
}

fn whole(name: &str, change: ChangeKind, before: Option<String>, after: Option<String>) -> AnalysisChange {
    AnalysisChange {
        service: name.to_owned(),
        service_id: None,
        change,
        field: None,
        before,
        after,
        kept: false,
    }
}

fn fields(old: &AnalyzedService, new: &AnalyzedService, list: &mut Vec<AnalysisChange>) {
    let (old_values, new_values) = (values(old), values(new));
    let names: BTreeSet<&String> = old_values.keys().chain(new_values.keys()).collect();
    for name in names {
        let (before, after) = (old_values.get(name), new_values.get(name));
        if before != after {
            list.push(AnalysisChange {
                service: new.name.clone(),
                service_id: None,
                change: ChangeKind::Changed,
                field: Some(name.clone()),
                before: before.cloned(),
                after: after.cloned(),
                kept: false,
            });
        }
    }
    if old.dockerfile.content != new.dockerfile.content && old.dockerfile.verdict == new.dockerfile.verdict {
        list.push(AnalysisChange {
            service: new.name.clone(),
            service_id: None,
            change: ChangeKind::Changed,
            field: Some("dockerfile".to_owned()),
            before: None,
            after: Some("another text".to_owned()),
            kept: false,
        });
    }
}

/// Every value that a person can see, by field.
fn values(service: &AnalyzedService) -> BTreeMap<String, String> {
    let one = |name: &str, value: Option<String>| Some((name.to_owned(), value?));
    let single = [
        one("path", Some(service.path.clone())),
        one("kind", Some(service.kind.as_str().to_owned())),
        one("language", Some(service.language.clone())),
        one("language_version", service.language_version.clone()),
        one("framework", service.framework.clone()),
        one("package_manager", service.package_manager.clone()),
        one("build", service.build.clone()),
        one("start", service.start.clone()),
        one("release", service.release.clone()),
        one("output_dir", service.output_dir.clone()),
        one("port", service.port.map(|port| port.to_string())),
        one("health", service.health.clone()),
        one("route_prefix", service.route_prefix.clone()),
        one("dockerfile", Some(service.dockerfile.verdict.as_str().to_owned())),
        one("depends_on", Some(service.depends_on.join(", ")).filter(|list| !list.is_empty())),
    ];
    let need = |required: bool| if required { "required" } else { "optional" }.to_owned();
    let dependencies =
        service.dependencies.iter().map(|d| (format!("dependencies.{}", d.kind), need(d.required)));
    let variables = service.env.iter().map(|e| (format!("env.{}", e.name), variable(e)));
    single.into_iter().flatten().chain(dependencies).chain(variables).collect()
}

fn variable(env: &EnvNeed) -> String {
    let words = [
        Some(if env.required { "required" } else { "optional" }.to_owned()),
        env.secret.then(|| "secret".to_owned()),
        env.default.as_ref().filter(|_| !env.secret).map(|value| format!("default {value}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: serde_json::Value) -> Analysis {
        serde_json::from_value(json).unwrap()
    }

    fn service(name: &str, port: u16, env: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({
            "name": name, "path": format!("apps/{name}"), "kind": "web", "language": "go", "port": port, "env": env,
            "dockerfile": { "found": false, "context": ".", "verdict": "generate", "content": "FROM a\n" },
        })
    }

    #[test]
    fn added_removed_and_changed_are_told_apart() {
        let token =
            serde_json::json!([{ "name": "TOKEN", "secret": true, "required": true, "source": "code" }]);
        let none = serde_json::json!([]);
        let before =
            reading(serde_json::json!({ "services": [service("api", 80, &none), service("old", 1, &none)] }));
        let after = reading(
            serde_json::json!({ "services": [service("api", 81, &token), service("web", 2, &none)] }),
        );
        let list = changes(&before, &after, "");
        let shown: Vec<_> = list
            .iter()
            .map(|c| (c.service.as_str(), c.change, c.field.as_deref(), c.after.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("api", ChangeKind::Changed, Some("env.TOKEN"), Some("required, secret")),
                ("api", ChangeKind::Changed, Some("port"), Some("81")),
                ("old", ChangeKind::Removed, None, None),
                ("web", ChangeKind::Added, None, Some("apps/web")),
            ]
        );
    }

    #[test]
    fn a_directory_is_compared_with_itself() {
        let none = serde_json::json!([]);
        let before =
            reading(serde_json::json!({ "services": [service("api", 80, &none), service("old", 1, &none)] }));
        let after = reading(serde_json::json!({ "services": [service("api", 80, &none)] }));
        assert_eq!(changes(&before, &after, "apps/api"), []);
    }

    #[test]
    fn another_text_with_the_same_verdict_and_another_default_are_changes_and_an_optional_variable_says_so() {
        let env = |default: &str, secret: bool| {
            serde_json::json!([
                { "name": "LEVEL", "secret": secret, "required": false, "default": default, "source": "code" }
            ])
        };
        let of = |default: &str, secret: bool, content: &str| {
            let mut service = service("api", 80, &env(default, secret));
            service["dockerfile"]["content"] = content.into();
            reading(serde_json::json!({ "services": [service] }))
        };
        let shown = |after: &Analysis| -> Vec<(Option<String>, Option<String>)> {
            let list = changes(&of("info", false, "FROM a\n"), after, "");
            list.into_iter().map(|change| (change.field, change.after)).collect()
        };
        let one = |field: &str, after: &str| vec![(Some(field.to_owned()), Some(after.to_owned()))];
        assert_eq!(shown(&of("info", false, "FROM a\n")), []);
        assert_eq!(shown(&of("info", false, "FROM b\n")), one("dockerfile", "another text"));
        assert_eq!(shown(&of("debug", false, "FROM a\n")), one("env.LEVEL", "optional, default debug"));
        assert_eq!(shown(&of("debug", true, "FROM a\n")), one("env.LEVEL", "optional, secret"));
    }

    #[test]
    fn a_new_dependency_between_services_and_another_verdict_are_changes_in_the_words_of_the_json() {
        let of = |depends_on: &[&str], kind: &str, verdict: &str| {
            let mut service = service("api", 80, &serde_json::json!([]));
            service["depends_on"] = depends_on.into();
            service["kind"] = kind.into();
            service["dockerfile"]["verdict"] = verdict.into();
            reading(serde_json::json!({ "services": [service] }))
        };
        let list = changes(&of(&[], "web", "generate"), &of(&["db"], "worker", "repair"), "");
        let shown: Vec<_> = list
            .iter()
            .map(|change| (change.field.as_deref(), change.before.as_deref(), change.after.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                (Some("depends_on"), None, Some("db")),
                (Some("dockerfile"), Some("generate"), Some("repair")),
                (Some("kind"), Some("web"), Some("worker")),
            ]
        );
    }
}
