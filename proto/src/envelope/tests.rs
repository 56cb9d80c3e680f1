//! An envelope is refused at the named check, whatever is wrong with it.

use super::*;
use crate::ids::ProjectId;
use crate::plan::{Action, DockerEngine, InterruptPolicy, Phase, PlanKind, RepairBounds, Risk, Step, Undo};

struct World {
    key: SigningKey,
    signers: Vec<PinnedSigner>,
    team: TeamId,
    server: ServerId,
}

impl World {
    fn new() -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signers = vec![PinnedSigner { key_id: "k1".into(), key: key.verifying_key() }];
        Self { key, signers, team: TeamId::new(1, [1; 10]), server: ServerId::new(1, [2; 10]) }
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier { signers: &self.signers, team: self.team, server: self.server }
    }

    fn plan(&self) -> PlanDocument {
        PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: self.team,
            project: ProjectId::new(1, [1; 10]),
            server: self.server,
            steps: vec![Step {
                title: "Docker".into(),
                phase: Phase::Provisioning,
                service: None,
                action: Action::DockerEngine(DockerEngine { install: false }),
                risk: Risk::R2,
                timeout_s: 60,
                on_interrupt: InterruptPolicy::Rerun,
                undo: Undo::None,
                after: vec![],
                guarded: false,
                downtime_s: 0,
            }],
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        }
    }

    fn draft(&self) -> EnvelopeDraft {
        EnvelopeDraft {
            kind: EnvelopeKind::Run,
            team: self.team,
            server: self.server,
            run: RunId::new(1, [3; 10]),
            not_before_unix_ms: 1_000_000,
            expires_unix_ms: 2_000_000,
            nonce: [5; 16],
            sequence: 1,
            plan: self.plan().to_bytes().unwrap(),
        }
    }

    fn refusal(&self, draft: EnvelopeDraft) -> RejectCode {
        self.verifier().verify(&sign(draft, "k1", &self.key)).unwrap_err()
    }
}

#[test]
fn a_right_envelope_is_accepted() {
    let world = World::new();
    let verified = world.verifier().verify(&sign(world.draft(), "k1", &world.key)).unwrap();
    assert_eq!(verified.plan, world.plan());
    assert_eq!(verified.check_time(1_500_000), Ok(()));
    assert_eq!(verified.check_time(2_000_000), Err(RejectCode::Expired));
    assert_eq!(verified.check_time(1_000), Err(RejectCode::NotYetValid));
}

#[test]
fn every_changed_bit_is_refused() {
    let world = World::new();
    let signed = sign(world.draft(), "k1", &world.key);
    for at in 0..signed.envelope.len() {
        let mut changed = signed.clone();
        changed.envelope[at] ^= 1 << (at % 8);
        assert_eq!(world.verifier().verify(&changed).unwrap_err(), RejectCode::BadSignature, "byte {at}");
    }
}

#[test]
fn an_envelope_without_a_known_signature_is_refused() {
    let world = World::new();
    let mut signed = sign(world.draft(), "k1", &world.key);
    signed.signatures[0].key_id = "k2".into();
    assert_eq!(world.verifier().verify(&signed).unwrap_err(), RejectCode::KeyUnknown);
    signed.signatures.clear();
    assert_eq!(world.verifier().verify(&signed).unwrap_err(), RejectCode::Unsigned);
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let forged = sign(world.draft(), "k1", &stranger);
    assert_eq!(world.verifier().verify(&forged).unwrap_err(), RejectCode::BadSignature);
}

#[test]
fn an_envelope_for_somebody_else_is_refused() {
    let world = World::new();
    let other_server = ServerId::new(1, [9; 10]);
    let other_team = TeamId::new(1, [9; 10]);
    assert_eq!(
        world.refusal(EnvelopeDraft { server: other_server, ..world.draft() }),
        RejectCode::WrongServer
    );
    assert_eq!(world.refusal(EnvelopeDraft { team: other_team, ..world.draft() }), RejectCode::WrongTeam);
    let mut plan = world.plan();
    plan.server = other_server;
    assert_eq!(
        world.refusal(EnvelopeDraft { plan: plan.to_bytes().unwrap(), ..world.draft() }),
        RejectCode::WrongServer
    );
}

#[test]
fn signed_nonsense_is_refused_all_the_same() {
    let world = World::new();
    assert_eq!(world.refusal(EnvelopeDraft { plan: b"{}".to_vec(), ..world.draft() }), RejectCode::Malformed);
    assert_eq!(
        world.refusal(EnvelopeDraft { kind: EnvelopeKind::Release, ..world.draft() }),
        RejectCode::WrongKind
    );
    let extra = String::from_utf8(world.draft().plan).unwrap().replacen('{', "{\"extra\":1,", 1);
    assert_eq!(
        world.refusal(EnvelopeDraft { plan: extra.into_bytes(), ..world.draft() }),
        RejectCode::Malformed
    );
    let mut plan = world.plan();
    plan.steps[0].risk = Risk::R0;
    assert_eq!(
        world.refusal(EnvelopeDraft { plan: plan.to_bytes().unwrap(), ..world.draft() }),
        RejectCode::RiskUnderstated
    );
}

#[test]
fn unknown_fields_of_a_signed_envelope_are_refused() {
    let world = World::new();
    let mut signed = sign(world.draft(), "k1", &world.key);
    signed.envelope.extend([0xfa, 0x7f, 0x01, 0x00]);
    signed.signatures[0].signature = world.key.sign(&signed_bytes(&signed.envelope)).to_bytes().to_vec();
    assert_eq!(world.verifier().verify(&signed).unwrap_err(), RejectCode::Malformed);
}

#[test]
fn a_plan_signed_for_another_team_is_refused() {
    let world = World::new();
    let plan = PlanDocument { team: TeamId::new(1, [9; 10]), ..world.plan() };
    assert_eq!(
        world.refusal(EnvelopeDraft { plan: plan.to_bytes().unwrap(), ..world.draft() }),
        RejectCode::WrongTeam
    );
}

#[test]
fn a_clock_may_be_five_minutes_behind_and_not_a_millisecond_more() {
    let world = World::new();
    let verified = world.verifier().verify(&sign(world.draft(), "k1", &world.key)).unwrap();
    let earliest = 1_000_000 - 300_000;
    assert_eq!(verified.check_time(earliest), Ok(()));
    assert_eq!(verified.check_time(earliest - 1), Err(RejectCode::NotYetValid));
    assert_eq!(verified.check_time(1_999_999), Ok(()));
}

#[test]
fn a_digest_is_64_lower_case_digits_in_order() {
    let digest = PlanDigest::of(b"plan");
    let text = digest.to_string();
    assert_eq!(PlanDigest::parse(&text), Some(digest));
    assert_ne!(PlanDigest::of(b"plan "), digest);
    assert_eq!(PlanDigest::parse(&text[1..]), None);
    assert_eq!(PlanDigest::parse(&format!("{text}0")), None);
    assert_eq!(PlanDigest::parse(&"A".repeat(64)), None);
    assert_eq!(PlanDigest::parse(&"g".repeat(64)), None);
    assert_eq!(PlanDigest::parse(&"ä".repeat(32)), None);
}

#[test]
fn a_signer_is_pinned_by_the_32_bytes_of_its_key() {
    let world = World::new();
    let key = world.key.verifying_key();
    let pinned = PinnedSigner::from_bytes("k1", key.as_bytes()).unwrap();
    assert_eq!((pinned.key_id.as_str(), pinned.key), ("k1", key));
    assert!(PinnedSigner::from_bytes("k1", &key.as_bytes()[1..]).is_none());
}
