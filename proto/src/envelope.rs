//! Signed envelopes: the only way in which work reaches a server.
//!
//! Rule: the signature is over the stored bytes; they are verified before they are decoded, and an envelope that
//! would not re-encode to the same bytes (unknown fields) is refused. Everything here is pure: time, keys and what
//! was seen before come in as arguments. The executor adds mandates and policy (`agent/src/exec/admission`).

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::ids::{RunId, ServerId, TeamId};
use crate::plan::PlanDocument;
use crate::reject::RejectCode;
use crate::wire;

/// Version this build writes and the only one it accepts.
pub const ENVELOPE_VERSION: u32 = 1;
const SIGNATURE_DOMAIN: &[u8] = b"hydron-envelope-v1\0";
const PLAN_DOMAIN: &[u8] = b"hydron-plan-v1\0";
/// Clocks of fresh servers are off; an envelope from this much in the future is still accepted, milliseconds.
const NOT_BEFORE_LEEWAY_MS: i64 = 5 * 60 * 1000;

/// SHA-256 that names a plan's bytes: what a person approves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanDigest(pub [u8; 32]);

impl PlanDigest {
    /// The digest of a plan document's bytes.
    pub fn of(plan: &[u8]) -> Self {
        Self(Sha256::new().chain_update(PLAN_DOMAIN).chain_update(plan).finalize().into())
    }

    /// Parses 64 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(at * 2..at * 2 + 2)?;
            if digits.bytes().any(|b| b.is_ascii_uppercase()) {
                return None;
            }
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl std::fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for PlanDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What an envelope allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// A provisioning plan that a person approved.
    Run,
    /// A release inside a mandate.
    Release,
    /// One operation.
    Operation,
}

/// What the signer is asked to sign.
#[derive(Debug, Clone)]
pub struct EnvelopeDraft {
    /// What it allows.
    pub kind: EnvelopeKind,
    /// Owner of the server.
    pub team: TeamId,
    /// The only server that may use it.
    pub server: ServerId,
    /// The only run that may use it.
    pub run: RunId,
    /// Start of validity, milliseconds since 1970.
    pub not_before_unix_ms: i64,
    /// End of validity for starting, milliseconds since 1970.
    pub expires_unix_ms: i64,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// Grows with every signature for this server.
    pub sequence: u64,
    /// The plan document exactly as approved.
    pub plan: Vec<u8>,
}

/// Signs a draft: the bytes to store and send.
pub fn sign(draft: EnvelopeDraft, key_id: &str, key: &SigningKey) -> wire::SignedEnvelope {
    let kind = match draft.kind {
        EnvelopeKind::Run => wire::EnvelopeKind::Run,
        EnvelopeKind::Release => wire::EnvelopeKind::Release,
        EnvelopeKind::Operation => wire::EnvelopeKind::Operation,
    };
    let envelope = wire::Envelope {
        version: ENVELOPE_VERSION,
        kind: kind.into(),
        team_id: draft.team.to_string(),
        server_id: draft.server.to_string(),
        run_id: draft.run.to_string(),
        digest: PlanDigest::of(&draft.plan).0.to_vec(),
        not_before_unix_ms: draft.not_before_unix_ms,
        expires_unix_ms: draft.expires_unix_ms,
        nonce: draft.nonce.to_vec(),
        sequence: draft.sequence,
        plan: draft.plan,
    }
    .encode_to_vec();
    let signature = key.sign(&signed_bytes(&envelope)).to_bytes().to_vec();
    wire::SignedEnvelope {
        envelope,
        signatures: vec![wire::Signature {
            key_id: key_id.to_owned(),
            algorithm: "ed25519".to_owned(),
            signature,
        }],
    }
}

/// A key that this server pinned at enrollment.
#[derive(Debug, Clone)]
pub struct PinnedSigner {
    /// Names the key in signatures.
    pub key_id: String,
    /// The key.
    pub key: VerifyingKey,
}

impl PinnedSigner {
    /// A signer from its id and the 32 bytes of its Ed25519 key.
    pub fn from_bytes(key_id: &str, key: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        Some(Self { key_id: key_id.to_owned(), key })
    }
}

/// Who is verifying, and when.
#[derive(Debug, Clone, Copy)]
pub struct Verifier<'a> {
    /// The pinned keys.
    pub signers: &'a [PinnedSigner],
    /// This server's team.
    pub team: TeamId,
    /// This server.
    pub server: ServerId,
}

