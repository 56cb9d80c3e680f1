//! The first start: a one-time link makes the first owner. There is no default password.
//!
//! Rule: the link is worthless as soon as anybody exists, and works once even for two who open it at the same moment.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use hydron_domain::identity::{Actor, Role};
use hydron_proto::ids::{TeamId, UserId};
use hydron_store::StoreError;
use hydron_store::audit::AuditDraft;
use hydron_store::teams::Team;
use hydron_store::users::User;
use serde_json::json;
use zeroize::Zeroizing;

use super::auth::{SignedIn, account, open_session, sha256_hex};
use super::input::{InvalidField, display_name, email, new_password};
use super::passwords::PasswordError;
use crate::app::AppState;

/// Why the installation was not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The link is unknown or was used.
    #[error("the set-up link is unknown or was used before")]
    BadLink,
    /// Somebody did it already.
    #[error("this installation has been set up already")]
    AlreadyDone,
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the first owner types.
pub struct Setup {
    /// From the link.
    pub token: Zeroizing<String>,
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// Name of the first team.
    pub team_name: String,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Whether nobody has set this installation up.
pub async fn needed(app: &AppState) -> Result<bool, StoreError> {
    Ok(!app.store.system().has_users().await?)
}

/// A fresh link's secret when one is needed; links printed before are void.
pub async fn issue_link(app: &AppState) -> Result<Option<Zeroizing<String>>, StoreError> {
    let mut tx = app.store.system().begin(app.now()).await?;
    if tx.has_users().await? {
        return Ok(None);
    }
    let secret = Zeroizing::new(B64.encode(app.ids.secret::<32>().as_slice()));
    tx.replace_setup_link(&sha256_hex(secret.as_bytes())).await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Makes the first owner and the first team, and signs the owner in.
pub async fn complete(app: &AppState, setup: Setup, network_address: &str) -> Result<SignedIn, SetupError> {
    if !needed(app).await? {
        return Err(SetupError::AlreadyDone);
    }
    let now = app.now();
    let user = User {
        id: app.ids.next(UserId::new),
        email: email("email", &setup.email)?,
        name: display_name("name", &setup.name)?,
        created_at: now,
    };
    let team = Team {
        id: app.ids.next(TeamId::new),
        name: display_name("team_name", &setup.team_name)?,
        created_at: now,
    };
    new_password("password", &setup.password)?;
    let token = sha256_hex(setup.token.as_bytes());
    let password_hash = app.passwords.hash(setup.password).await?;

    let mut tx = app.store.system().begin(now).await?;
    if !tx.use_setup_link(&token).await? {
        return Err(SetupError::BadLink);
    }
    if tx.has_users().await? {
        return Err(SetupError::AlreadyDone);
    }
    tx.insert_user(&user, &password_hash).await?;
    tx.insert_team(&team).await?;
    tx.insert_member(team.id, user.id, Role::Owner).await?;
    let secret = open_session(app, &mut tx, user.id).await?;
    tx.remember_login_address(&account(&user.email), network_address).await?;
    let actor = Actor::User { id: user.id, name: user.name.clone() };
    tx.audit(team.id, &actor, AuditDraft::new("installation.set_up", team.id, json!({ "owner": user.id })))
        .await?;
    tx.commit().await?;
    Ok(SignedIn { secret, user })
}
