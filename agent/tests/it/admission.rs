//! Envelopes that must not come in, each refused at its own check and with its own code; nothing is ever executed.

use ed25519_dalek::SigningKey;
use hydron_proto::envelope::{EnvelopeDraft, EnvelopeKind, sign};
use hydron_proto::ids::{ReleaseId, ServerId, ServiceId, TeamId};
use hydron_proto::plan::{Action, Operation, PlanKind, Risk, Step};
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, SignedEnvelope, to_executor};
use prost::Message as _;

use crate::mandates::{mandated, service};
use crate::world::{FakeLink, Signed, World, command, lines, now_ms, permit, shell, step};

/// A plan whose step would leave a trace.
fn tracer(world: &World) -> hydron_proto::plan::PlanDocument {
    let script = format!("echo executed >> {}", world.path("trace").display());
    world.plan(PlanKind::Provisioning, vec![shell(&script)])
}

/// Sends bytes, then a permit for the run they name; both must be refused and nothing may run.
async fn refused(world: &World, link: &mut FakeLink, signed: &Signed, code: &str) {
    let decision = link.offer(signed).await;
    assert_eq!(decision.code, code);
    link.permit(permit(signed, 0, 0)).await;
    assert_eq!(link.decision().await.code, "UNKNOWN_RUN");
    assert_eq!(lines(&world.path("trace")), 0);
}

async fn refused_draft(world: &World, link: &mut FakeLink, draft: EnvelopeDraft, code: &str) {
    let signed = world.sign_draft(draft);
    refused(world, link, &signed, code).await;
}

#[tokio::test]
async fn an_envelope_without_a_signature_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let mut signed = world.sign(&plan);
    let mut envelope = SignedEnvelope::decode(signed.bytes.as_slice()).unwrap();
    envelope.signatures.clear();
    signed.bytes = envelope.encode_to_vec();
    refused(&world, &mut link, &signed, "UNSIGNED").await;
}

#[tokio::test]
async fn an_envelope_signed_by_a_stranger_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let mut signed = world.sign(&plan);
    let draft = world.draft(&plan);
    signed.bytes = sign(draft.clone(), "k1", &SigningKey::from_bytes(&[9; 32])).encode_to_vec();
    refused(&world, &mut link, &signed, "BAD_SIGNATURE").await;
    signed.bytes = sign(draft, "k9", &SigningKey::from_bytes(&[9; 32])).encode_to_vec();
    refused(&world, &mut link, &signed, "KEY_UNKNOWN").await;
}

/// Every bit flipped, every length cut to, every byte doubled: each is refused, with a code that says why.
#[tokio::test]
async fn an_envelope_with_any_bit_changed_or_any_byte_missing_or_added_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let signed = world.sign(&plan);
    let bytes = &signed.bytes;
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        (format!("bit {bit}"), changed)
    });
    let cut = (0..bytes.len()).map(|length| (format!("{length} bytes"), bytes[..length].to_vec()));
    let doubled = (0..bytes.len()).map(|at| {
        let mut changed = bytes.clone();
        changed.insert(at, bytes[at]);
        (format!("byte {at} twice"), changed)
    });
    let codes = ["BAD_SIGNATURE", "MALFORMED", "KEY_UNKNOWN", "UNSIGNED"];
    let mut seen = std::collections::BTreeSet::new();
    for (what, changed) in flipped.chain(cut).chain(doubled) {
        link.send(to_executor::Body::SignedEnvelope(changed)).await;
        let code = link.decision().await.code;
        assert!(codes.contains(&code.as_str()), "{what}: {code:?}");
        seen.insert(code);
    }
    assert_eq!(seen.len(), codes.len(), "{seen:?}");
    assert_eq!(std::fs::read_dir(world.root().runs()).unwrap().count(), 0);
    link.accepted(&signed).await;
}

#[tokio::test]
async fn nonsense_instead_of_an_envelope_is_refused() {
    let world = World::running();
    let mut link = world.link().await;
    for bytes in [vec![0xff; 100], vec![0; 5_000_000 - 100]] {
        link.send(to_executor::Body::SignedEnvelope(bytes)).await;
        assert!(["MALFORMED", "UNSIGNED"].contains(&link.decision().await.code.as_str()));
    }
}

/// Signs envelope bytes that the signer itself would never make.
fn sign_raw(world: &World, envelope: Vec<u8>) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    let message = [&b"hydron-envelope-v1\0"[..], &envelope].concat();
    let signature = world.signer.sign(&message).to_bytes().to_vec();
    let signature = wire::Signature { key_id: "k1".into(), algorithm: "ed25519".into(), signature };
    SignedEnvelope { envelope, signatures: vec![signature] }.encode_to_vec()
}

