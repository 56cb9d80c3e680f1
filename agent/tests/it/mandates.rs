//! What an approved plan allows later releases of a service to do, and what lies one field outside of it.
//!
//! Neighbours: `admission` (the other checks of envelopes), `hostile` (the same over a real link, watched by strace).

use std::collections::BTreeSet;

use hydron_proto::envelope::EnvelopeDraft;
use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::plan::{
    Action, ActionKind, Dockerfile, DockerfileRule, EnvPart, EnvVar, GitCheckout, Health, HealthKind,
    ImageBuild, InterruptPolicy, Limits, Mandate, PlanDocument, PlanKind, Probe, ReleaseImage, ReleaseOrder,
    ReleaseSpec, Risk, SourceRule, Step, StepRule, Undo, VolumeMount,
};
use serde_json::json;

use crate::world::{FakeLink, World, now_ms, secret, shell, step};

pub(crate) fn service() -> ServiceId {
    ServiceId::new(1, [5; 10])
}

pub(crate) fn mandate() -> Mandate {
    Mandate {
        service: service(),
        name: "api".parse().unwrap(),
        source: SourceRule::Git {
            url: "https://git.example/team/api.git".parse().unwrap(),
            reference: "main".parse().unwrap(),
            context: "".parse().unwrap(),
            dockerfile: DockerfileRule::Repository { path: "Dockerfile".parse().unwrap() },
        },
        image: "hydron/p-api".parse().unwrap(),
        build_memory_mb: 512,
        kinds: [ActionKind::GitCheckout, ActionKind::ImageBuild, ActionKind::Release, ActionKind::Probe]
            .map(|kind| (kind, rule()))
            .into(),
        networks: ["hy-net".parse().unwrap()].into(),
        volumes: vec![],
        ports: [8000].into(),
        hosts: ["api.example".parse().unwrap()].into(),
        env: BTreeSet::new(),
        secrets: BTreeSet::new(),
        command: None,
        pre_deploy: None,
        limits: limits(),
        health: health(),
        order: ReleaseOrder::StopFirst,
        bake_s: 3,
        drain_s: 2,
        stop_grace_s: 1,
        valid_until_unix_ms: now_ms() + 3_600_000,
    }
}

/// What [`step`] promises.
fn rule() -> StepRule {
    StepRule { timeout_s: 60, on_interrupt: InterruptPolicy::Ask, undo: Undo::None }
}

fn health() -> Health {
    Health { check: HealthKind::Tcp {}, successes: 1, interval_ms: 100, deadline_s: 5 }
}

fn limits() -> Limits {
    Limits { memory_mb: 256, cpu_milli: 500, pids: 100 }
}

pub(crate) fn checkout() -> GitCheckout {
    GitCheckout {
        url: "https://git.example/team/api.git".parse().unwrap(),
        reference: "main".parse().unwrap(),
        commit: "0123456789012345678901234567890123456789".parse().unwrap(),
        credential: None,
        checkout: "api".parse().unwrap(),
    }
}

pub(crate) fn build(tag: &str) -> ImageBuild {
    ImageBuild {
        service: "api".parse().unwrap(),
        checkout: Some("api".parse().unwrap()),
        context: "".parse().unwrap(),
        dockerfile: Dockerfile::Repository { path: "Dockerfile".parse().unwrap() },
        args: vec![],
        tag: tag.parse().unwrap(),
        memory_mb: 512,
    }
}

pub(crate) fn release(tag: &str) -> ReleaseSpec {
    ReleaseSpec {
        service: service(),
        name: "api".parse().unwrap(),
        release: ReleaseId::new(1, [6; 10]),
        image: ReleaseImage::Built { tag: tag.parse().unwrap() },
        command: None,
        env: vec![],
        port: Some(8000),
        network: "hy-net".parse().unwrap(),
        volumes: vec![],
        limits: limits(),
        health: health(),
        order: ReleaseOrder::StopFirst,
        pre_deploy: None,
        bake_s: 3,
        drain_s: 2,
        stop_grace_s: 1,
    }
}

pub(crate) fn of_service(action: Action) -> Step {
    let mut step = step(action);
    step.risk = Risk::R2;
    step.service = Some(service());
    step
}

pub(crate) fn release_steps(checkout: GitCheckout, build: ImageBuild, release: ReleaseSpec) -> Vec<Step> {
    [Action::GitCheckout(checkout), Action::ImageBuild(build), Action::Release(release)]
        .into_iter()
        .map(of_service)
        .collect()
}

/// A release as the mandate allows it.
pub(crate) fn good() -> Vec<Step> {
    release_steps(checkout(), build("hydron/p-api:2"), release("hydron/p-api:2"))
}

