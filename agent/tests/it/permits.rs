//! Permits that must start nothing, each refused with its own code.

use hydron_proto::envelope::EnvelopeDraft;
use hydron_proto::plan::PlanKind;
use hydron_proto::wire::{self, RangeEnd, StepOutcome, to_executor};
use prost::Message as _;

use crate::world::{FakeLink, Signed, World, command, lines, now_ms, permit, results, shell};

/// A run of three counting steps that is held and not started.
async fn held(world: &mut World) -> (Signed, FakeLink) {
    let script = format!("echo x >> {}", world.path("counter").display());
    let run = world.shell_run(&[&script, &script, &script]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    (run, link)
}

async fn refused(link: &mut FakeLink, permit: wire::Permit, code: &str) {
    let epoch = permit.epoch;
    link.permit(permit).await;
    let decision = link.decision().await;
    assert_eq!((decision.code.as_str(), decision.epoch), (code, epoch));
    assert_eq!(decision.subject(), wire::DecisionSubject::Permit);
}

#[tokio::test]
async fn a_permit_must_fit_the_envelope_the_order_and_the_attempt() {
    let mut world = World::running();
    let (run, mut link) = held(&mut world).await;
    let stranger = world.shell_run(&["true"]);
    refused(&mut link, permit(&stranger, 0, 0), "UNKNOWN_RUN").await;
    refused(&mut link, wire::Permit { run_id: "nonsense".into(), ..permit(&run, 0, 0) }, "UNKNOWN_RUN").await;
    refused(
        &mut link,
        wire::Permit { envelope_digest: vec![0; 32], ..permit(&run, 0, 0) },
        "DIGEST_MISMATCH",
    )
    .await;
    refused(&mut link, permit(&run, 0, 3), "NO_SUCH_STEP").await;
    refused(&mut link, permit(&run, 2, 1), "NO_SUCH_STEP").await;
    refused(&mut link, permit(&run, 0, u32::MAX), "NO_SUCH_STEP").await;
    refused(&mut link, permit(&run, 1, 1), "OUT_OF_ORDER").await;
    refused(&mut link, wire::Permit { attempt: 2, ..permit(&run, 0, 0) }, "WRONG_ATTEMPT").await;
    refused(&mut link, wire::Permit { attempt: 0, ..permit(&run, 0, 0) }, "WRONG_ATTEMPT").await;
    assert_eq!(lines(&world.path("counter")), 0);
    link.permit(permit(&run, 0, 1)).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    refused(&mut link, wire::Permit { attempt: 2, ..permit(&run, 1, 2) }, "ALREADY_DONE").await;
    refused(&mut link, permit(&run, 1, 2), "ALREADY_DONE").await;
    assert_eq!(lines(&world.path("counter")), 2);
}

#[tokio::test]
async fn a_lower_epoch_than_one_seen_has_no_effect() {
    let mut world = World::running();
    let (run, mut link) = held(&mut world).await;
    link.permit(wire::Permit { epoch: 5, ..permit(&run, 0, 0) }).await;
    link.events_until_range_end().await;
    refused(&mut link, wire::Permit { epoch: 4, ..permit(&run, 1, 1) }, "STALE_EPOCH").await;
    for control in [
        to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 4 }),
        to_executor::Body::Cancel(wire::Cancel { command: Some(command(&run, 0, 1)), epoch: 4, grace_ms: 0 }),
        to_executor::Body::Confirm(wire::Confirm { command: Some(command(&run, 0, 1)), epoch: 4 }),
    ] {
        link.send(control).await;
        assert_eq!(link.decision().await.code, "STALE_EPOCH");
    }
    // An epoch counts from any message, and also after a restart.
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 9 })).await;
    assert_eq!(link.decision().await.code, "");
    world.kill_executor();
    world.start_executor();
    let mut link = world.link().await;
    refused(&mut link, wire::Permit { epoch: 8, ..permit(&run, 1, 1) }, "STALE_EPOCH").await;
    let of_nothing = wire::Cancel { command: Some(command(&run, 1, 1)), epoch: 11, grace_ms: 0 };
    link.send(to_executor::Body::Cancel(of_nothing)).await;
    assert_eq!(link.decision().await.code, "");
    refused(&mut link, wire::Permit { epoch: 10, ..permit(&run, 1, 1) }, "STALE_EPOCH").await;
    // The permit that was walked comes again and starts nothing; its epoch counts all the same.
    link.permit(wire::Permit { epoch: 13, ..permit(&run, 0, 0) }).await;
    refused(&mut link, wire::Permit { epoch: 12, ..permit(&run, 1, 1) }, "STALE_EPOCH").await;
    world.kill_executor();
    world.start_executor();
    let mut link = world.link().await;
    refused(&mut link, wire::Permit { epoch: 12, ..permit(&run, 1, 1) }, "STALE_EPOCH").await;
    assert_eq!(lines(&world.path("counter")), 1);
}

