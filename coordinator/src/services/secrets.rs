//! Values that must not be read in the database: encrypted for their row, opened only where they are needed.
//!
//! Rule: the place a value is bound to is named here once, for writers and readers alike.

use hydron_domain::analysis::EnvGenerate;
use hydron_proto::ids::{ProjectId, ServiceId, TeamId};
use hydron_proto::names::EnvName;
use hydron_proto::plan::SecretRef;
use zeroize::Zeroizing;

use crate::clock::{Entropy, Ids};
use crate::keys::kek::{KekError, Keyring, Place, hex};

/// Encrypts a version of a secret for its row.
pub fn seal(
    kek: &Keyring,
    entropy: &dyn Entropy,
    team: TeamId,
    project: ProjectId,
    secret: &SecretRef,
    value: &[u8],
) -> Result<String, KekError> {
    let row = row(project, secret);
    kek.seal(place(&row, team, secret.version), value, entropy)
}

/// Opens a version of a secret.
pub fn open(
    kek: &Keyring,
    team: TeamId,
    project: ProjectId,
    secret: &SecretRef,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, KekError> {
    let row = row(project, secret);
    kek.open(place(&row, team, secret.version), sealed)
}

/// Encrypts a plain value of a variable for its row.
pub fn seal_plain(
    kek: &Keyring,
    entropy: &dyn Entropy,
    team: TeamId,
    service: ServiceId,
    name: &EnvName,
    value: &str,
) -> Result<String, KekError> {
    let row = format!("{service}/{name}");
    kek.seal(
        Place { table: "env_var", column: "value", row: &row, team, version: 1 },
        value.as_bytes(),
        entropy,
    )
}

/// Opens a plain value of a variable.
pub fn open_plain(
    kek: &Keyring,
    team: TeamId,
    service: ServiceId,
    name: &EnvName,
    sealed: &str,
) -> Result<String, KekError> {
    let row = format!("{service}/{name}");
    let place = Place { table: "env_var", column: "value", row: &row, team, version: 1 };
    let bytes = kek.open(place, sealed)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| KekError::Tampered)
}

/// Makes the value of a generated secret.
pub fn generate(ids: &Ids, recipe: EnvGenerate) -> Zeroizing<Vec<u8>> {
    use base64::Engine as _;
    let text = match recipe {
        EnvGenerate::Hex32 => hex(ids.secret::<32>().as_slice()),
        EnvGenerate::Hex64 => hex(ids.secret::<64>().as_slice()),
        EnvGenerate::LaravelKey => {
            let key = base64::engine::general_purpose::STANDARD.encode(ids.secret::<32>().as_slice());
            format!("base64:{key}")
        }
    };
    Zeroizing::new(text.into_bytes())
}

fn row(project: ProjectId, secret: &SecretRef) -> String {
    format!("{project}/{}", secret.name)
}

fn place(row: &str, team: TeamId, version: u32) -> Place<'_> {
    Place { table: "secret", column: "value", row, team, version }
}