#[tokio::test]
async fn rightly_signed_bytes_that_are_no_exact_envelope_are_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let mut signed = world.sign(&plan);
    let inner = SignedEnvelope::decode(signed.bytes.as_slice()).unwrap().envelope;
    let envelope = wire::Envelope::decode(inner.as_slice()).unwrap();
    let newer = wire::Envelope { version: 2, ..envelope.clone() };
    signed.bytes = sign_raw(&world, newer.encode_to_vec());
    refused(&world, &mut link, &signed, "VERSION").await;
    signed.bytes = sign_raw(&world, [inner.as_slice(), &[0xfa, 0x7f, 0x01, 0x00]].concat());
    refused(&world, &mut link, &signed, "MALFORMED").await;
    let other = wire::Envelope { digest: vec![0; 32], ..envelope };
    signed.bytes = sign_raw(&world, other.encode_to_vec());
    refused(&world, &mut link, &signed, "DIGEST_MISMATCH").await;
}

#[test]
fn every_code_of_the_closed_list_has_a_test_that_expects_it() {
    let tests = [
        include_str!("admission.rs"),
        include_str!("permits.rs"),
        include_str!("secrets.rs"),
        include_str!("crash.rs"),
        include_str!("mandates.rs"),
    ];
    for code in RejectCode::ALL {
        let quoted = format!("\"{}\"", code.code());
        assert!(tests.iter().any(|text| text.contains(&quoted)), "no test expects {quoted}");
    }
}

#[tokio::test]
async fn an_envelope_for_another_server_or_team_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let draft = world.draft(&plan);
    let server = ServerId::new(9, [9; 10]);
    refused_draft(&world, &mut link, EnvelopeDraft { server, ..draft.clone() }, "WRONG_SERVER").await;
    let team = TeamId::new(9, [9; 10]);
    refused_draft(&world, &mut link, EnvelopeDraft { team, ..draft }, "WRONG_TEAM").await;
}

#[tokio::test]
async fn an_envelope_outside_its_time_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let draft = world.draft(&plan);
    let past = EnvelopeDraft { expires_unix_ms: now_ms() - 1, ..draft.clone() };
    refused_draft(&world, &mut link, past, "EXPIRED").await;
    let future = EnvelopeDraft { not_before_unix_ms: now_ms() + 3_600_000, ..draft };
    refused_draft(&world, &mut link, future, "NOT_YET_VALID").await;
}

#[tokio::test]
async fn a_used_nonce_and_an_old_sequence_are_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let older = world.draft(&plan);
    let first = world.draft(&plan);
    let nonce = first.nonce;
    let first = world.sign_draft(first);
    link.accepted(&first).await;
    refused_draft(&world, &mut link, older, "REPLAY").await;
    let reused = EnvelopeDraft { nonce, ..world.draft(&plan) };
    refused_draft(&world, &mut link, reused, "REPLAY").await;
    // After a restart as well: what was used is durable.
    world.kill_executor();
    world.start_executor();
    let mut link = world.link().await;
    let mut again = world.draft(&plan);
    again.nonce = nonce;
    refused_draft(&world, &mut link, again, "REPLAY").await;
    assert_eq!(link.offer(&first).await.code, "", "the very bytes that are held are no replay");
}

#[tokio::test]
async fn another_plan_for_a_run_that_is_held_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let held = world.shell_run(&["true"]);
    link.accepted(&held).await;
    let plan = tracer(&world);
    let other = EnvelopeDraft { run: held.run, ..world.draft(&plan) };
    let other = world.sign_draft(other);
    assert_eq!(link.offer(&other).await.code, "REPLAY");
    link.permit(permit(&other, 0, 0)).await;
    assert_eq!(link.decision().await.code, "DIGEST_MISMATCH");
    assert_eq!(lines(&world.path("trace")), 0);
}

#[tokio::test]
async fn a_plan_of_another_kind_than_its_envelope_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let draft = EnvelopeDraft { kind: EnvelopeKind::Release, ..world.draft(&plan) };
    refused_draft(&world, &mut link, draft, "WRONG_KIND").await;
}

#[tokio::test]
async fn a_step_declared_less_risky_than_it_is_is_refused() {
    let mut world = World::running();
    let mut link = world.link().await;
    let mut plan = tracer(&world);
    plan.steps[0].risk = Risk::R1;
    let signed = world.sign(&plan);
    refused(&world, &mut link, &signed, "RISK_UNDERSTATED").await;
}

