//! A permit that is off by one thing starts nothing, and says by which.

use hydron_proto::envelope::{EnvelopeKind, PlanDigest};
use hydron_proto::ids::{ProjectId, RunId};
use hydron_proto::plan::{
    Action, EnvPart, EnvVar, InterruptPolicy, Phase, PlanDocument, PlanKind, RepairBounds, Risk, Shell, Undo,
};
use hydron_proto::seal::seal;
use zeroize::Zeroizing;

use super::super::run_state::{Range, StepState};
use super::*;
use crate::config::PolicyMode;

const NOW: i64 = 1_000_000;

fn secret(name: &str, version: u32) -> SecretRef {
    SecretRef { name: name.parse().unwrap(), version }
}

/// A shell step that names a secret.
fn step(name: &str) -> Step {
    let token = EnvVar { name: "TOKEN".parse().unwrap(), value: vec![EnvPart::Secret(secret(name, 1))] };
    Step {
        title: "step".into(),
        phase: Phase::Provisioning,
        service: None,
        action: Action::Shell(Shell { script: "true".into(), env: vec![token], expect: vec![0] }),
        risk: Risk::R3,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}

/// A plan of three steps, each with a secret of its own.
fn envelope() -> VerifiedEnvelope {
    VerifiedEnvelope {
        kind: EnvelopeKind::Run,
        run: RunId::new(1, [3; 10]),
        digest: PlanDigest([7; 32]),
        not_before_unix_ms: 0,
        expires_unix_ms: NOW + 1,
        nonce: [5; 16],
        sequence: 1,
        plan: PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: TeamId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            server: ServerId::new(1, [2; 10]),
            steps: vec![step("s/zero"), step("s/one"), step("s/two")],
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        },
    }
}

fn permit(first_step: u32, last_step: u32, attempt: u32) -> wire::Permit {
    let envelope_digest = vec![7; 32];
    wire::Permit { envelope_digest, first_step, last_step, attempt, epoch: 4, ..Default::default() }
}

fn state(change: impl FnOnce(&mut RunState)) -> RunState {
    let mut state = RunState::default();
    change(&mut state);
    state
}

/// The first steps stand so, each after its first attempt.
fn after(phases: &[StepPhase]) -> RunState {
    let steps = phases.iter().zip(0..).map(|(phase, step)| (step, StepState { attempt: 1, phase: *phase }));
    state(|state| state.steps = steps.collect())
}

fn verdict(permit: &wire::Permit, state: &RunState, now_unix_ms: i64) -> Result<Verdict, RejectCode> {
    let policy = Policy::default();
    check(permit, Against { envelope: &envelope(), state, policy: &policy, now_unix_ms })
}

#[test]
fn a_permit_for_the_next_steps_starts_them() {
    assert_eq!(verdict(&permit(0, 2, 1), &after(&[]), NOW), Ok(Verdict::Start));
    assert_eq!(verdict(&permit(1, 2, 1), &after(&[StepPhase::Succeeded]), NOW), Ok(Verdict::Start));
    let interrupted = after(&[StepPhase::Interrupted]);
    assert_eq!(verdict(&permit(1, 1, 1), &interrupted, NOW), Ok(Verdict::Start));
    assert_eq!(verdict(&permit(0, 0, 2), &after(&[StepPhase::Failed]), NOW), Ok(Verdict::Start));
}

#[test]
fn a_permit_of_another_plan_or_an_older_epoch_starts_nothing() {
    let other = wire::Permit { envelope_digest: vec![8; 32], ..permit(0, 0, 1) };
    assert_eq!(verdict(&other, &after(&[]), NOW), Err(RejectCode::DigestMismatch));
    let seen = |epoch| state(|state| state.epoch = epoch);
    assert_eq!(verdict(&permit(0, 0, 1), &seen(5), NOW), Err(RejectCode::StaleEpoch));
    assert_eq!(verdict(&permit(0, 0, 1), &seen(4), NOW), Ok(Verdict::Start));
}

#[test]
fn a_permit_reaches_no_further_than_the_plan() {
    for (first, last) in [(0, 3), (2, 1), (0, u32::MAX), (3, 3)] {
        let beyond = permit(first, last, 1);
        assert_eq!(verdict(&beyond, &after(&[]), NOW), Err(RejectCode::NoSuchStep), "{first} to {last}");
    }
}

