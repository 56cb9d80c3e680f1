//! The state that every handler and job shares, and the one function that builds it.
//!
//! Rule: built from a checked configuration and nothing else; clones are cheap and share everything.

use std::sync::Arc;

use hydron_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::agents::Agents;
use crate::clients::git::GitClient;
use crate::clock::{Clock, Entropy, Ids};
use crate::config::Config;
use crate::http::metrics::Metrics;
use crate::keys::ca::{Authority, CaError};
use crate::keys::files::{self, KeyFileError};
use crate::keys::kek::{KekError, Keyring, hex};
use crate::keys::signer::{Signer, SignerError};
use crate::services::passwords::Passwords;

/// What handlers and jobs share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Checked settings.
    pub config: Arc<Config>,
    /// The rows.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids and secrets.
    pub ids: Ids,
    /// Encrypts single fields.
    pub kek: Arc<Keyring>,
    /// Signs certificates.
    pub ca: Arc<Authority>,
    /// Signs plans.
    pub signer: Arc<Signer>,
    /// Who is connected here.
    pub agents: Agents,
    /// This process among coordinators that share a database.
    pub replica: Arc<str>,
    /// When it began, milliseconds since 1970.
    pub started_at: i64,
    /// Fetches commits.
    pub git: GitClient,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Counters for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the process should end: streams close, jobs stop at their next point.
    pub stopping: CancellationToken,
}

/// Why the coordinator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("opening the store failed")]
    Store(#[from] StoreError),
    /// The key directory.
    #[error("the key directory cannot be used")]
    Keys(#[from] KeyFileError),
    /// The key-encryption key.
    #[error("the key-encryption key cannot be loaded")]
    Kek(#[from] KekError),
    /// The plan key.
    #[error("the plan key cannot be loaded")]
    Signer(#[from] SignerError),
    /// The directory for fetches.
    #[error("the directory for fetches cannot be made")]
    Fetch(#[from] std::io::Error),
    /// The authority.
    #[error("the coordinator's certificate authority cannot be loaded")]
    Ca(#[from] CaError),
}

impl AppState {
    /// Loads or makes the keys and joins them with an open store.
    pub fn build(
        config: Config,
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let keys_dir = config.keys_dir();
        files::make_dir(&keys_dir)?;
        let kek = Keyring::load(
            config.credentials_dir.as_deref(),
            config.kek_file.as_deref(),
            &keys_dir,
            entropy.as_ref(),
        )?;
        let signer = Signer::load(&keys_dir, entropy.as_ref())?;
        let ca = Authority::load(&keys_dir, clock.now_ms())?;
        let ids = Ids::new(clock.clone(), entropy);
        let replica = format!("coordinator-{}", hex(ids.secret::<8>().as_slice()));
        Ok(Self {
            signer: Arc::new(signer),
            agents: Agents::default(),
            replica: replica.into(),
            started_at: clock.now_ms(),
            git: GitClient::new(config.sources.clone(), &config.data_dir)?,
            passwords: Passwords::new(config.password_cost),
            config: Arc::new(config),
            store,
            ids,
            clock,
            kek: Arc::new(kek),
            ca: Arc::new(ca),
            metrics: Arc::new(Metrics::default()),
            stopping: CancellationToken::new(),
        })
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }
}