#[tokio::test]
async fn the_same_permit_twice_starts_its_steps_once_and_is_not_answered() {
    let mut world = World::running();
    let (run, mut link) = held(&mut world).await;
    for _ in 0..3 {
        link.permit(permit(&run, 0, 1)).await;
    }
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(results(&events), [(0, 1, StepOutcome::Succeeded), (1, 1, StepOutcome::Succeeded)]);
    link.permit(wire::Permit { epoch: 2, ..permit(&run, 0, 1) }).await;
    link.permit(wire::Permit { epoch: 2, ..permit(&run, 2, 2) }).await;
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(results(&events), [(2, 1, StepOutcome::Succeeded)]);
    assert_eq!(lines(&world.path("counter")), 3);
}

#[tokio::test]
async fn another_range_has_to_wait_until_the_first_is_over() {
    let mut world = World::running();
    let go = world.path("go");
    let run = world.shell_run(&[&format!("while ! test -e {}; do sleep 0.02; done", go.display()), "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    link.until_started(0).await;
    refused(&mut link, permit(&run, 0, 1), "BUSY").await;
    std::fs::write(&go, "").unwrap();
    link.events_until_range_end().await;
}

#[tokio::test]
async fn a_plan_that_was_not_started_in_time_does_not_start_and_a_started_one_goes_on() {
    let mut world = World::running();
    let plan = world.plan(PlanKind::Provisioning, vec![shell("true"), shell("true")]);
    let expires_unix_ms = now_ms() + 1500;
    let late = EnvelopeDraft { expires_unix_ms, ..world.draft(&plan) };
    let late = world.sign_draft(late);
    let started = EnvelopeDraft { expires_unix_ms, ..world.draft(&plan) };
    let started = world.sign_draft(started);
    let mut link = world.link().await;
    link.accepted(&late).await;
    link.accepted(&started).await;
    link.permit(permit(&started, 0, 0)).await;
    link.events_until_range_end().await;
    crate::world::eventually("the envelopes expire", || now_ms() > expires_unix_ms).await;
    refused(&mut link, permit(&late, 0, 0), "EXPIRED").await;
    link.permit(permit(&started, 1, 1)).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
}

#[tokio::test]
async fn a_plan_that_was_changed_on_disk_does_not_run() {
    let mut world = World::running();
    let (run, mut link) = held(&mut world).await;
    let path = world.root().run(run.run).join("envelope");
    let mut signed = wire::SignedEnvelope::decode(std::fs::read(&path).unwrap().as_slice()).unwrap();
    let at = signed.envelope.windows(4).position(|window| window == b"echo").unwrap();
    signed.envelope[at..at + 4].copy_from_slice(b"evil");
    std::fs::write(&path, signed.encode_to_vec()).unwrap();
    link.permit(permit(&run, 0, 2)).await;
    assert_eq!(link.decision().await.code, "BAD_SIGNATURE");
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Held);
    assert_eq!(results(&events), []);
    assert_eq!(lines(&world.path("counter")), 0);
}

#[tokio::test]
async fn a_policy_that_is_narrowed_holds_a_run_before_its_next_step() {
    let mut world = World::running();
    let (go, counter) = (world.path("go"), world.path("counter"));
    let waiting =
        format!("while ! test -e {}; do sleep 0.02; done; echo x >> {}", go.display(), counter.display());
    let run = world.shell_run(&[&waiting, &format!("echo x >> {}", counter.display())]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 1)).await;
    link.until_started(0).await;
    world.policy("mode = 'locked'");
    std::fs::write(&go, "").unwrap();
    assert_eq!(link.decision().await.code, "POLICY");
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::Held, 1));
    assert_eq!(results(&events), [(0, 1, StepOutcome::Succeeded)]);
    // Widened again, it goes on from there.
    world.policy("mode = 'manage'");
    link.permit(permit(&run, 1, 1)).await;
    link.events_until_range_end().await;
    assert_eq!(lines(&counter), 2);
}
