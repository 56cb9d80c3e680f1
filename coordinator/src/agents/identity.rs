//! Which server a certificate is: the URI says who it claims to be, the pinned key decides.
//!
//! Rule: the certificate is only the key's container; the key in the database is the identity.

use hydron_domain::server::parse_certificate_uri;
use hydron_proto::ids::{ServerId, TeamId};
use hydron_store::servers::Server;
use hydron_store::{Store, StoreError};
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;

use crate::keys::kek::hex;

/// Who a certificate claims to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) team: TeamId,
    pub(super) server: ServerId,
    /// Hex SHA-256 of its public key info.
    pub(super) key: String,
}

/// Why a certificate of our authority is not let in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stranger {
    /// It names nobody.
    #[error("the certificate does not name a server")]
    Nameless,
    /// No such server, or another key.
    #[error("the certificate's key is not the one that this server enrolled with")]
    WrongKey,
    /// Taken out.
    #[error("this server was removed; adopt it again to get a new identity")]
    Revoked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Stranger {
    /// Stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Nameless => "nameless_certificate",
            Self::WrongKey => "unknown_key",
            Self::Revoked => "revoked",
            Self::Store(_) => "internal",
        }
    }
}

impl Claim {
    /// Reads the leaf of a verified chain.
    pub(super) fn of(chain: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(chain?.first()?).ok()?;
        let names = parsed.subject_alternative_name().ok()??;
        let (team, server) = names.value.general_names.iter().find_map(|name| {
            let GeneralName::URI(uri) = name else { return None };
            parse_certificate_uri(uri)
        })?;
        Some(Self { team, server, key: key_fingerprint(parsed.public_key().raw) })
    }

    /// The server it is, if its key is pinned there and it was not revoked.
    pub(super) async fn check(&self, store: &Store) -> Result<Server, Stranger> {
        let server = store.system().server_of_agent(self.team, self.server).await?;
        let server = server.filter(|server| server.public_key.as_deref() == Some(self.key.as_str()));
        let server = server.ok_or(Stranger::WrongKey)?;
        if server.revoked_at.is_some() { Err(Stranger::Revoked) } else { Ok(server) }
    }
}

/// Names a public key: hex SHA-256 of its info (DER).
pub(crate) fn key_fingerprint(public_key_info: &[u8]) -> String {
    hex(Sha256::digest(public_key_info).as_slice())
}
