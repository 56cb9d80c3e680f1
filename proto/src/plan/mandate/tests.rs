//! A release that keeps every promise is inside; one that breaks a single one, whichever, is outside.

use super::*;
use crate::ids::{ProjectId, ReleaseId, ServerId, TeamId};
use crate::plan::{
    EnvPart, EnvVar, HealthKind, Limits, Network, Phase, RepairBounds, Risk, SecretRef, VolumeMount,
};

const NOW: i64 = 1_000_000;

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn service() -> ServiceId {
    ServiceId::new(1, [5; 10])
}

fn secret(text: &str) -> SecretRef {
    SecretRef { name: name(text), version: 1 }
}

fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { volume: name(volume), path: name(path) }
}

fn mandate() -> Mandate {
    let rule = StepRule { timeout_s: 60, on_interrupt: InterruptPolicy::CheckThenRerun, undo: Undo::Own };
    Mandate {
        service: service(),
        name: name("api"),
        source: SourceRule::Git {
            url: name("https://git.example.org/team/api.git"),
            reference: name("main"),
            context: name("app"),
            dockerfile: DockerfileRule::Repository { path: name("Dockerfile") },
        },
        image: name("hydron/prj-api"),
        build_memory_mb: 512,
        kinds: [
            ActionKind::GitCheckout,
            ActionKind::ImageBuild,
            ActionKind::ImagePull,
            ActionKind::Release,
            ActionKind::Probe,
            ActionKind::Network,
        ]
        .map(|kind| (kind, rule))
        .into(),
        networks: [name("hy-net")].into(),
        volumes: vec![mount("data", "/data")],
        ports: [8000].into(),
        hosts: [name("api.example.org")].into(),
        env: [name("PORT"), name("TOKEN")].into(),
        secrets: [name("api/token")].into(),
        command: Some(vec!["serve".into()]),
        pre_deploy: Some(vec!["migrate".into()]),
        limits: Limits { memory_mb: 256, cpu_milli: 500, pids: 100 },
        health: health(),
        order: ReleaseOrder::StartFirst,
        bake_s: 3,
        drain_s: 2,
        stop_grace_s: 1,
        valid_until_unix_ms: NOW + 1,
    }
}

fn health() -> Health {
    Health { check: HealthKind::Tcp {}, successes: 1, interval_ms: 100, deadline_s: 5 }
}

fn checkout() -> GitCheckout {
    GitCheckout {
        url: name("https://git.example.org/team/api.git"),
        reference: name("main"),
        commit: name(&"a".repeat(40)),
        credential: Some(secret("api/token")),
        checkout: name("api"),
    }
}

fn build() -> ImageBuild {
    ImageBuild {
        service: name("api"),
        checkout: Some(name("api")),
        context: name("app"),
        dockerfile: Dockerfile::Repository { path: name("Dockerfile") },
        args: vec![],
        tag: name("hydron/prj-api:abc"),
        memory_mb: 512,
    }
}

fn release() -> ReleaseSpec {
    ReleaseSpec {
        service: service(),
        name: name("api"),
        release: ReleaseId::new(1, [6; 10]),
        image: ReleaseImage::Built { tag: name("hydron/prj-api:abc") },
        command: Some(vec!["serve".into()]),
        env: vec![
            EnvVar::literal(name("PORT"), "8000"),
            EnvVar { name: name("TOKEN"), value: vec![EnvPart::Secret(secret("api/token"))] },
        ],
        port: Some(8000),
        network: name("hy-net"),
        volumes: vec![mount("data", "/data")],
        limits: Limits { memory_mb: 256, cpu_milli: 500, pids: 100 },
        health: health(),
        order: ReleaseOrder::StartFirst,
        pre_deploy: Some(vec!["migrate".into()]),
        bake_s: 3,
        drain_s: 2,
        stop_grace_s: 1,
    }
}

fn probe(host: &str) -> Action {
    Action::Probe(Probe { host: name(host), path: "/".into(), status_from: 200, status_to: 399, tries: 3 })
}

