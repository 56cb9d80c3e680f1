//! The plan key: what servers obey. Apart from the certificate authority and from sessions; separable into a process.
//!
//! Rule: one entry point, [`Signer::sign`], and it looks for itself: a provisioning plan needs an approval row that says
//! yes to exactly these bytes, a release plan must stay inside stored mandates, an operation is one of the closed list.
//! Whoever calls it is not believed. What it signs is stored in the same transaction.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use hydron_proto::envelope::{self, EnvelopeDraft, PlanDigest};
use hydron_proto::ids::{ApprovalId, ProjectId, RunId, ServerId};
use hydron_proto::plan::{InvalidPlan, PlanDocument, PlanKind, admit_release};
use hydron_proto::reject::RejectCode;
use hydron_proto::wire;
use hydron_store::{StoreError, TeamTx};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::files::{self, KeyFileError};
use super::kek::hex;
use crate::clock::Entropy;

/// An approved plan starts within this, milliseconds (24 h); so does a release inside its mandate.
const PLAN_LIFE_MS: i64 = 24 * 3600 * 1000;
/// An operation that has waited for longer is no longer meant, milliseconds (1 h).
const OPERATION_LIFE_MS: i64 = 3600 * 1000;

/// Signs plans.
pub struct Signer {
    key: SigningKey,
    key_id: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// What is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct SignRequest<'a> {
    /// The only run that may use it.
    pub run: RunId,
    /// The run's project.
    pub project: ProjectId,
    /// The only server that may use it.
    pub server: ServerId,
    /// The plan document, exactly as it was approved.
    pub plan: &'a [u8],
    /// The approval it rests on; a provisioning plan needs one.
    pub approval: Option<ApprovalId>,
}

/// A signed plan.
#[derive(Debug, Clone)]
pub struct SignedPlan {
    /// The bytes to store and send.
    pub envelope: Vec<u8>,
    /// Number of the signature for this server.
    pub sequence: i64,
    /// Names the plan.
    pub digest: PlanDigest,
    /// What was signed, decoded.
    pub plan: PlanDocument,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Not a plan.
    #[error(transparent)]
    Plan(#[from] InvalidPlan),
    /// The plan names another team, project or server than the run.
    #[error("the plan is for another {0}")]
    Misaddressed(&'static str),
    /// A step claims less risk than it has.
    #[error("step {0} is declared less risky than it is")]
    RiskUnderstated(usize),
    /// Nobody said yes to this plan.
    #[error("the plan is not approved; approve its current digest first")]
    NotApproved,
    /// Somebody said yes to other bytes.
    #[error("the plan is not the one that was approved; look at it again and approve its current digest")]
    DigestMismatch,
    /// The yes is too old.
    #[error("the approval is more than 24 hours old; make a new plan and approve it")]
    ApprovalExpired,
    /// A release that nobody allowed beforehand.
    #[error("the release goes beyond what was approved ({code}): {words}", code = .0.code(), words = .0)]
    OutsideMandate(RejectCode),
    /// The server is gone.
    #[error("the server was removed")]
    ServerGone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The file holds something else.
    #[error("{0} does not hold a plan key; restore it from its backup")]
    Malformed(PathBuf),
}

impl Signer {
    /// Loads `plan.key`, or makes it.
    pub fn load(keys_dir: &Path, entropy: &dyn Entropy) -> Result<Self, SignerError> {
        let path = keys_dir.join("plan.key");
        if let Some(bytes) = files::read(&path)? {
            let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SignerError::Malformed(path))?;
            return Ok(Self::from_seed(&Zeroizing::new(seed)));
        }
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut_slice());
        files::create(&path, seed.as_slice())?;
        Ok(Self::from_seed(&seed))
    }

    fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        let key = SigningKey::from_bytes(seed);
        let fingerprint = hex(Sha256::digest(key.verifying_key().as_bytes()).as_slice());
        Self { key, key_id: format!("plan-{}", fingerprint.chars().take(16).collect::<String>()) }
    }

    /// The public half, for servers to pin.
    pub fn public(&self) -> wire::SignerKey {
        wire::SignerKey {
            key_id: self.key_id.clone(),
            public_key: self.key.verifying_key().as_bytes().to_vec(),
        }
    }

    /// Signs a plan, if something stored allows it, and keeps the mandates that it grants.
    pub async fn sign(
        &self,
        tx: &mut TeamTx,
        request: SignRequest<'_>,
        nonce: [u8; 16],
    ) -> Result<SignedPlan, SignError> {
        let plan = PlanDocument::from_bytes(request.plan)?;
        check_address(tx, &request, &plan)?;
        let digest = PlanDigest::of(request.plan);
        let now = tx.now();
        let life = match plan.kind {
            PlanKind::Provisioning => check_approval(tx, &request, digest).await.map(|()| PLAN_LIFE_MS)?,
            PlanKind::Release => check_mandates(tx, &request, &plan).await.map(|()| PLAN_LIFE_MS)?,
            PlanKind::Operation => OPERATION_LIFE_MS,
        };
        let sequence = tx.next_signed_sequence(request.server).await.map_err(|error| {
            if matches!(error, StoreError::Stale { .. }) { SignError::ServerGone } else { error.into() }
        })?;
        let draft = EnvelopeDraft {
            kind: plan.kind.envelope(),
            team: tx.team(),
            server: request.server,
            run: request.run,
            not_before_unix_ms: now,
            expires_unix_ms: now + life,
            nonce,
            sequence: u64::try_from(sequence).unwrap_or(0),
            plan: request.plan.to_vec(),
        };
        let envelope = envelope::sign(draft, &self.key_id, &self.key).encode_to_vec();
        for mandate in &plan.mandates {
            tx.grant_mandate(request.server, request.run, mandate).await?;
        }
        Ok(SignedPlan { envelope, sequence, digest, plan })
    }
}

fn check_address(tx: &TeamTx, request: &SignRequest<'_>, plan: &PlanDocument) -> Result<(), SignError> {
    if plan.team != tx.team() {
        return Err(SignError::Misaddressed("team"));
    }
    if plan.project != request.project {
        return Err(SignError::Misaddressed("project"));
    }
    if plan.server != request.server {
        return Err(SignError::Misaddressed("server"));
    }
    match plan.steps.iter().position(|step| step.action.risk() > step.risk) {
        Some(index) => Err(SignError::RiskUnderstated(index)),
        None => Ok(()),
    }
}

async fn check_approval(
    tx: &mut TeamTx,
    request: &SignRequest<'_>,
    digest: PlanDigest,
) -> Result<(), SignError> {
    let id = request.approval.ok_or(SignError::NotApproved)?;
    let warrant = tx.warrant(id).await?.ok_or(SignError::NotApproved)?;
    if warrant.digest != digest || warrant.project != request.project {
        return Err(SignError::DigestMismatch);
    }
    if tx.now() - warrant.decided_at >= PLAN_LIFE_MS {
        return Err(SignError::ApprovalExpired);
    }
    Ok(())
}

async fn check_mandates(
    tx: &mut TeamTx,
    request: &SignRequest<'_>,
    plan: &PlanDocument,
) -> Result<(), SignError> {
    let mandates = tx.mandates(request.server).await?;
    admit_release(&mandates, plan, tx.now()).map_err(SignError::OutsideMandate)
}
