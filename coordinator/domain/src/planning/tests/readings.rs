//! What a reading makes of a service, what a person may change of it, and what stays when both happen.

use hydron_proto::names::CommitId;

use super::*;
use crate::service::{DockerfileOrigin, InvalidEdit, ServiceSource, ServiceSpec, apply_edit, merge};

fn api() -> Service {
    World::corkboard().service("api").service.clone()
}

fn edited(service: &Service, edit: serde_json::Value) -> Result<(ServiceName, ServiceSpec), InvalidEdit> {
    apply_edit(service, &serde_json::from_value(edit).unwrap())
}

/// The field at which an edit is refused.
fn refused(edit: serde_json::Value) -> &'static str {
    edited(&api(), edit).unwrap_err().field
}

/// Another reading of `api`, in which everything is different.
fn other_reading() -> ServiceSpec {
    let mut spec = api().spec;
    spec.kind = ServiceKind::Worker;
    spec.language = "other".to_owned();
    for text in
        [&mut spec.framework, &mut spec.build, &mut spec.start, &mut spec.health_path, &mut spec.route_prefix]
    {
        *text = Some("/other".to_owned());
    }
    spec.port = Some(1);
    spec.dockerfile.content = Some("FROM other\n".to_owned());
    spec.context = "other".parse().unwrap();
    spec.depends_on = BTreeSet::from(["web".parse().unwrap()]);
    spec.source.as_mut().unwrap().tree_hash = "other".to_owned();
    spec
}

/// The spec as text, so that every field is compared by its name.
fn fields(spec: &ServiceSpec) -> serde_json::Map<String, serde_json::Value> {
    let serde_json::Value::Object(fields) = serde_json::to_value(spec).unwrap() else { panic!() };
    fields
}

#[test]
fn each_field_that_a_person_edited_stays_and_every_other_one_follows_the_reading() {
    for (edit, field) in [
        ("kind", "kind"),
        ("language", "language"),
        ("framework", "framework"),
        ("build", "build"),
        ("start", "start"),
        ("port", "port"),
        ("health_path", "health_path"),
        ("route_prefix", "route_prefix"),
        ("dockerfile", "dockerfile"),
        ("path", "context"),
        ("depends_on", "depends_on"),
    ] {
        let mut known = api();
        known.spec.edited = BTreeSet::from([edit.to_owned()]);
        known.spec.found_as = Some("backend".parse().unwrap());
        let (old, new) = (fields(&known.spec), fields(&other_reading()));
        let merged = fields(&merge(&known, &other_reading(), &BTreeMap::new()));
        for (name, value) in &merged {
            let stays = name == field || name == "edited" || name == "found_as";
            if name != "source" {
                assert_eq!(
                    value,
                    if stays { &old[name] } else { &new[name] },
                    "{name} when {edit} was edited"
                );
            }
        }
    }
}

#[test]
fn an_edited_path_takes_the_hash_of_its_own_directory() {
    let mut known = api();
    known.spec.edited = BTreeSet::from(["path".to_owned()]);
    let hash = |trees| merge(&known, &other_reading(), &trees).source.unwrap().tree_hash;
    let trees = BTreeMap::from([(known.spec.context.to_string(), "own".to_owned())]);
    assert_eq!(hash(trees), "own");
    assert_eq!(hash(BTreeMap::new()), known.spec.source.as_ref().unwrap().commit.to_string());
}

#[test]
fn a_dockerfile_of_the_repository_counts_where_it_lies_outside_of_what_is_built() {
    let trees = ["web", "docker/web", "web/docker", "website/docker"];
    let trees: BTreeMap<String, String> = trees.map(|path| (path.to_owned(), format!("<{path}>"))).into();
    let commit: CommitId = "a".repeat(40).parse().unwrap();
    let (url, reference) =
        ("https://git.example.org/a/b.git".parse().unwrap(), "refs/heads/main".parse().unwrap());
    let at = ReadAt { url: &url, reference: &reference, commit: &commit, trees: &trees };
    let hash = |context: &str, dockerfile: &str, verdict| {
        let mut analysis = analysis();
        let reading = &mut analysis.services[1].dockerfile;
        (reading.context, reading.path, reading.verdict) =
            (context.to_owned(), Some(dockerfile.to_owned()), verdict);
        let found = detect(&analysis, &at);
        found.into_iter().find(|found| found.name.as_str() == "web").unwrap().spec.source.unwrap().tree_hash
    };
    let accept = DockerfileVerdict::Accept;
    assert_eq!(hash("web", "web/docker", accept), "<web>");
    assert_eq!(hash("web", "docker/web", accept), "<web>+<docker/web>");
    assert_eq!(hash("web", "website/docker", accept), "<web>+<website/docker>");
    assert_eq!(hash("web", "docker/web", DockerfileVerdict::Repair), "<web>", "another text is built");
    assert_eq!(hash(".", "docker/web", accept), commit.as_str());
}

