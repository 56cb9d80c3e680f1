//! Golden plans of a small application and properties that must hold for every one.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::{ProjectId, ReleaseId, ServerId, ServiceId, TeamId};
use hydron_proto::names::{Hostname, SecretName, ServiceName};
use hydron_proto::plan::{Action, EnvPart, Mandate, PlanDocument, ReleaseOrder, Risk, admit_release};
use proptest::prelude::*;

use super::*;
use crate::analysis::{
    Analysis, AnalyzedService, Binding, DependencyNeed, DockerfileReading, DockerfileVerdict, EnvNeed,
    EnvSource, UrlBinding,
};
use crate::env::EnvValue;
use crate::project::{ProjectType, Slug};
use crate::service::{ReadAt, ServiceKind, ServiceState, detect};

mod edits;
mod readings;
mod services;

const NOW: i64 = 1_700_000_000_000;

struct World {
    project: Project,
    zone: Hostname,
    services: Vec<PlannedService>,
    servers: Vec<ServerFacts>,
    preferences: BTreeMap<ServiceId, ServerId>,
    secrets: BTreeMap<SecretName, u32>,
    live: BTreeMap<ServiceId, LiveRelease>,
}

impl World {
    fn corkboard() -> Self {
        let id = ProjectId::new(1, [1; 10]);
        let zone: Hostname = "localhost".parse().unwrap();
        let slug = Slug::of("Corkboard");
        let project = Project {
            id,
            name: "Corkboard".to_owned(),
            host: default_host(&slug, id, &zone).unwrap(),
            slug,
            kind: ProjectType::WebApp,
            created_at: 0,
            updated_at: 0,
        };
        let services = services(id, &analysis(), 'a');
        let servers = vec![server(1, "alpha", 4096)];
        Self {
            project,
            zone,
            services,
            servers,
            preferences: BTreeMap::new(),
            secrets: BTreeMap::new(),
            live: BTreeMap::new(),
        }
    }

    fn planning(&self) -> Planning<'_> {
        Planning {
            team: TeamId::new(1, [9; 10]),
            project: &self.project,
            zone: &self.zone,
            services: &self.services,
            servers: &self.servers,
            preferences: &self.preferences,
            secrets: &self.secrets,
            live: &self.live,
            now_unix_ms: NOW,
        }
    }

    fn plan(&self) -> Blueprint {
        plan(&self.planning(), &mut releases(1)).unwrap()
    }

    /// What is live after the plan ran.
    fn deployed(mut self) -> (Self, Vec<Mandate>) {
        let blueprint = self.plan();
        for release in &blueprint.releases {
            let live = LiveRelease {
                id: release.id,
                server: release.server,
                fingerprint: Some(release.fingerprint.clone()),
            };
            self.live.insert(release.service, live);
        }
        self.secrets.extend(blueprint.generated.iter().map(|g| (g.secret.name.clone(), g.secret.version)));
        let mandates = blueprint.provisioning.into_iter().flat_map(|plan| plan.mandates).collect();
        (self, mandates)
    }

    fn service(&mut self, name: &str) -> &mut PlannedService {
        self.services.iter_mut().find(|planned| planned.service.name.as_str() == name).unwrap()
    }
}

fn server(n: u8, name: &str, memory_mb: u64) -> ServerFacts {
    ServerFacts {
        id: ServerId::new(u64::from(n), [n; 10]),
        name: name.to_owned(),
        online: true,
        cpus: 2,
        memory_mb,
        https_port: 443,
        fingerprint: format!("facts-{n}"),
    }
}

fn releases(start: u64) -> impl FnMut() -> ReleaseId {
    let mut next = start;
    move || {
        next += 1;
        ReleaseId::new(next, [7; 10])
    }
}