#[test]
fn no_step_is_passed_over_done_again_or_tried_with_another_number() {
    use StepPhase::{Failed, Started, Succeeded};
    assert_eq!(verdict(&permit(1, 1, 1), &after(&[]), NOW), Err(RejectCode::OutOfOrder));
    for before in [Failed, Started] {
        assert_eq!(verdict(&permit(1, 1, 1), &after(&[before]), NOW), Err(RejectCode::OutOfOrder));
    }
    let done = after(&[Succeeded, Succeeded]);
    assert_eq!(verdict(&permit(1, 2, 2), &done, NOW), Err(RejectCode::AlreadyDone));
    let done_later = after(&[Failed, Succeeded]);
    assert_eq!(verdict(&permit(0, 2, 2), &done_later, NOW), Err(RejectCode::AlreadyDone));
    for attempt in [0, 1, 3] {
        let numbered = permit(0, 0, attempt);
        assert_eq!(verdict(&numbered, &after(&[Failed]), NOW), Err(RejectCode::WrongAttempt), "{attempt}");
    }
}

#[test]
fn a_plan_starts_before_its_end_and_a_started_one_goes_on_after_it() {
    assert_eq!(verdict(&permit(0, 0, 1), &after(&[]), NOW + 1), Err(RejectCode::Expired));
    let started = after(&[StepPhase::Succeeded]);
    assert_eq!(verdict(&permit(1, 1, 1), &started, NOW + 1), Ok(Verdict::Start));
}

#[test]
fn the_policy_of_the_server_is_asked_about_every_step_of_the_range() {
    let locked = Policy { mode: PolicyMode::Locked, ..Policy::default() };
    let against = |policy| {
        let (envelope, state) = (envelope(), after(&[]));
        check(&permit(0, 0, 1), Against { envelope: &envelope, state: &state, policy, now_unix_ms: NOW })
    };
    assert_eq!(against(&locked), Err(RejectCode::Policy));
    assert_eq!(against(&Policy::default()), Ok(Verdict::Start));
}

#[test]
fn the_very_permit_that_is_walked_or_was_begun_is_a_repetition_and_any_other_waits() {
    let walked = permit(0, 1, 1);
    let walking = state(|state| {
        state.last_permit = Some(PermitKey::of(&walked));
        state.range = Some(Range { permit: walked.clone(), next: 0 });
    });
    assert_eq!(verdict(&walked, &walking, NOW), Ok(Verdict::Repeated));
    assert_eq!(verdict(&permit(0, 2, 1), &walking, NOW), Err(RejectCode::Busy));
    let begun = state(|state| {
        state.last_permit = Some(PermitKey::of(&walked));
        state.steps = [(0, StepState { attempt: 1, phase: StepPhase::Failed })].into();
    });
    assert_eq!(verdict(&walked, &begun, NOW), Ok(Verdict::Repeated));
    let retry = permit(0, 1, 2);
    assert_eq!(verdict(&retry, &begun, NOW), Ok(Verdict::Start));
    let never_begun = state(|state| state.last_permit = Some(PermitKey::of(&walked)));
    assert_eq!(verdict(&walked, &never_begun, NOW), Ok(Verdict::Start));
    let only_its_steps = after(&[StepPhase::Failed]);
    assert_eq!(verdict(&walked, &only_its_steps, NOW), Err(RejectCode::WrongAttempt));
}

#[test]
fn a_permit_brings_the_secrets_of_its_own_steps_and_no_others() {
    let (key, envelope) = (SealingKey::derive(&Zeroizing::new([1; 32])), envelope());
    let (team, server) = (envelope.plan.team, envelope.plan.server);
    let opener = Opener { key: &key, team, server, envelope: &envelope };
    let sealed = |name: &str, version| {
        let secret = secret(name, version);
        let place = SealContext { team, server, run: envelope.run, name: &secret.name, version };
        seal(&key.public_bytes(), &place, &Zeroizing::new(b"canary".to_vec())).unwrap()
    };
    let with = |secrets| wire::Permit { secrets, ..permit(1, 2, 1) };
    let own = vec![sealed("s/one", 1), sealed("s/two", 1)];
    assert_eq!(opener.check(&with(own.clone())), Ok(()));
    let clear = opener.open(&with(own.clone()), &envelope.plan.steps[1]).unwrap();
    assert_eq!(clear.keys().collect::<Vec<_>>(), [&secret("s/one", 1)]);
    assert_eq!(clear[&secret("s/one", 1)].as_slice(), b"canary");
    for strange in [sealed("s/zero", 1), sealed("s/one", 2), sealed("s/other", 1)] {
        let more = with([own.clone(), vec![strange]].concat());
        assert_eq!(opener.check(&more), Err(RejectCode::Secret));
    }
    assert_eq!(opener.check(&with(own[..1].to_vec())), Err(RejectCode::Secret));
    assert_eq!(opener.check(&with(vec![sealed("s/one", 1), sealed("s/two", 2)])), Err(RejectCode::Secret));
    let mut swapped = own;
    swapped[0].ciphertext = swapped[1].ciphertext.clone();
    assert_eq!(opener.check(&with(swapped)), Err(RejectCode::Secret));
}