/// Releases of the service that differ from [`good`] in one thing which the mandate does not give.
pub(crate) fn outside() -> Vec<(&'static str, Vec<Step>)> {
    let (c, b, r) = (checkout(), build("hydron/p-api:2"), release("hydron/p-api:2"));
    let fetching = |changed: GitCheckout| release_steps(changed, b.clone(), r.clone());
    let building = |changed: ImageBuild| release_steps(c.clone(), changed, r.clone());
    let running = |changed: ReleaseSpec| release_steps(c.clone(), b.clone(), changed);
    let and = |action: Action| [good(), vec![of_service(action)]].concat();
    let promising = |change: fn(&mut Step)| {
        let mut steps = good();
        change(&mut steps[2]);
        steps
    };
    let tagged = |tag: &str| release_steps(c.clone(), build(tag), release(tag));
    let unwell = Health { check: HealthKind::Running {}, ..health() };
    let literal = |name: &str| EnvVar::literal(name.parse().unwrap(), "1");
    let of_secret = EnvVar { name: "EVIL".parse().unwrap(), value: vec![EnvPart::Secret(secret("other"))] };
    let volume = VolumeMount { volume: "other".parse().unwrap(), path: "/data".parse().unwrap() };
    let evil_url = "https://git.example/evil/api.git".parse().unwrap();
    let inline = Dockerfile::Inline { content: "FROM evil".into() };
    let pulled = ReleaseImage::Pulled { image: "evil/image:1".parse().unwrap() };
    let evil = || Some(vec!["evil".to_owned()]);
    let probe = Probe {
        host: "evil.example".parse().unwrap(),
        path: "/".into(),
        status_from: 200,
        status_to: 399,
        tries: 1,
    };
    let mut all = vec![
        ("another repository", fetching(GitCheckout { url: evil_url, ..c.clone() })),
        ("another ref", fetching(GitCheckout { reference: "evil".parse().unwrap(), ..c.clone() })),
        ("a credential", fetching(GitCheckout { credential: Some(secret("git")), ..c.clone() })),
        ("another context", building(ImageBuild { context: "evil".parse().unwrap(), ..b.clone() })),
        ("another Dockerfile", building(ImageBuild { dockerfile: inline, ..b.clone() })),
        ("a build argument", building(ImageBuild { args: vec![literal("EVIL")], ..b.clone() })),
        (
            "a checkout that another plan left behind",
            building(ImageBuild { checkout: Some("other".parse().unwrap()), ..b.clone() }),
        ),
        ("a tag of its own that no plan of this server builds", running(release("hydron/p-api:3"))),
        ("a tag that another service's build made", running(release("hydron/p-other:2"))),
        ("a build over another service's tag", building(build("hydron/p-other:1"))),
        ("a build over another service's tag, and its release", tagged("hydron/p-other:1")),
        ("a tag that only begins like its own", tagged("hydron/p-api-too:2")),
        ("a tag below its own", tagged("hydron/p-api/too:2")),
        ("a tag without a version", tagged("hydron/p-api")),
        ("a build over an image of the registry", building(build("postgres:15"))),
        ("a build with more memory", building(ImageBuild { memory_mb: 513, ..b.clone() })),
        ("an image from a registry", running(ReleaseSpec { image: pulled, ..r.clone() })),
        ("the host's network", running(ReleaseSpec { network: "host".parse().unwrap(), ..r.clone() })),
        ("another volume", running(ReleaseSpec { volumes: vec![volume], ..r.clone() })),
        ("another port", running(ReleaseSpec { port: Some(22), ..r.clone() })),
        ("another command", running(ReleaseSpec { command: evil(), ..r.clone() })),
        ("a pre-deploy command", running(ReleaseSpec { pre_deploy: evil(), ..r.clone() })),
        ("another variable", running(ReleaseSpec { env: vec![literal("EVIL")], ..r.clone() })),
        ("another secret", running(ReleaseSpec { env: vec![of_secret], ..r.clone() })),
        ("more memory", running(ReleaseSpec { limits: Limits { memory_mb: 257, ..limits() }, ..r.clone() })),
        ("more processes", running(ReleaseSpec { limits: Limits { pids: 101, ..limits() }, ..r.clone() })),
        ("a second one beside it", running(ReleaseSpec { order: ReleaseOrder::StartFirst, ..r.clone() })),
        ("another health", running(ReleaseSpec { health: unwell, ..r.clone() })),
        ("a shorter watch", running(ReleaseSpec { bake_s: 2, ..r.clone() })),
        ("a longer drain", running(ReleaseSpec { drain_s: 3, ..r.clone() })),
        ("a shorter grace", running(ReleaseSpec { stop_grace_s: 0, ..r.clone() })),
        ("more time", promising(|step| step.timeout_s = 61)),
        ("another answer to an interruption", promising(|step| step.on_interrupt = InterruptPolicy::Rerun)),
        ("an undo", promising(|step| step.undo = Undo::Own)),
        ("a guard", promising(|step| step.guarded = true)),
        ("a shell step", and(shell("true").action)),
        ("a probe of another host", and(Action::Probe(probe))),
        ("a step of no service", vec![step(good().remove(0).action)]),
    ];
    for step in all.iter_mut().flat_map(|(_, steps)| steps) {
        step.risk = step.risk.max(step.action.risk());
    }
    all
}