fn analysis() -> Analysis {
    let api = AnalyzedService {
        port: Some(8000),
        health: Some("/api/health".to_owned()),
        route_prefix: Some("/api".to_owned()),
        start: Some("gunicorn app:app".to_owned()),
        dependencies: vec![DependencyNeed {
            kind: "postgres".to_owned(),
            required: true,
            version: None,
            image: None,
            external: false,
            binding: Binding {
                url: vec![UrlBinding { name: "DATABASE_URL".to_owned(), scheme: "postgresql".to_owned() }],
                ..Binding::default()
            },
        }],
        env: vec![need("DATABASE_URL", true, true), need("PORT", false, false)],
        ..part(
            "api",
            "api",
            crate::analysis::ServiceKind::Web,
            Some("FROM python:3.11\nCMD [\"gunicorn\"]\n"),
        )
    };
    let web = AnalyzedService {
        port: Some(8080),
        ..part("web", "web", crate::analysis::ServiceKind::Static, None)
    };
    Analysis { services: vec![api, web], ..Analysis::default() }
}

fn need(name: &str, secret: bool, required: bool) -> EnvNeed {
    EnvNeed {
        name: name.to_owned(),
        secret,
        required,
        default: None,
        build_time: false,
        source: EnvSource::Code,
        generate: None,
        file: None,
        line: None,
        description: None,
    }
}

fn part(name: &str, dir: &str, kind: crate::analysis::ServiceKind, content: Option<&str>) -> AnalyzedService {
    AnalyzedService {
        name: name.to_owned(),
        path: dir.to_owned(),
        kind,
        language: "python".to_owned(),
        language_version: None,
        framework: None,
        also: Vec::new(),
        package_manager: None,
        build: None,
        start: None,
        release: None,
        output_dir: None,
        port: None,
        health: None,
        route_prefix: None,
        dependencies: Vec::new(),
        env: Vec::new(),
        dockerfile: DockerfileReading {
            found: content.is_none(),
            path: Some(format!("{dir}/Dockerfile")),
            context: dir.to_owned(),
            target: None,
            verdict: if content.is_none() { DockerfileVerdict::Accept } else { DockerfileVerdict::Generate },
            reasons: Vec::new(),
            content: content.map(str::to_owned),
            diff: None,
            ignore: None,
            build_args: Vec::new(),
        },
        depends_on: Vec::new(),
        volumes: Vec::new(),
        optional: false,
        evidence: Vec::new(),
    }
}

fn services(project: ProjectId, analysis: &Analysis, commit: char) -> Vec<PlannedService> {
    let trees = BTreeMap::from([
        ("api".to_owned(), format!("tree-api-{commit}")),
        ("web".to_owned(), "tree-web".to_owned()),
    ]);
    let url = "https://git.example.org/a/corkboard.git".parse().unwrap();
    let reference = "refs/heads/main".parse().unwrap();
    let commit = commit.to_string().repeat(40).parse().unwrap();
    let at = ReadAt { url: &url, reference: &reference, commit: &commit, trees: &trees };
    let found = detect(analysis, &at);
    found
        .into_iter()
        .map(|found| {
            let seed = found.name.as_str().bytes().fold(0u8, u8::wrapping_add);
            let service = Service {
                id: ServiceId::new(1, [seed; 10]),
                project,
                name: found.name,
                state: ServiceState::Accepted,
                locked: false,
                revision: 1,
                analysis: None,
                spec: found.spec,
                created_at: 0,
                updated_at: 0,
            };
            PlannedService { service, env: Vec::new() }
        })
        .collect()
}

fn titles(plan: &PlanDocument) -> Vec<&str> {
    plan.steps.iter().map(|step| step.title.as_str()).collect()
}