#[test]
fn the_hash_of_a_source_is_that_of_what_a_person_chose_to_build() {
    let trees = BTreeMap::from([
        ("api".to_owned(), "own".to_owned()),
        ("other".to_owned(), "other".to_owned()),
        ("docker/api".to_owned(), "blob".to_owned()),
    ]);
    let hash = |known: &Service, dockerfile: DockerfileOrigin| {
        let mut found = other_reading();
        (found.dockerfile.origin, found.dockerfile.path) = (dockerfile, Some("docker/api".to_owned()));
        merge(known, &found, &trees).source.unwrap().tree_hash
    };
    let with = |edited: &str| {
        let edited = BTreeSet::from([edited.to_owned()]);
        Service { spec: ServiceSpec { edited, ..api().spec }, ..api() }
    };
    assert_eq!(hash(&with("port"), DockerfileOrigin::Repository), "other+blob");
    assert_eq!(hash(&with("path"), DockerfileOrigin::Repository), "own+blob");
    assert_eq!(hash(&with("path"), DockerfileOrigin::Generated), "own");
    assert_eq!(hash(&with("dockerfile"), DockerfileOrigin::Repository), "other");
    assert_eq!(hash(&Service { locked: true, ..api() }, DockerfileOrigin::Repository), "own");
}

#[test]
fn a_locked_service_only_follows_its_source_and_a_database_keeps_its_version() {
    let locked = Service { locked: true, ..api() };
    let mut found = other_reading();
    found.source.as_mut().unwrap().commit = "c".repeat(40).parse().unwrap();
    let trees = BTreeMap::from([(locked.spec.context.to_string(), "own".to_owned())]);
    let source = found.source.clone().map(|source| ServiceSource { tree_hash: "own".to_owned(), ..source });
    assert_eq!(merge(&locked, &found, &trees), ServiceSpec { source, ..locked.spec });
    let database = World::corkboard().service("postgres").service.clone();
    let mut newer = database.spec.clone();
    newer.dependency.as_mut().unwrap().image = "postgres:99".parse().unwrap();
    newer.dockerfile.content = Some("FROM postgres:99\n".to_owned());
    assert_eq!(merge(&database, &newer, &BTreeMap::new()), database.spec);
}

#[test]
fn only_a_required_database_that_is_not_somebody_else_s_is_run_here() {
    let kinds = |required: bool, external: bool| {
        let mut analysis = analysis();
        let need = &mut analysis.services[0].dependencies[0];
        (need.required, need.external) = (required, external);
        let names = services(ProjectId::new(1, [1; 10]), &analysis, 'a');
        names.iter().filter(|planned| planned.service.spec.dependency.is_some()).count()
    };
    assert_eq!(kinds(true, false), 1);
    assert_eq!((kinds(false, false), kinds(true, true), kinds(false, true)), (0, 0, 0));
}

#[test]
fn the_version_of_a_database_is_the_first_one_that_is_named() {
    let mut analysis = analysis();
    let need = analysis.services[0].dependencies[0].clone();
    let image = |version: &str| Some(format!("postgres:{version}"));
    analysis.services[0].dependencies = vec![
        need.clone(),
        DependencyNeed { image: image("14"), ..need.clone() },
        DependencyNeed { image: image("13"), ..need },
    ];
    let found = services(ProjectId::new(1, [1; 10]), &analysis, 'a');
    let mut choices = found.iter().filter_map(|planned| planned.service.spec.dependency.as_ref());
    assert_eq!(choices.next().unwrap().image.as_str(), "postgres:14");
}

