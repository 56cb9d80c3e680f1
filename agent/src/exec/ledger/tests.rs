//! What was accepted is remembered for as long as it matters, whatever is accepted after it, and after a restart.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ProjectId, RunId, ServerId, TeamId};
use hydron_proto::plan::{
    ActionKind, Dockerfile, EnvPart, EnvVar, Health, HealthKind, ImageBuild, InterruptPolicy, Limits, Phase,
    PlanDocument, PlanKind, ReleaseImage, ReleaseOrder, RepairBounds, Risk, SourceRule, Step, StepRule, Undo,
};

use super::*;

const NOW: i64 = 1_000_000;

pub(in crate::exec) fn service(number: u8) -> ServiceId {
    ServiceId::new(1, [number; 10])
}

pub(in crate::exec) fn mandate(of: u8, memory_mb: u32) -> Mandate {
    let rule = StepRule { timeout_s: 60, on_interrupt: InterruptPolicy::Ask, undo: Undo::None };
    Mandate {
        service: service(of),
        name: "api".parse().unwrap(),
        source: SourceRule::Image { repository: "example/api".parse().unwrap() },
        image: "hydron/p-api".parse().unwrap(),
        build_memory_mb: memory_mb,
        kinds: [(ActionKind::Release, rule)].into(),
        networks: BTreeSet::new(),
        volumes: vec![],
        ports: BTreeSet::new(),
        hosts: BTreeSet::new(),
        env: BTreeSet::new(),
        secrets: BTreeSet::new(),
        command: None,
        pre_deploy: None,
        limits: limits(),
        health: health(),
        order: ReleaseOrder::StopFirst,
        bake_s: 0,
        drain_s: 0,
        stop_grace_s: 1,
        valid_until_unix_ms: NOW,
    }
}

fn limits() -> Limits {
    Limits { memory_mb: 256, cpu_milli: 500, pids: 100 }
}

fn health() -> Health {
    Health { check: HealthKind::Tcp {}, successes: 1, interval_ms: 100, deadline_s: 5 }
}

pub(in crate::exec) fn secret(name: &str) -> SecretRef {
    SecretRef { name: name.parse().unwrap(), version: 1 }
}

pub(in crate::exec) fn release(of: u8, name: &str, secrets: &[&str]) -> ReleaseSpec {
    let var = |name: &&str| EnvVar {
        name: name.to_uppercase().parse().unwrap(),
        value: vec![EnvPart::Secret(secret(name))],
    };
    ReleaseSpec {
        service: service(of),
        name: name.parse().unwrap(),
        release: ReleaseId::new(1, [of; 10]),
        image: ReleaseImage::Built { tag: "hydron/p-api:1".parse().unwrap() },
        command: None,
        env: secrets.iter().map(var).collect(),
        port: None,
        network: "hy-net".parse().unwrap(),
        volumes: vec![],
        limits: limits(),
        health: health(),
        order: ReleaseOrder::StopFirst,
        pre_deploy: None,
        bake_s: 0,
        drain_s: 0,
        stop_grace_s: 1,
    }
}

fn build(service: &str, tag: &str) -> Action {
    Action::ImageBuild(ImageBuild {
        service: service.parse().unwrap(),
        checkout: None,
        context: "".parse().unwrap(),
        dockerfile: Dockerfile::Inline { content: "FROM scratch".into() },
        args: vec![],
        tag: tag.parse().unwrap(),
        memory_mb: 512,
    })
}

pub(in crate::exec) fn step(action: Action) -> Step {
    Step {
        title: "step".into(),
        phase: Phase::Provisioning,
        service: None,
        action,
        risk: Risk::R3,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}

pub(in crate::exec) fn envelope(sequence: u64, actions: Vec<Action>) -> VerifiedEnvelope {
    VerifiedEnvelope {
        kind: EnvelopeKind::Run,
        run: RunId::new(1, [3; 10]),
        digest: PlanDigest([7; 32]),
        not_before_unix_ms: 0,
        expires_unix_ms: NOW + 10,
        nonce: [u8::try_from(sequence).unwrap(); 16],
        sequence,
        plan: PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: TeamId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            server: ServerId::new(1, [2; 10]),
            steps: actions.into_iter().map(step).collect(),
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        },
    }
}

fn with_mandates(sequence: u64, mandates: Vec<Mandate>) -> VerifiedEnvelope {
    let mut envelope = envelope(sequence, vec![]);
    envelope.plan.mandates = mandates;
    envelope
}

/// A ledger in a directory of its own; [`reopened`] is what the next executor reads.
pub(in crate::exec) fn empty() -> (tempfile::TempDir, Ledger) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&directory.path().join("ledger.json")).unwrap();
    (directory, ledger)
}

fn reopened(ledger: &Ledger) -> Ledger {
    Ledger::open(&ledger.path).unwrap()
}

