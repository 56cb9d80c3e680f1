//! What a plan document may not be, and what it says about risks and secrets.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::names::AbsolutePath;

fn step(action: Action) -> Step {
    Step {
        title: "step".into(),
        phase: Phase::Provisioning,
        service: None,
        action,
        risk: Risk::R2,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}

fn engine() -> Step {
    step(Action::DockerEngine(DockerEngine { install: false }))
}

fn inventory() -> Step {
    step(Action::Operate(Operation::Inventory {}))
}

fn plan(kind: PlanKind, steps: Vec<Step>) -> PlanDocument {
    PlanDocument {
        version: PLAN_VERSION,
        kind,
        team: TeamId::new(1, [1; 10]),
        project: ProjectId::new(1, [2; 10]),
        server: ServerId::new(1, [3; 10]),
        steps,
        mandates: vec![],
        repair: RepairBounds { per_step: 0, per_run: 0 },
    }
}

fn mandate() -> Mandate {
    Mandate {
        service: crate::ids::ServiceId::new(1, [5; 10]),
        name: "api".parse().unwrap(),
        source: SourceRule::Image { repository: "nginx".parse().unwrap() },
        image: "hydron/prj-api".parse().unwrap(),
        build_memory_mb: 0,
        kinds: BTreeMap::new(),
        networks: [].into(),
        volumes: vec![],
        ports: [].into(),
        hosts: [].into(),
        env: [].into(),
        secrets: [].into(),
        command: None,
        pre_deploy: None,
        limits: Limits { memory_mb: 1, cpu_milli: 1, pids: 1 },
        health: Health { check: HealthKind::Running {}, successes: 1, interval_ms: 1, deadline_s: 1 },
        order: ReleaseOrder::StartFirst,
        bake_s: 0,
        drain_s: 0,
        stop_grace_s: 0,
        valid_until_unix_ms: 1,
    }
}

fn secret(name: &str, version: u32) -> SecretRef {
    SecretRef { name: name.parse().unwrap(), version }
}

#[test]
fn a_plan_has_one_to_500_steps_of_this_version() {
    let of = |steps| plan(PlanKind::Provisioning, vec![engine(); steps]).to_bytes();
    assert!(of(0).is_err());
    assert!(of(1).is_ok());
    assert!(of(MAX_STEPS).is_ok());
    assert!(of(MAX_STEPS + 1).is_err());
    assert!(PlanDocument { version: 2, ..plan(PlanKind::Provisioning, vec![engine()]) }.to_bytes().is_err());
}

#[test]
fn a_stored_plan_is_checked_again_when_it_is_read() {
    let bytes = serde_json::to_vec(&plan(PlanKind::Provisioning, vec![])).unwrap();
    assert!(matches!(PlanDocument::from_bytes(&bytes), Err(InvalidPlan::Inconsistent(_))));
}

#[test]
fn only_a_provisioning_plan_carries_mandates() {
    let with = |kind, step| PlanDocument { mandates: vec![mandate()], ..plan(kind, vec![step]) }.to_bytes();
    assert!(with(PlanKind::Provisioning, engine()).is_ok());
    assert!(with(PlanKind::Release, engine()).is_err());
    assert!(with(PlanKind::Operation, inventory()).is_err());
    assert!(plan(PlanKind::Release, vec![engine()]).to_bytes().is_ok());
}

#[test]
fn an_operation_is_one_step_and_stands_in_no_other_plan() {
    assert!(plan(PlanKind::Operation, vec![inventory()]).to_bytes().is_ok());
    assert!(plan(PlanKind::Operation, vec![inventory(), inventory()]).to_bytes().is_err());
    assert!(plan(PlanKind::Operation, vec![engine()]).to_bytes().is_err());
    assert!(plan(PlanKind::Release, vec![engine(), inventory()]).to_bytes().is_err());
    assert!(plan(PlanKind::Provisioning, vec![inventory()]).to_bytes().is_err());
}

#[test]
fn what_is_written_outside_of_the_product_s_own_directory_is_the_highest_risk() {
    let at = |path: &str| path.parse::<AbsolutePath>().unwrap();
    let file = |path| Action::File(File { path: at(path), content: String::new(), mode: 0o644 }).risk();
    let directory = |path| Action::Directory(Directory { path: at(path), mode: 0o755 }).risk();
    assert_eq!((file("/var/lib/hydron/x"), file("/etc/passwd")), (Risk::R1, Risk::R3));
    assert_eq!((directory("/var/lib/hydron/x"), directory("/var/lib/hydronx")), (Risk::R1, Risk::R3));
}

#[test]
fn a_plan_names_every_secret_of_its_steps_once() {
    let env = |secret| vec![EnvVar { name: "X".parse().unwrap(), value: vec![EnvPart::Secret(secret)] }];
    let shell =
        |secret| step(Action::Shell(Shell { script: "true".into(), env: env(secret), expect: vec![0] }));
    let pull = |secret| {
        step(Action::ImagePull(ImagePull { image: "nginx".parse().unwrap(), credential: Some(secret) }))
    };
    let steps = vec![
        shell(secret("b/x", 1)),
        pull(secret("a/x", 1)),
        shell(secret("b/x", 1)),
        shell(secret("b/x", 2)),
    ];
    let plan = plan(PlanKind::Provisioning, steps);
    assert_eq!(plan.secrets(), [&secret("a/x", 1), &secret("b/x", 1), &secret("b/x", 2)]);
}

#[test]
fn a_variable_is_its_text_and_its_secrets_in_order_and_nothing_when_one_is_missing() {
    let value =
        vec![EnvPart::Text("u:".into()), EnvPart::Secret(secret("a/x", 1)), EnvPart::Text("@h".into())];
    let var = EnvVar { name: "URL".parse().unwrap(), value };
    let given =
        |version, bytes: &[u8]| BTreeMap::from([(secret("a/x", version), Zeroizing::new(bytes.to_vec()))]);
    assert_eq!(var.resolve(&given(1, b"pw")).unwrap().as_str(), "URL=u:pw@h");
    assert!(var.resolve(&given(2, b"pw")).is_err(), "another version is another secret");
    assert!(var.resolve(&given(1, b"\xff")).is_err());
}