fn step(action: Action) -> Step {
    Step {
        title: "step".into(),
        phase: Phase::Deploy,
        service: Some(service()),
        action,
        risk: Risk::R2,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::CheckThenRerun,
        undo: Undo::Own,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}

fn plan(steps: Vec<Step>) -> PlanDocument {
    PlanDocument {
        version: 1,
        kind: PlanKind::Release,
        team: TeamId::new(1, [1; 10]),
        project: ProjectId::new(1, [2; 10]),
        server: ServerId::new(1, [3; 10]),
        steps,
        mandates: vec![],
        repair: RepairBounds { per_step: 0, per_run: 0 },
    }
}

fn whole_release() -> PlanDocument {
    let actions = [
        Action::GitCheckout(checkout()),
        Action::ImageBuild(build()),
        Action::Release(release()),
        probe("api.example.org"),
    ];
    plan(actions.map(step).into())
}

fn verdict(mandate: Mandate, action: Action) -> Result<(), RejectCode> {
    admit_release(&[mandate], &plan(vec![step(action)]), NOW)
}

/// The action as it stands is inside, and each change alone takes it outside.
fn each_leads_outside<T: Clone>(
    mandate: &Mandate,
    right: &T,
    action: fn(T) -> Action,
    changes: &[fn(&mut T)],
) {
    assert_eq!(verdict(mandate.clone(), action(right.clone())), Ok(()));
    for (number, change) in changes.iter().enumerate() {
        let mut changed = right.clone();
        change(&mut changed);
        assert_eq!(
            verdict(mandate.clone(), action(changed)),
            Err(RejectCode::OutsideMandate),
            "change {number}"
        );
    }
}

#[test]
fn a_release_that_keeps_every_promise_is_inside_until_the_mandate_ends() {
    assert_eq!(admit_release(&[mandate()], &whole_release(), NOW), Ok(()));
    assert_eq!(admit_release(&[mandate()], &whole_release(), NOW + 1), Err(RejectCode::OutsideMandate));
    let provisioning = PlanDocument { kind: PlanKind::Provisioning, ..whole_release() };
    assert_eq!(admit_release(&[mandate()], &provisioning, NOW), Err(RejectCode::OutsideMandate));
}

#[test]
fn each_service_of_a_plan_is_held_against_its_own_mandate() {
    let other = ServiceId::new(1, [9; 10]);
    let theirs = Mandate { service: other, hosts: [name("web.example.org")].into(), ..mandate() };
    let mut both = whole_release();
    both.steps.push(Step { service: Some(other), ..step(probe("web.example.org")) });
    assert_eq!(admit_release(&[theirs.clone(), mandate()], &both, NOW), Ok(()));
    assert_eq!(admit_release(&[mandate()], &both, NOW), Err(RejectCode::NoMandate));
    both.steps.push(Step { service: Some(other), ..step(probe("api.example.org")) });
    assert_eq!(admit_release(&[mandate(), theirs], &both, NOW), Err(RejectCode::OutsideMandate));
    let nobodys = plan(vec![Step { service: None, ..step(probe("api.example.org")) }]);
    assert_eq!(admit_release(&[mandate()], &nobodys, NOW), Err(RejectCode::OutsideMandate));
}

#[test]
fn a_step_whose_promise_differs_is_outside() {
    let changes: [fn(&mut Step); 5] = [
        |step| step.timeout_s = 61,
        |step| step.on_interrupt = InterruptPolicy::Rerun,
        |step| step.undo = Undo::None,
        |step| step.guarded = true,
        |step| step.service = Some(ServiceId::new(1, [9; 10])),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = step(probe("api.example.org"));
        change(&mut changed);
        let verdict = mandate().admits(&plan(vec![changed]), NOW);
        assert_eq!(verdict, Err(RejectCode::OutsideMandate), "change {number}");
    }
    let shorter = Step { timeout_s: 1, ..step(probe("api.example.org")) };
    assert_eq!(mandate().admits(&plan(vec![shorter]), NOW), Ok(()));
}

#[test]
fn a_kind_without_a_rule_is_outside_and_so_is_one_that_no_release_needs() {
    let mut narrow = mandate();
    narrow.kinds.remove(&ActionKind::Probe);
    assert_eq!(verdict(narrow, probe("api.example.org")), Err(RejectCode::OutsideMandate));
    assert_eq!(verdict(mandate(), probe("evil.example.org")), Err(RejectCode::OutsideMandate));
    let network = Action::Network(Network { name: name("hy-net") });
    assert_eq!(verdict(mandate(), network), Err(RejectCode::OutsideMandate));
}

#[test]
fn a_checkout_comes_from_the_known_ref_of_the_known_repository_with_a_known_secret() {
    each_leads_outside(
        &mandate(),
        &checkout(),
        Action::GitCheckout,
        &[
            |checkout| checkout.url = name("https://git.example.org/team/evil.git"),
            |checkout| checkout.reference = name("evil"),
            |checkout| checkout.credential = Some(secret("other/token")),
        ],
    );
    let newer = GitCheckout { commit: name(&"b".repeat(40)), ..checkout() };
    assert_eq!(verdict(mandate(), Action::GitCheckout(newer)), Ok(()));
}

#[test]
fn a_build_keeps_its_source_its_dockerfile_its_tag_and_its_memory() {
    each_leads_outside(
        &mandate(),
        &build(),
        Action::ImageBuild,
        &[
            |build| build.checkout = None,
            |build| build.context = name(""),
            |build| build.dockerfile = Dockerfile::Repository { path: name("Dockerfile.evil") },
            |build| build.dockerfile = Dockerfile::Inline { content: "FROM evil".into() },
            |build| build.service = name("web"),
            |build| build.args = vec![EnvVar::literal(name("PORT"), "1")],
            |build| build.tag = name("hydron/prj-web:abc"),
            |build| build.tag = name("hydron/prj-api/web:abc"),
            |build| build.tag = name("hydron/prj-api"),
            |build| build.memory_mb = 513,
        ],
    );
    let smaller = ImageBuild { memory_mb: 511, ..build() };
    assert_eq!(verdict(mandate(), Action::ImageBuild(smaller)), Ok(()));
}

#[test]
fn a_build_from_text_alone_keeps_its_text_and_takes_no_checkout() {
    let rule = DockerfileRule::Inline { content: "FROM known".into() };
    let mandate = Mandate { source: SourceRule::Dockerfile { dockerfile: rule }, ..mandate() };
    let dockerfile = Dockerfile::Inline { content: "FROM known".into() };
    let build = ImageBuild { checkout: None, dockerfile, ..build() };
    each_leads_outside(
        &mandate,
        &build,
        Action::ImageBuild,
        &[
            |build| build.checkout = Some(name("api")),
            |build| build.dockerfile = Dockerfile::Inline { content: "FROM evil".into() },
            |build| build.dockerfile = Dockerfile::Repository { path: name("Dockerfile") },
        ],
    );
    assert_eq!(verdict(mandate, Action::GitCheckout(checkout())), Err(RejectCode::OutsideMandate));
}

#[test]
fn a_release_keeps_every_field_that_was_approved() {
    each_leads_outside(
        &mandate(),
        &release(),
        Action::Release,
        &[
            |release| release.service = ServiceId::new(1, [9; 10]),
            |release| release.name = name("web"),
            |release| release.image = ReleaseImage::Built { tag: name("hydron/prj-web:abc") },
            |release| release.image = ReleaseImage::Pulled { image: name("hydron/prj-api:abc") },
            |release| release.command = None,
            |release| release.env = vec![EnvVar::literal(name("NEW"), "1")],
            |release| {
                release.env =
                    vec![EnvVar { name: name("TOKEN"), value: vec![EnvPart::Secret(secret("other/token"))] }];
            },
            |release| release.port = Some(8001),
            |release| release.network = name("hy-other"),
            |release| release.volumes = vec![mount("data", "/etc")],
            |release| release.volumes.push(mount("other", "/data")),
            |release| release.limits.memory_mb = 257,
            |release| release.limits.cpu_milli = 501,
            |release| release.limits.pids = 101,
            |release| release.health.successes = 0,
            |release| release.order = ReleaseOrder::StopFirst,
            |release| release.pre_deploy = None,
            |release| release.bake_s = 2,
            |release| release.drain_s = 1,
            |release| release.stop_grace_s = 0,
        ],
    );
}

#[test]
fn a_release_may_ask_for_less_than_it_was_given() {
    let limits = Limits { memory_mb: 1, cpu_milli: 1, pids: 1 };
    let less = ReleaseSpec { limits, port: None, env: vec![], volumes: vec![], ..release() };
    assert_eq!(verdict(mandate(), Action::Release(less)), Ok(()));
}

#[test]
fn a_pulled_image_is_a_version_of_the_known_one() {
    let mandate = Mandate { source: SourceRule::Image { repository: name("postgres") }, ..mandate() };
    let pull = |image: &str| Action::ImagePull(ImagePull { image: name(image), credential: None });
    let digest = format!("postgres@sha256:{}", "a".repeat(64));
    for known in ["postgres", "postgres:15", &digest] {
        assert_eq!(verdict(mandate.clone(), pull(known)), Ok(()), "{known}");
        let release = ReleaseSpec { image: ReleaseImage::Pulled { image: name(known) }, ..release() };
        assert_eq!(verdict(mandate.clone(), Action::Release(release)), Ok(()), "{known}");
    }
    for strange in ["postgres-evil", "postgres/evil:15", "mysql", "evil/postgres"] {
        assert_eq!(verdict(mandate.clone(), pull(strange)), Err(RejectCode::OutsideMandate), "{strange}");
    }
    let built = Mandate { image: name("postgres"), ..mandate };
    let tag = ReleaseSpec { image: ReleaseImage::Built { tag: name("postgres:15") }, ..release() };
    assert_eq!(verdict(built.clone(), Action::Release(tag)), Err(RejectCode::OutsideMandate));
    assert_eq!(verdict(built, Action::ImageBuild(build())), Err(RejectCode::OutsideMandate));
}
