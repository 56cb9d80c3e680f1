//! The longest envelope, and what a server must have seen before an operation may name it.

use ed25519_dalek::SigningKey;
use hydron_proto::envelope::{EnvelopeDraft, PinnedSigner, sign};
use hydron_proto::ids::ReleaseId;
use hydron_proto::plan::{Dockerfile, DockerfileRule, GitCheckout, PlanKind, SecretRef, Shell};

use super::super::ledger::tests::{empty, envelope, mandate, release, secret, service, step};
use super::*;

const NOW: i64 = 1_000_000;

/// A signed envelope with so many bytes: the decoder passes over a field that it does not know.
fn of_length(length: usize, key: &SigningKey) -> Vec<u8> {
    let action = Action::Shell(Shell { script: "true".into(), env: vec![], expect: vec![0] });
    let mut plan = envelope(1, vec![]).plan;
    plan.steps = vec![step(action)];
    let draft = EnvelopeDraft {
        kind: EnvelopeKind::Run,
        team: plan.team,
        server: plan.server,
        run: hydron_proto::ids::RunId::new(1, [3; 10]),
        not_before_unix_ms: 0,
        expires_unix_ms: NOW,
        nonce: [1; 16],
        sequence: 1,
        plan: plan.to_bytes().unwrap(),
    };
    let mut bytes = sign(draft, "k1", key).encode_to_vec();
    let padding = length - bytes.len() - 5;
    prost::encoding::bytes::encode(15, &vec![0; padding], &mut bytes);
    assert_eq!(bytes.len(), length);
    bytes
}

#[test]
fn the_longest_envelope_is_read_and_one_byte_more_is_not() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let signers = [PinnedSigner { key_id: "k1".into(), key: key.verifying_key() }];
    let plan = envelope(1, vec![]).plan;
    let verifier = || Verifier { signers: &signers, team: plan.team, server: plan.server };
    assert!(verify(verifier(), &of_length(MAX_ENVELOPE, &key)).is_ok());
    for longer in [1, 1000] {
        let refused = verify(verifier(), &of_length(MAX_ENVELOPE + longer, &key));
        assert_eq!(refused.err(), Some(RejectCode::Malformed));
    }
}

#[test]
fn a_rollback_goes_to_a_release_that_was_live_with_secrets_it_had() {
    let (_directory, mut ledger) = empty();
    let live = release(1, "api", &["token", "other"]);
    ledger.note_release(&live).unwrap();
    let rollback = |of: u8, release: ReleaseId, secrets: Vec<SecretRef>| {
        let operation = Action::Operate(Operation::Rollback { service: service(of), release, secrets });
        let mut operation = envelope(1, vec![operation]);
        operation.kind = EnvelopeKind::Operation;
        operation.plan.kind = PlanKind::Operation;
        Gate { ledger: &ledger, policy: &Policy::default(), now_unix_ms: NOW }.admit(&operation)
    };
    for secrets in [vec![], vec![secret("token")], vec![secret("token"), secret("other")]] {
        assert_eq!(rollback(1, live.release, secrets), Ok(()));
    }
    let newer = SecretRef { version: 2, ..secret("token") };
    for more in [newer, secret("stranger")] {
        assert_eq!(rollback(1, live.release, vec![secret("token"), more]), Err(RejectCode::UnknownObject));
    }
    assert_eq!(rollback(2, live.release, vec![]), Err(RejectCode::UnknownObject));
    assert_eq!(rollback(1, ReleaseId::new(8, [8; 10]), vec![]), Err(RejectCode::UnknownObject));
}

/// A plan may release several services, and the mandate of another one may allow what this one's does not.
#[test]
fn a_build_takes_only_what_the_mandate_of_its_own_service_lets_it_fetch() {
    let own = "https://git.example/team/api.git";
    let source = SourceRule::Git {
        url: own.parse().unwrap(),
        reference: "main".parse().unwrap(),
        context: "".parse().unwrap(),
        dockerfile: DockerfileRule::Repository { path: "Dockerfile".parse().unwrap() },
    };
    let mandate = Mandate { source, ..mandate(1, 512) };
    let checkout = |name: &str, url: &str, reference: &str| {
        step(Action::GitCheckout(GitCheckout {
            url: url.parse().unwrap(),
            reference: reference.parse().unwrap(),
            commit: "0123456789012345678901234567890123456789".parse().unwrap(),
            credential: None,
            checkout: name.parse().unwrap(),
        }))
    };
    let build = ImageBuild {
        service: "api".parse().unwrap(),
        checkout: Some("api".parse().unwrap()),
        context: "".parse().unwrap(),
        dockerfile: Dockerfile::Repository { path: "Dockerfile".parse().unwrap() },
        args: vec![],
        tag: "hydron/p-api:1".parse().unwrap(),
        memory_mb: 512,
    };
    let takes = |steps| {
        let plan = PlanDocument { steps, ..envelope(1, vec![]).plan };
        is_own_checkout(&plan, &build, &mandate)
    };
    let (good, other) = (checkout("api", own, "main"), "https://git.example/team/web.git");
    assert!(takes(vec![checkout("web", other, "main"), good.clone()]));
    assert!(!takes(vec![]) && !takes(vec![checkout("web", own, "main")]));
    for strange in [checkout("api", other, "main"), checkout("api", own, "evil")] {
        assert!(!takes(vec![strange.clone()]) && !takes(vec![good.clone(), strange]));
    }
}