/// An envelope whose signature, addressee, digest and plan are right. Time is a separate question: see [`Self::check_time`].
#[derive(Debug, Clone)]
pub struct VerifiedEnvelope {
    /// What it allows.
    pub kind: EnvelopeKind,
    /// The run that may use it.
    pub run: RunId,
    /// Names the plan.
    pub digest: PlanDigest,
    /// Start of validity, milliseconds since 1970.
    pub not_before_unix_ms: i64,
    /// End of validity for starting, milliseconds since 1970.
    pub expires_unix_ms: i64,
    /// Used once.
    pub nonce: [u8; 16],
    /// Grows with every signature for this server.
    pub sequence: u64,
    /// The plan.
    pub plan: PlanDocument,
}

impl Verifier<'_> {
    /// Checks everything that does not depend on time or on what was seen before.
    pub fn verify(&self, signed: &wire::SignedEnvelope) -> Result<VerifiedEnvelope, RejectCode> {
        self.check_signature(signed)?;
        let envelope =
            wire::Envelope::decode(signed.envelope.as_slice()).map_err(|_| RejectCode::Malformed)?;
        if envelope.version != ENVELOPE_VERSION {
            return Err(RejectCode::Version);
        }
        if envelope.encode_to_vec() != signed.envelope {
            return Err(RejectCode::Malformed);
        }
        if envelope.team_id != self.team.to_string() {
            return Err(RejectCode::WrongTeam);
        }
        if envelope.server_id != self.server.to_string() {
            return Err(RejectCode::WrongServer);
        }
        self.read(&envelope)
    }

    fn check_signature(&self, signed: &wire::SignedEnvelope) -> Result<(), RejectCode> {
        if signed.signatures.is_empty() {
            return Err(RejectCode::Unsigned);
        }
        let message = signed_bytes(&signed.envelope);
        let mut known = false;
        for signature in &signed.signatures {
            let signer = self.signers.iter().find(|s| s.key_id == signature.key_id);
            let (Some(signer), "ed25519") = (signer, signature.algorithm.as_str()) else { continue };
            known = true;
            let Ok(parsed) = Signature::from_slice(&signature.signature) else { continue };
            if signer.key.verify_strict(&message, &parsed).is_ok() {
                return Ok(());
            }
        }
        Err(if known { RejectCode::BadSignature } else { RejectCode::KeyUnknown })
    }

    fn read(&self, envelope: &wire::Envelope) -> Result<VerifiedEnvelope, RejectCode> {
        let digest = PlanDigest::of(&envelope.plan);
        if envelope.digest != digest.0 {
            return Err(RejectCode::DigestMismatch);
        }
        let kind = match envelope.kind() {
            wire::EnvelopeKind::Run => EnvelopeKind::Run,
            wire::EnvelopeKind::Release => EnvelopeKind::Release,
            wire::EnvelopeKind::Operation => EnvelopeKind::Operation,
            wire::EnvelopeKind::Unspecified => return Err(RejectCode::WrongKind),
        };
        let plan = PlanDocument::from_bytes(&envelope.plan).map_err(|_| RejectCode::Malformed)?;
        if plan.kind.envelope() != kind {
            return Err(RejectCode::WrongKind);
        }
        if plan.server != self.server {
            return Err(RejectCode::WrongServer);
        }
        if plan.team != self.team {
            return Err(RejectCode::WrongTeam);
        }
        if plan.steps.iter().any(|step| step.action.risk() > step.risk) {
            return Err(RejectCode::RiskUnderstated);
        }
        Ok(VerifiedEnvelope {
            kind,
            run: envelope.run_id.parse().map_err(|_| RejectCode::Malformed)?,
            digest,
            not_before_unix_ms: envelope.not_before_unix_ms,
            expires_unix_ms: envelope.expires_unix_ms,
            nonce: envelope.nonce.as_slice().try_into().map_err(|_| RejectCode::Malformed)?,
            sequence: envelope.sequence,
            plan,
        })
    }
}

impl VerifiedEnvelope {
    /// Whether work may *start* now. A started plan stays valid until it ends.
    pub fn check_time(&self, now_unix_ms: i64) -> Result<(), RejectCode> {
        if now_unix_ms >= self.expires_unix_ms {
            return Err(RejectCode::Expired);
        }
        if now_unix_ms.saturating_add(NOT_BEFORE_LEEWAY_MS) < self.not_before_unix_ms {
            return Err(RejectCode::NotYetValid);
        }
        Ok(())
    }
}

fn signed_bytes(envelope: &[u8]) -> Vec<u8> {
    [SIGNATURE_DOMAIN, envelope].concat()
}

#[cfg(test)]
mod tests;