#[test]
fn names_from_a_repository_become_labels_and_never_meet() {
    let mut analysis = analysis();
    analysis.services[1].name = "api".to_owned();
    analysis.services.push(part("My_App!", "x", crate::analysis::ServiceKind::Web, Some("FROM a\n")));
    analysis.services.push(part("***", "y", crate::analysis::ServiceKind::Web, Some("FROM a\n")));
    let found = services(ProjectId::new(1, [1; 10]), &analysis, 'a');
    let names: BTreeSet<&str> = found.iter().map(|planned| planned.service.name.as_str()).collect();
    assert!(names.contains("my-app") && names.contains("service"), "{names:?}");
}

#[test]
fn what_holds_data_is_not_renamed_and_a_dependency_stays_one() {
    let renamed = serde_json::json!({ "name": "backend" });
    let (name, spec) = edited(&api(), renamed.clone()).unwrap();
    assert_eq!((name.as_str(), spec.found_as), ("backend", Some("api".parse().unwrap())));
    let (_, spec) = edited(&api(), serde_json::json!({ "name": "api" })).unwrap();
    assert_eq!(spec.found_as, None);
    let again =
        Service { spec: ServiceSpec { found_as: Some("first".parse().unwrap()), ..api().spec }, ..api() };
    assert_eq!(edited(&again, renamed.clone()).unwrap().1.found_as, Some("first".parse().unwrap()));
    let database = World::corkboard().service("postgres").service.clone();
    assert_eq!(edited(&database, renamed).unwrap_err().field, "name");
    assert!(edited(&database, serde_json::json!({ "name": "postgres" })).is_ok());
    assert_eq!(edited(&database, serde_json::json!({ "kind": "web" })).unwrap_err().field, "kind");
    assert_eq!(refused(serde_json::json!({ "kind": "dependency" })), "kind");
    assert_eq!(edited(&api(), serde_json::json!({ "kind": "worker" })).unwrap().1.kind, ServiceKind::Worker);
}

#[test]
fn what_a_person_writes_is_checked_where_it_enters() {
    assert_eq!(refused(serde_json::json!({ "build": "x".repeat(1001) })), "build");
    assert_eq!(refused(serde_json::json!({ "build": "a\nb" })), "build");
    assert_eq!(refused(serde_json::json!({ "start": "a && b" })), "start");
    for port in [0, 65536] {
        assert_eq!(refused(serde_json::json!({ "port": port })), "port");
    }
    for path in ["x", "/a b", "/a'b", &format!("/{}", "x".repeat(200))] {
        assert_eq!(refused(serde_json::json!({ "health_path": path })), "health_path", "{path}");
        assert_eq!(refused(serde_json::json!({ "route_prefix": path })), "route_prefix", "{path}");
    }
    assert_eq!(refused(serde_json::json!({ "depends_on": ["api"] })), "depends_on");
    assert_eq!(refused(serde_json::json!({ "path": "../other" })), "path");
    for content in ["", "RUN true\n", "FROM a\0\n", &format!("FROM a\n{}", "x".repeat(65_530))] {
        assert_eq!(refused(serde_json::json!({ "dockerfile": { "content": content } })), "dockerfile");
    }
}

#[test]
fn what_a_person_wrote_is_kept_and_remembered_as_theirs() {
    let edit = serde_json::json!({
        "build": "x".repeat(1000), "framework": "", "port": 65535, "health_path": format!("/{}", "x".repeat(199)),
        "path": "./apps/api/", "depends_on": ["web"],
        "dockerfile": { "content": format!("from a\n{}", "x".repeat(65_529)) },
    });
    let (_, spec) = edited(&api(), edit).unwrap();
    assert_eq!((spec.build.unwrap().len(), spec.framework, spec.port), (1000, None, Some(65535)));
    assert_eq!((spec.health_path.unwrap().len(), spec.context.as_str()), (200, "apps/api"));
    assert_eq!(spec.depends_on, BTreeSet::from(["web".parse().unwrap()]));
    let source = spec.source.unwrap();
    assert_eq!(source.tree_hash, source.commit.to_string());
    assert_eq!((spec.dockerfile.origin, spec.dockerfile.verdict), (DockerfileOrigin::Edited, None));
    let fields = ["build", "depends_on", "dockerfile", "framework", "health_path", "path", "port"];
    assert_eq!(spec.edited, BTreeSet::from(fields.map(str::to_owned)));
    assert!(edited(&api(), serde_json::json!({ "path": "." })).unwrap().1.context.is_root());
}
