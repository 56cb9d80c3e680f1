//! Who this server is: what `join` stored and the processes read.
//!
//! Rule: the executor's half (team, server, pinned signers, sealing key) is root's alone; the link's half (TLS key,
//! certificates) belongs to the link's user. Neighbours: `join` (writes), `exec` and `link` (read).

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use hydron_proto::envelope::{PinnedSigner, Verifier};
use hydron_proto::ids::{ServerId, TeamId};
use hydron_proto::seal::SealingKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::durable;
use crate::root::Root;

/// An identity that is missing or damaged.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// This server never joined.
    #[error("this server has not joined a coordinator; run `hydron-agent join` with a token from its page")]
    NotJoined,
    /// A file cannot be read or written.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A file does not hold what it should.
    #[error("{} is damaged: {}; leave and join again", .0.display(), .1)]
    Damaged(PathBuf, &'static str),
}

/// The executor's half.
#[derive(Debug, Clone)]
pub struct ExecIdentity {
    /// Owner of this server.
    pub team: TeamId,
    /// This server.
    pub server: ServerId,
    /// Keys whose envelopes are accepted.
    pub signers: Vec<PinnedSigner>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    team: TeamId,
    server: ServerId,
    signers: Vec<StoredSigner>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSigner {
    key_id: String,
    public_key: String,
}

impl ExecIdentity {
    /// Reads it.
    pub fn load(root: &Root) -> Result<Self, IdentityError> {
        let path = exec_file(root);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IdentityError::NotJoined),
            Err(error) => return Err(IdentityError::File(path, error)),
            Ok(bytes) => bytes,
        };
        let damaged = |why| IdentityError::Damaged(path.clone(), why);
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| damaged("not an identity"))?;
        let signers = stored.signers.iter().map(pinned).collect::<Option<Vec<_>>>();
        let signers = signers.filter(|signers| !signers.is_empty()).ok_or(damaged("no usable signer key"))?;
        Ok(Self { team: stored.team, server: stored.server, signers })
    }

    /// Stores it.
    pub fn store(&self, root: &Root) -> Result<(), IdentityError> {
        let stored = Stored {
            team: self.team,
            server: self.server,
            signers: self
                .signers
                .iter()
                .map(|signer| StoredSigner {
                    key_id: signer.key_id.clone(),
                    public_key: B64.encode(signer.key.as_bytes()),
                })
                .collect(),
        };
        let path = exec_file(root);
        let bytes = serde_json::to_vec_pretty(&stored).unwrap_or_default();
        durable::write(&path, &bytes, 0o600).map_err(|error| IdentityError::File(path, error))
    }

    /// Checks envelopes against this identity.
    pub fn verifier(&self) -> Verifier<'_> {
        Verifier { signers: &self.signers, team: self.team, server: self.server }
    }
}

fn pinned(stored: &StoredSigner) -> Option<PinnedSigner> {
    let bytes = B64.decode(&stored.public_key).ok()?;
    PinnedSigner::from_bytes(&stored.key_id, &bytes)
}

/// `exec/identity.json`: whether it is there says whether this server joined.
pub fn exec_file(root: &Root) -> PathBuf {
    root.exec().join("identity.json")
}

/// The executor's sealing key; made at the first call, so that joining again after a lost reply uses the same one.
pub fn sealing_key(root: &Root) -> Result<SealingKey, IdentityError> {
    let path = root.exec().join("keys/sealing");
    let mut seed = Zeroizing::new([0; 32]);
    match std::fs::read(&path).map(Zeroizing::new) {
        Ok(bytes) => {
            let stored: &[u8; 32] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| IdentityError::Damaged(path.clone(), "not a sealing key"))?;
            seed.copy_from_slice(stored);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            rand::fill(&mut seed[..]);
            store_secret(&path, &seed[..])?;
        }
        Err(error) => return Err(IdentityError::File(path, error)),
    }
    Ok(SealingKey::derive(&seed))
}

fn store_secret(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let directory = path.parent().unwrap_or(path);
    durable::create_directory(directory, 0o700)
        .and_then(|()| durable::write(path, bytes, 0o600))
        .map_err(|error| IdentityError::File(path.to_path_buf(), error))
}