#[tokio::test]
async fn the_servers_own_policy_has_the_last_word() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    for policy in ["mode = 'locked'", "mode = 'observe'", "shell = false", "kinds = ['probe']", "nonsense"] {
        world.policy(policy);
        let signed = world.sign(&plan);
        refused(&world, &mut link, &signed, "POLICY").await;
    }
    world.policy("mode = 'manage'");
    let signed = world.sign(&plan);
    link.accepted(&signed).await;
    // It may be narrowed after an envelope came in.
    world.policy("mode = 'locked'");
    link.permit(permit(&signed, 0, 0)).await;
    assert_eq!(link.decision().await.code, "POLICY");
    assert_eq!(lines(&world.path("trace")), 0);
}

#[tokio::test]
async fn an_operation_on_something_that_was_never_here_is_refused() {
    let (mut world, mut link) = mandated().await;
    let stranger = ServiceId::new(8, [8; 10]);
    let release = ReleaseId::new(8, [8; 10]);
    let refused = [
        Operation::Restart { service: stranger },
        Operation::Stop { service: stranger },
        Operation::Start { service: stranger },
        Operation::Logs { service: stranger, lines: 10, secrets: vec![] },
        // The service is known, and no release of it was ever live.
        Operation::Rollback { service: service(), release, secrets: vec![] },
    ];
    for operation in refused {
        let plan = world.plan(PlanKind::Operation, vec![of_operation(operation)]);
        let signed = world.sign(&plan);
        assert_eq!(link.offer(&signed).await.code, "UNKNOWN_OBJECT");
    }
    for operation in [Operation::Restart { service: service() }, Operation::Inventory {}] {
        let plan = world.plan(PlanKind::Operation, vec![of_operation(operation)]);
        let signed = world.sign(&plan);
        link.accepted(&signed).await;
    }
}

fn of_operation(operation: Operation) -> Step {
    let mut step = step(Action::Operate(operation));
    step.risk = Risk::R2;
    step
}

#[tokio::test]
async fn every_decision_stands_in_the_servers_own_log_and_the_log_is_chained() {
    let mut world = World::running();
    let mut link = world.link().await;
    let plan = tracer(&world);
    let mut forged = world.sign(&plan);
    let run = world.shell_run(&["true"]);
    // Who it claims to be for is all that is known of it.
    let claiming = EnvelopeDraft { run: run.run, ..world.draft(&plan) };
    forged.bytes = sign(claiming, "k1", &SigningKey::from_bytes(&[9; 32])).encode_to_vec();
    assert_eq!(link.offer(&forged).await.run_id, run.run.to_string());
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 1)).await;
    assert_eq!(link.decision().await.code, "NO_SUCH_STEP");
    link.permit(permit(&run, 0, 0)).await;
    link.events_until_range_end().await;
    let id = run.run.to_string();
    let command = Some(command(&run, 0, 1));
    for epoch in [1, 0] {
        for control in [
            to_executor::Body::Hold(wire::Hold { run_id: id.clone(), epoch }),
            to_executor::Body::Cancel(wire::Cancel { command: command.clone(), epoch, grace_ms: 0 }),
            to_executor::Body::Confirm(wire::Confirm { command: command.clone(), epoch }),
        ] {
            link.send(control).await;
        }
    }
    link.send(to_executor::Body::Forget(wire::ForgetRun { run_id: id.clone() })).await;
    crate::world::eventually("the run is forgotten", || !world.root().run(run.run).exists()).await;
    let path = hydron_agent::exec::audit_file(&world.root());
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let said: Vec<[String; 4]> = lines
        .map(|line| {
            ["subject", "run", "decision", "detail"]
                .map(|field| line[field].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    let expected = [
        ("envelope", "BAD_SIGNATURE", ""),
        ("envelope", "accepted", ""),
        ("permit", "NO_SUCH_STEP", "0..=1 attempt 1"),
        ("permit", "accepted", "0..=0 attempt 1"),
        ("hold", "accepted", ""),
        ("cancel", "accepted", "Some((0, 1))"),
        ("confirm", "accepted", ""),
        ("hold", "STALE_EPOCH", ""),
        ("cancel", "STALE_EPOCH", ""),
        ("confirm", "STALE_EPOCH", ""),
        ("forget", "accepted", ""),
    ];
    let expected =
        expected.map(|(subject, decision, detail)| [subject, &id, decision, detail].map(str::to_owned));
    assert_eq!(said, expected);
    assert!(matches!(hydron_agent::exec::audit::check(&path), Ok(Ok(11))));
}