#[test]
fn only_a_ledger_that_is_not_there_is_an_empty_one() {
    let (directory, _) = empty();
    let path = directory.path().join("ledger.json");
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::Damaged(..))));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::File(..))));
}

#[test]
fn a_nonce_or_a_sequence_that_was_used_is_a_replay() {
    let (_directory, mut ledger) = empty();
    ledger.accept(&envelope(5, vec![]), NOW).unwrap();
    for ledger in [&ledger, &reopened(&ledger)] {
        assert!(ledger.is_replay(&envelope(5, vec![])) && ledger.is_replay(&envelope(4, vec![])));
        assert!(ledger.is_replay(&VerifiedEnvelope { nonce: [5; 16], ..envelope(6, vec![]) }));
        assert!(!ledger.is_replay(&envelope(6, vec![])));
    }
}

/// Longer than its envelope could be taken is never needed, and a ledger that only grows would be written whole each time.
#[test]
fn a_nonce_is_kept_until_its_envelope_has_expired() {
    let (_directory, mut ledger) = empty();
    ledger.accept(&envelope(1, vec![]), NOW).unwrap();
    let again = VerifiedEnvelope { nonce: [1; 16], ..envelope(9, vec![]) };
    ledger.accept(&envelope(2, vec![]), NOW + 9).unwrap();
    assert!(ledger.is_replay(&again));
    ledger.accept(&envelope(3, vec![]), NOW + 10).unwrap();
    assert!(!ledger.is_replay(&again));
}

#[test]
fn an_approved_plan_replaces_the_mandate_of_its_service_and_of_no_other() {
    let (_directory, mut ledger) = empty();
    ledger.accept(&with_mandates(1, vec![mandate(1, 100), mandate(2, 100)]), NOW).unwrap();
    ledger.accept(&with_mandates(2, vec![mandate(1, 200)]), NOW).unwrap();
    assert_eq!(reopened(&ledger).mandates(), [mandate(2, 100), mandate(1, 200)]);
    // What is done under a mandate gives none.
    for kind in [EnvelopeKind::Release, EnvelopeKind::Operation] {
        let widening = VerifiedEnvelope { kind, ..with_mandates(3, vec![mandate(1, 300)]) };
        ledger.accept(&widening, NOW).unwrap();
        assert_eq!(ledger.mandates(), [mandate(2, 100), mandate(1, 200)]);
    }
}

#[test]
fn a_service_is_known_by_what_accepted_plans_build_for_it() {
    let (_directory, mut ledger) = empty();
    let tag = |tag: &str| tag.parse::<ImageRef>().unwrap();
    let plan = |sequence, tag: &str| {
        let release = Action::Release(release(1, "api", &[]));
        envelope(sequence, vec![build("api", tag), build("other", "hydron/p-other:1"), release])
    };
    assert!(!ledger.knows_service(service(1)));
    ledger.accept(&plan(1, "hydron/p-api:1"), NOW).unwrap();
    ledger.accept(&plan(2, "hydron/p-api:2"), NOW).unwrap();
    let ledger = reopened(&ledger);
    assert!(ledger.knows_service(service(1)) && !ledger.knows_service(service(2)));
    for (name, known) in [("hydron/p-api:1", true), ("hydron/p-api:2", true), ("hydron/p-other:1", false)] {
        assert_eq!(ledger.knows_tag(service(1), &tag(name)), known, "{name}");
        assert!(!ledger.knows_tag(service(2), &tag(name)), "{name}");
    }
}

#[test]
fn of_a_services_tags_the_newest_are_remembered_each_once() {
    let (_directory, mut ledger) = empty();
    let plan = |sequence: u64, tag: u64| {
        let tag = format!("hydron/p-api:{tag}");
        envelope(sequence, vec![build("api", &tag), Action::Release(release(1, "api", &[]))])
    };
    for sequence in 1..=60 {
        ledger.accept(&plan(sequence, sequence), NOW).unwrap();
        ledger.accept(&plan(sequence, sequence), NOW).unwrap();
    }
    let tags: Vec<String> = (11..=60).map(|tag| format!("hydron/p-api:{tag}")).collect();
    assert_eq!(
        ledger.content.services[&service(1)].tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        tags
    );
}

#[test]
fn a_release_that_was_live_is_remembered_with_its_secrets() {
    let (_directory, mut ledger) = empty();
    let spec = release(1, "api", &["token"]);
    assert_eq!(ledger.release_secrets(service(1), spec.release), None);
    ledger.note_release(&spec).unwrap();
    ledger.note_release(&release(2, "web", &[])).unwrap();
    let ledger = reopened(&ledger);
    assert_eq!(ledger.release_secrets(service(1), spec.release), Some(&[secret("token")].into()));
    assert_eq!(ledger.release_secrets(service(2), spec.release), None);
    assert_eq!(ledger.release_secrets(service(2), ReleaseId::new(1, [2; 10])), Some(&BTreeSet::new()));
}
