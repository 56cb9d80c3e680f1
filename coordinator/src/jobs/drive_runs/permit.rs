//! A permit for a range: the steps, the epoch, and the secrets of exactly these steps, sealed to the server's executor.
//!
//! Rule: a value is opened here, sealed here, and wiped; it is in no log, no row and no other message.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::frame::MAX_FRAME;
use hydron_proto::ids::ServerId;
use hydron_proto::plan::{InvalidPlan, PlanDocument, SecretRef};
use hydron_proto::seal::{SealContext, SealError, seal};
use hydron_proto::wire;
use hydron_store::runs::LoadedRun;
use hydron_store::{StoreError, TeamTx};
use prost::Message as _;

use crate::app::AppState;
use crate::keys::kek::KekError;
use crate::services::secrets;

/// Room for the frame around a permit.
const FRAME_MARGIN: usize = 64;

/// Why no permit can be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PermitError {
    #[error("the secret {0} of the plan is not there any more; set it again and make a new plan")]
    SecretMissing(String),
    #[error("the secret {0} cannot be decrypted; restore the key-encryption key")]
    SecretClosed(String, #[source] KekError),
    #[error("the server's sealing key cannot be used; enroll it again")]
    Sealing(#[from] SealError),
    #[error("the server has no sealing key; enroll it again")]
    NoSealingKey,
    #[error("the secrets of these steps do not fit into one message; split the plan")]
    TooLarge,
    #[error("the stored plan cannot be read")]
    Plan(#[from] InvalidPlan),
    #[error("the stored plan cannot be read")]
    Envelope(#[from] prost::DecodeError),
    #[error("the part of the run is not there")]
    NoPart,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PermitError {
    /// Stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::SecretMissing(_) => "secret_missing",
            Self::SecretClosed(..) => "secret_closed",
            Self::Sealing(_) | Self::NoSealingKey => "sealing_key",
            Self::TooLarge => "secrets_too_large",
            Self::Plan(_) | Self::Envelope(_) | Self::NoPart | Self::Store(_) => "internal",
        }
    }
}

/// The permit that is out for a server.
pub(super) async fn build(
    app: &AppState,
    tx: &mut TeamTx,
    run: &LoadedRun,
    server: ServerId,
    epoch: u64,
) -> Result<wire::Permit, PermitError> {
    let loaded = run.parts.iter().find(|loaded| loaded.part.server == server).ok_or(PermitError::NoPart)?;
    let range = loaded.part.permit.ok_or(PermitError::NoPart)?.range;
    let digest = PlanDigest::parse(&loaded.digest).ok_or(PermitError::NoPart)?;
    let needed = secrets_of(tx, run, server, range.first, range.last).await?;
    let mut sealed = Vec::with_capacity(needed.len());
    if !needed.is_empty() {
        let row = tx.server(server).await?.ok_or(PermitError::NoPart)?;
        let key = row.sealing_key.ok_or(PermitError::NoSealingKey)?;
        for secret in &needed {
            sealed.push(seal_one(app, tx, run, server, &key, secret).await?);
        }
    }
    let permit = wire::Permit {
        run_id: run.run.id.to_string(),
        envelope_digest: digest.0.to_vec(),
        first_step: range.first,
        last_step: range.last,
        attempt: range.attempt,
        epoch,
        secrets: sealed,
    };
    if permit.encoded_len() + FRAME_MARGIN > MAX_FRAME { Err(PermitError::TooLarge) } else { Ok(permit) }
}

async fn secrets_of(
    tx: &mut TeamTx,
    run: &LoadedRun,
    server: ServerId,
    first: u32,
    last: u32,
) -> Result<Vec<SecretRef>, PermitError> {
    let bytes = tx.run_envelope(run.run.id, server).await?.ok_or(PermitError::NoPart)?;
    let signed = wire::SignedEnvelope::decode(bytes.as_slice())?;
    let envelope = wire::Envelope::decode(signed.envelope.as_slice())?;
    let plan = PlanDocument::from_bytes(&envelope.plan)?;
    let steps = plan.steps.iter().zip(0u32..).filter(|(_, index)| (first..=last).contains(index));
    let mut secrets: Vec<SecretRef> = steps.flat_map(|(step, _)| step.action.secrets()).cloned().collect();
    secrets.sort();
    secrets.dedup();
    Ok(secrets)
}

async fn seal_one(
    app: &AppState,
    tx: &mut TeamTx,
    run: &LoadedRun,
    server: ServerId,
    key: &[u8],
    secret: &SecretRef,
) -> Result<wire::SealedSecret, PermitError> {
    let name = || secret.name.to_string();
    let project = run.run.project;
    let stored = tx.secret_value(project, secret).await?.ok_or_else(|| PermitError::SecretMissing(name()))?;
    let value = secrets::open(&app.kek, tx.team(), project, secret, &stored)
        .map_err(|error| PermitError::SecretClosed(name(), error))?;
    let context =
        SealContext { team: tx.team(), server, run: run.run.id, name: &secret.name, version: secret.version };
    Ok(seal(key, &context, &value)?)
}