#[test]
fn a_small_application_gets_one_plan_with_its_database_first() {
    let blueprint = World::corkboard().plan();
    assert_eq!(blueprint.provisioning.len(), 1);
    let plan = &blueprint.provisioning[0];
    insta::assert_snapshot!(titles(plan).join("\n"), @r"
    Docker Engine
    Private network
    Volume for postgres
    Source code at aaaaaaaaaaaa
    Build image postgres
    Build image api
    Build image web
    Release postgres
    Release api
    Release web
    Certificate for corkboard-01010101.localhost
    Route corkboard-01010101.localhost
    Probe web through the public URL
    Probe api through the public URL
    ");
    insta::assert_json_snapshot!("corkboard_infrastructure", blueprint.infrastructure);
    insta::assert_json_snapshot!("corkboard_provisioning", plan);
    assert_eq!(blueprint.infrastructure.risk, Risk::R2);
    assert_eq!(blueprint.generated.len(), 1);
    assert_eq!(blueprint.generated[0].secret.name.as_str(), "postgres/password");
}

#[test]
fn every_step_says_in_words_what_it_does() {
    let plan = &World::corkboard().plan().provisioning[0];
    let words: Vec<String> = plan.steps.iter().map(|step| summary(&step.action)).collect();
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn the_database_url_is_text_around_a_secret_that_only_has_a_name() {
    let world = World::corkboard();
    let api = world.services.iter().find(|p| p.service.name.as_str() == "api").unwrap();
    let found = environment(api, &world.services, &BTreeMap::new());
    let url = found.iter().find(|r| r.var.name.as_str() == "DATABASE_URL").unwrap();
    let [EnvPart::Text(before), EnvPart::Secret(secret), EnvPart::Text(after)] = url.var.value.as_slice()
    else {
        panic!("{:?}", url.var.value)
    };
    assert_eq!((before.as_str(), after.as_str()), ("postgresql://app:", "@postgres:5432/app"));
    assert_eq!((secret.name.as_str(), secret.version), ("postgres/password", 1));
    assert!(missing(&api.service, &found).is_empty());
}

#[test]
fn a_redeploy_of_one_changed_service_stays_inside_its_mandate_and_leaves_the_others_alone() {
    let (mut world, mandates) = World::corkboard().deployed();
    world.services = services(world.project.id, &analysis(), 'b');
    let plans = release_plans(&world.planning(), None, &mut releases(50)).unwrap();
    assert_eq!(plans.changed.iter().map(ServiceName::as_str).collect::<Vec<_>>(), ["api"]);
    insta::assert_snapshot!(titles(&plans.plans[0]).join("\n"), @r"
    Source code at bbbbbbbbbbbb
    Build image api
    Release api
    Probe web through the public URL
    Probe api through the public URL
    ");
    assert_eq!(admit_release(&mandates, &plans.plans[0], NOW), Ok(()));
    assert!(plans.generated.is_empty());
}

#[test]
fn a_redeploy_of_nothing_only_probes() {
    let (world, mandates) = World::corkboard().deployed();
    let plans = release_plans(&world.planning(), None, &mut releases(50)).unwrap();
    assert!(plans.changed.is_empty());
    assert!(plans.plans[0].steps.iter().all(|step| matches!(step.action, Action::Probe(_))));
    assert_eq!(admit_release(&mandates, &plans.plans[0], NOW), Ok(()));
}

#[test]
fn a_new_variable_port_dockerfile_command_or_health_path_is_outside_the_mandate() {
    type Change = fn(&mut World);
    let changes: [Change; 5] = [
        |world| {
            let spec = &mut world.service("api").service.spec;
            spec.health_path = Some("/elsewhere".to_owned());
            spec.edited.insert("health_path".to_owned());
        },
        |world| world.service("api").service.spec.port = Some(9000),
        |world| {
            world.service("api").service.spec.dockerfile.content = Some("FROM evil\n".to_owned());
        },
        |world| {
            let id = world.service("api").service.id;
            world.service("api").env.push(EnvSetting {
                service: id,
                name: "BRAND_NEW".parse().unwrap(),
                value: EnvValue::Plain("1".to_owned()),
                updated_at: 0,
            });
        },
        |world| {
            let spec = &mut world.service("api").service.spec;
            spec.start = Some("sleep 1".to_owned());
            spec.edited.insert("start".to_owned());
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (mut world, mandates) = World::corkboard().deployed();
        change(&mut world);
        let plans = release_plans(&world.planning(), None, &mut releases(50)).unwrap();
        assert!(admit_release(&mandates, &plans.plans[0], NOW).is_err(), "change {number}");
    }
}

#[test]
fn another_service_s_tag_is_outside_the_mandate() {
    let (mut world, mandates) = World::corkboard().deployed();
    world.services = services(world.project.id, &analysis(), 'b');
    let plan = release_plans(&world.planning(), None, &mut releases(50)).unwrap().plans.remove(0);
    let theirs = mandates.iter().find(|mandate| mandate.name.as_str() == "web").unwrap().image.clone();
    let ours = plan.steps.iter().position(|step| step.title == "Build image api").unwrap();
    for tag in [format!("{theirs}:1"), "postgres:15".to_owned()] {
        let mut stolen = plan.clone();
        let Action::ImageBuild(build) = &mut stolen.steps[ours].action else { panic!() };
        build.tag = tag.parse().unwrap();
        assert!(admit_release(&mandates, &stolen, NOW).is_err(), "{tag}");
    }
    assert_eq!(admit_release(&mandates, &plan, NOW), Ok(()));
}

#[test]
fn a_changed_value_of_a_known_variable_is_inside_the_mandate() {
    let (mut world, mandates) = World::corkboard().deployed();
    let id = world.service("api").service.id;
    let setting = EnvSetting {
        service: id,
        name: "PORT".parse().unwrap(),
        value: EnvValue::Plain("8000 ".to_owned()),
        updated_at: 0,
    };
    world.service("api").env.push(setting);
    let plans = release_plans(&world.planning(), None, &mut releases(50)).unwrap();
    assert_eq!(plans.changed.len(), 1);
    assert_eq!(admit_release(&mandates, &plans.plans[0], NOW), Ok(()));
}

#[test]
fn a_second_plan_keeps_what_did_not_change_and_declares_the_stop_of_a_database() {
    let (mut world, _) = World::corkboard().deployed();
    world.service("postgres").service.spec.dockerfile.content = Some("FROM postgres:16\n".to_owned());
    let blueprint = world.plan();
    let titles = titles(&blueprint.provisioning[0]);
    assert!(titles.contains(&"Release postgres") && !titles.contains(&"Release web"), "{titles:?}");
    assert_eq!(blueprint.provisioning[0].mandates.len(), 3);
    let downtime = &blueprint.infrastructure.downtime;
    let postgres = downtime.iter().find(|d| d.service.as_str() == "postgres").unwrap();
    assert_eq!(postgres.seconds, 30);
    assert!(downtime.iter().filter(|d| d.service.as_str() != "postgres").all(|d| d.seconds == 0));
    let stopped = blueprint.provisioning[0].steps.iter().filter(|step| step.downtime_s > 0);
    let stopped: Vec<_> = stopped.map(|step| (step.title.as_str(), step.downtime_s)).collect();
    assert_eq!(stopped, [("Release postgres", 30)]);
    assert!(blueprint.generated.is_empty(), "an existing password is never made again");
}

#[test]
fn two_servers_get_a_plan_each_and_a_barrier_between_them() {
    let mut world = World::corkboard();
    world.servers.push(server(2, "beta", 8192));
    let (alpha, beta) = (world.servers[0].id, world.servers[1].id);
    world.service("web").service.spec.depends_on.insert("api".parse().unwrap());
    let (web, api) = (world.service("web").service.id, world.service("api").service.id);
    world.preferences = BTreeMap::from([(web, alpha), (api, beta)]);
    let blueprint = world.plan();
    assert_eq!(blueprint.provisioning.len(), 2);
    let on = |server| blueprint.provisioning.iter().find(|plan| plan.server == server).unwrap();
    let release = on(alpha).steps.iter().find(|step| step.title == "Release web").unwrap();
    let [barrier] = release.after.as_slice() else { panic!("{:?}", release.after) };
    assert_eq!(barrier.server, beta);
    let target = &on(beta).steps[usize::try_from(barrier.step).unwrap()];
    assert_eq!(target.title, "Release api");
    assert!(titles(on(beta)).contains(&"Release postgres"), "the database goes where its client is");
    let hosts: BTreeSet<_> =
        blueprint.provisioning.iter().flat_map(|p| &p.mandates).flat_map(|m| &m.hosts).collect();
    assert_eq!(hosts.len(), 2, "a back end on another server has a host of its own: {hosts:?}");
}

#[test]
fn a_service_is_not_torn_from_its_database() {
    let mut world = World::corkboard();
    world.servers.push(server(2, "beta", 8192));
    let (api, postgres) = (world.service("api").service.id, world.service("postgres").service.id);
    world.preferences = BTreeMap::from([(api, world.servers[0].id), (postgres, world.servers[1].id)]);
    let refused = plan(&world.planning(), &mut releases(1)).unwrap_err();
    assert!(matches!(refused, PlanningError::Placement(InvalidPlacement::Split { .. })), "{refused}");
}

#[test]
fn staleness_is_decided_by_content_and_said_in_words() {
    let mut world = World::corkboard();
    let before = inputs(&world.planning());
    assert!(before.changes(&inputs(&world.planning())).is_empty());
    world.service("api").service.spec.port = Some(9000);
    assert_eq!(before.changes(&inputs(&world.planning())), ["service api changed"]);
    world.service("api").service.spec.port = Some(8000);
    assert!(before.changes(&inputs(&world.planning())).is_empty(), "set back is good again");
    world.services.retain(|planned| planned.service.name.as_str() != "web");
    world.servers[0].fingerprint = "other".to_owned();
    let changes = before.changes(&inputs(&world.planning()));
    assert_eq!(changes, ["service web was removed", "the source of web was removed", "server alpha changed"]);
    assert_ne!(before.total(), inputs(&world.planning()).total());
}

#[test]
fn an_edited_step_makes_other_bytes_and_its_mandate_follows() {
    let blueprint = World::corkboard().plan();
    let plan = &blueprint.provisioning[0];
    let index = plan.steps.iter().position(|step| step.title == "Build image api").unwrap();
    let Action::ImageBuild(mut build) = plan.steps[index].action.clone() else { panic!() };
    build.dockerfile = hydron_proto::plan::Dockerfile::Inline { content: "FROM python:3.12\n".to_owned() };
    let edit = |action: Option<serde_json::Value>| StepEdit {
        index: u32::try_from(index).unwrap(),
        title: None,
        timeout_s: None,
        action,
    };
    let action = serde_json::to_value(Action::ImageBuild(build.clone())).unwrap();
    let edited = edit_steps(plan, &[edit(Some(action))]).unwrap();
    assert_ne!(edited.to_bytes().unwrap(), plan.to_bytes().unwrap());
    assert!(format!("{:?}", edited.mandates).contains("python:3.12"));
    let index_of = |title: &str| plan.steps.iter().position(|step| step.title == title).unwrap();
    let release = index_of("Release api");
    let Action::Release(mut spec) = plan.steps[release].action.clone() else { panic!() };
    (spec.bake_s, spec.health.deadline_s) = (60, 90);
    let watched = StepEdit {
        index: u32::try_from(release).unwrap(),
        title: None,
        timeout_s: None,
        action: Some(serde_json::to_value(Action::Release(spec.clone())).unwrap()),
    };
    let edited = edit_steps(plan, &[watched]).unwrap();
    let mandate = edited.mandates.iter().find(|mandate| mandate.service == spec.service).unwrap();
    assert_eq!((mandate.bake_s, &mandate.health), (60, &spec.health));
    build.tag = "hydron/other:1".parse().unwrap();
    let stolen = serde_json::to_value(Action::ImageBuild(build)).unwrap();
    assert_eq!(edit_steps(plan, &[edit(Some(stolen))]).unwrap_err().field, format!("steps[{index}].action"));
    let shell = serde_json::json!({"kind": "shell", "with": {"script": "id", "env": [], "expect": [0]}});
    assert!(edit_steps(plan, &[edit(Some(shell))]).is_err());
    let foreign = StepEdit {
        index: 1,
        action: Some(serde_json::json!({"kind": "network", "with": {"name": "hy-ffffffff"}})),
        title: None,
        timeout_s: None,
    };
    assert!(edit_steps(plan, &[foreign]).is_err());
}

#[test]
fn a_rejected_database_leaves_its_variable_missing() {
    let mut world = World::corkboard();
    world.services.retain(|planned| planned.service.name.as_str() != "postgres");
    let blueprint = world.plan();
    assert_eq!(
        blueprint.infrastructure.warnings,
        ["api has no value for DATABASE_URL; set it if the service needs it"]
    );
    assert!(blueprint.generated.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any graph of services on any servers gives plans that decode, understate no risk, declare every stop, put every
    /// service once, and wait only for earlier releases.
    #[test]
    fn every_plan_holds_together(
        edges in proptest::collection::vec((0usize..8, 0usize..8), 0..16),
        kinds in proptest::collection::vec(0u8..4, 8),
        count in 1usize..8,
        servers in 1u8..4,
        wishes in proptest::collection::vec(0u8..4, 8),
    ) {
        let mut world = World::corkboard();
        world.servers = (1..=servers).map(|n| server(n, &format!("s{n}"), u64::from(n) * 1024)).collect();
        let names: Vec<ServiceName> = (0..count).map(|n| format!("svc-{n}").parse().unwrap()).collect();
        let template = world.services[0].clone();
        world.services = names.iter().enumerate().map(|(n, name)| {
            let mut planned = template.clone();
            planned.service.id = ServiceId::new(1, [u8::try_from(n).unwrap(); 10]);
            planned.service.name = name.clone();
            planned.service.spec.needs.clear();
            planned.service.spec.route_prefix = (kinds[n] == 3).then(|| "/x".to_owned());
            planned.service.spec.kind = [ServiceKind::Web, ServiceKind::Worker, ServiceKind::Static, ServiceKind::Web][usize::from(kinds[n])];
            planned.service.spec.depends_on = edges.iter()
                .filter(|(from, to)| *from == n && to != from && *to < count)
                .map(|(_, to)| names[*to].clone()).collect();
            planned
        }).collect();
        world.preferences = world.services.iter().enumerate()
            .filter(|(n, _)| (1..=servers).contains(&wishes[*n]))
            .map(|(n, planned)| (planned.service.id, world.servers[usize::from(wishes[n] - 1)].id)).collect();
        let blueprint = plan(&world.planning(), &mut releases(1)).unwrap();
        let placed: usize = blueprint.infrastructure.servers.iter().map(|server| server.services.len()).sum();
        prop_assert_eq!(placed, count);
        let mut released = 0;
        for document in &blueprint.provisioning {
            let bytes = document.to_bytes().unwrap();
            prop_assert_eq!(&PlanDocument::from_bytes(&bytes).unwrap(), document);
            for step in &document.steps {
                prop_assert!(step.action.risk() <= step.risk);
                for wait in &step.after {
                    let other = blueprint.provisioning.iter().find(|plan| plan.server == wait.server).unwrap();
                    let target = &other.steps[usize::try_from(wait.step).unwrap()];
                    prop_assert!(matches!(target.action, Action::Release(_)));
                }
                if let Action::Release(spec) = &step.action {
                    released += 1;
                    prop_assert!(spec.order == ReleaseOrder::StartFirst || !spec.volumes.is_empty());
                }
            }
        }
        prop_assert_eq!(released, count);
        prop_assert!(no_deadlock(&blueprint.provisioning));
        prop_assert_eq!(plan(&world.planning(), &mut releases(1)).unwrap(), blueprint);
    }
}

/// Walks all plans side by side; every step must become possible.
fn no_deadlock(plans: &[PlanDocument]) -> bool {
    let mut at: BTreeMap<ServerId, usize> = plans.iter().map(|plan| (plan.server, 0)).collect();
    loop {
        let mut moved = false;
        for plan in plans {
            let here = at[&plan.server];
            let Some(step) = plan.steps.get(here) else { continue };
            if step.after.iter().all(|wait| at[&wait.server] > usize::try_from(wait.step).unwrap()) {
                at.insert(plan.server, here + 1);
                moved = true;
            }
        }
        if !moved {
            return plans.iter().all(|plan| at[&plan.server] == plan.steps.len());
        }
    }
}