/// Plans that say what the wire format has no words for: rights of a container, folders of the host.
pub(crate) fn unspeakable(plan: &PlanDocument) -> Vec<(&'static str, Vec<u8>)> {
    let with = |field: &str, value: serde_json::Value| {
        let mut json = serde_json::to_value(plan).unwrap();
        json["steps"][2]["action"]["with"][field] = value;
        serde_json::to_vec(&json).unwrap()
    };
    vec![
        ("all rights", with("privileged", json!(true))),
        ("an extra capability", with("cap_add", json!(["SYS_ADMIN"]))),
        ("a bind mount", with("binds", json!(["/:/host"]))),
        ("a folder of the host as volume", with("volumes", json!([{ "volume": "/etc", "path": "/host" }]))),
        ("the host's network", with("network_mode", json!("host"))),
        ("the host's processes", with("pid_mode", json!("host"))),
        ("a device", with("devices", json!(["/dev/sda"]))),
        ("a published port", with("published", json!([22]))),
    ]
}

/// A server that holds an approved plan with a mandate for the service.
pub(crate) async fn mandated() -> (World, FakeLink) {
    let mut world = World::running();
    let mut link = world.link().await;
    let mut plan = world.plan(
        PlanKind::Provisioning,
        release_steps(checkout(), build("hydron/p-api:1"), release("hydron/p-api:1")),
    );
    plan.mandates = vec![mandate()];
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
    (world, link)
}

#[tokio::test]
async fn a_release_inside_its_mandate_is_accepted() {
    let (mut world, mut link) = mandated().await;
    let steps = release_steps(checkout(), build("hydron/p-api:2"), release("hydron/p-api:2"));
    let plan = world.plan(PlanKind::Release, steps);
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
    // An image that an accepted plan builds for this service may be released again, with other variables say.
    let plan = world.plan(PlanKind::Release, vec![of_service(Action::Release(release("hydron/p-api:1")))]);
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
}

#[tokio::test]
async fn a_release_without_a_mandate_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let steps = release_steps(checkout(), build("hydron/p-api:2"), release("hydron/p-api:2"));
    let plan = world.plan(PlanKind::Release, steps);
    let signed = world.sign(&plan);
    assert_eq!(link.offer(&signed).await.code, "NO_MANDATE");
}

#[tokio::test]
async fn a_release_outside_its_mandate_is_refused_field_by_field() {
    let (mut world, mut link) = mandated().await;
    for (what, steps) in outside() {
        let plan = world.plan(PlanKind::Release, steps);
        let signed = world.sign(&plan);
        assert_eq!(link.offer(&signed).await.code, "OUTSIDE_MANDATE", "{what}");
    }
}

#[tokio::test]
async fn a_release_has_no_place_for_what_no_field_names() {
    let (mut world, mut link) = mandated().await;
    let plan = world.plan(PlanKind::Release, good());
    for (what, bytes) in unspeakable(&plan) {
        let draft = EnvelopeDraft { plan: bytes, ..world.draft(&plan) };
        let signed = world.sign_draft(draft);
        assert_eq!(link.offer(&signed).await.code, "MALFORMED", "{what}");
    }
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
}

#[tokio::test]
async fn a_mandate_ends_with_its_time() {
    let mut world = World::running();
    let mut link = world.link().await;
    let steps = release_steps(checkout(), build("hydron/p-api:1"), release("hydron/p-api:1"));
    let mut plan = world.plan(PlanKind::Provisioning, steps.clone());
    plan.mandates = vec![Mandate { valid_until_unix_ms: now_ms() - 1, ..mandate() }];
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
    let plan = world.plan(PlanKind::Release, steps);
    let signed = world.sign(&plan);
    assert_eq!(link.offer(&signed).await.code, "OUTSIDE_MANDATE");
}
