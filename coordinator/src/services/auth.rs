//! Signing in and out, and turning a cookie or a token into a principal.
//!
//! Rule: an attempt is counted and committed before the password is looked at; secrets are compared by their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use hydron_domain::identity::Actor;
use hydron_proto::ids::{SessionId, TeamId, UserId};
use hydron_store::audit::AuditDraft;
use hydron_store::sessions::NewSession;
use hydron_store::teams::Membership;
use hydron_store::users::User;
use hydron_store::{StoreError, SystemTx, Topic, Wake};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::passwords::{Checked, PasswordError};
use super::principal::{Credential, Principal};
use super::tokens::secret::ApiToken;
use crate::app::AppState;
use crate::keys::kek::hex;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// A session nobody uses ends after a week; any session after a month.
pub const SESSION_IDLE: i64 = 7 * DAY;
/// See above.
pub const SESSION_LIFE: i64 = 30 * DAY;
/// Five wrong tries a quarter of an hour for an address of mail, and more for an address of the network, which many
/// share. Where somebody signed in before has tries of its own: strangers cannot use up those of the owner.
pub const ATTEMPT_WINDOW: i64 = 15 * MINUTE;
/// So long an address of the network counts as one where somebody signed in.
pub const ADDRESS_KNOWN: i64 = 90 * DAY;
const ATTEMPTS_PER_ACCOUNT: i64 = 5;
const ATTEMPTS_PER_NETWORK_ADDRESS: i64 = 50;

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No live session or token.
    #[error("the session or token is unknown, expired or revoked")]
    NotSignedIn,
    /// The address or the password is wrong.
    #[error("the address or the password is wrong")]
    WrongPassword,
    /// Too many tries.
    #[error("too many attempts to sign in")]
    TooManyAttempts {
        /// When to try again.
        retry_after_s: u64,
    },
    /// The session names a team its user is not in.
    #[error("not a member of that team")]
    NotAMember,
    /// The user is in no team.
    #[error("in no team")]
    NoTeam,
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new session: the cookie's secret, shown once.
pub struct SignedIn {
    /// For the cookie.
    pub secret: Zeroizing<String>,
    /// Who signed in.
    pub user: User,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// Signs in with a password.
pub async fn sign_in(
    app: &AppState,
    email: &str,
    password: Zeroizing<String>,
    network_address: &str,
) -> Result<SignedIn, AuthError> {
    let account = account(email);
    let counted = count_attempt(app, &account, network_address).await?;
    let found = app.store.system().user_by_email(email.trim()).await?;
    let stored = found.as_ref().map(|found| found.password_hash.clone());
    let checked = app.passwords.check(password.clone(), stored).await?;
    let (Some(found), Checked::Right | Checked::RightButWeak) = (found, checked) else {
        return Err(AuthError::WrongPassword);
    };
    let rehashed = match checked {
        Checked::RightButWeak => Some(app.passwords.hash(password).await?),
        Checked::Right | Checked::Wrong => None,
    };
    let memberships = app.store.system().memberships(found.user.id).await?;
    let mut tx = app.store.system().begin(app.now()).await?;
    tx.clear_login_attempts(&counted.account).await?;
    tx.uncount_login_attempt(&counted.address).await?;
    tx.remember_login_address(&account, network_address).await?;
    if let Some(hash) = rehashed {
        tx.set_password_hash(found.user.id, &hash).await?;
    }
    let secret = open_session(app, &mut tx, found.user.id).await?;
    let actor = Actor::User { id: found.user.id, name: found.user.name.clone() };
    for membership in memberships {
        let draft = AuditDraft::new("session.opened", found.user.id, json!({ "address": network_address }));
        tx.audit(membership.team.id, &actor, draft).await?;
    }
    tx.commit().await?;
    Ok(SignedIn { secret, user: found.user })
}

/// Ends the session a principal came with; nothing to do for a token.
pub async fn sign_out(app: &AppState, principal: &Principal) -> Result<(), AuthError> {
    let Credential::Session { id, user } = principal.credential else {
        return Ok(());
    };
    let mut tx = app.store.system().begin(app.now()).await?;
    tx.delete_session(id).await?;
    let draft = AuditDraft::new("session.closed", user, json!({}));
    tx.audit(principal.team, &principal.actor, draft).await?;
    tx.wake(Wake::new(Topic::Rights, principal.team));
    tx.commit().await?;
    Ok(())
}

/// The principal behind a session's cookie, in the team it names or its first one.
pub async fn by_session(app: &AppState, secret: &str, team: Option<TeamId>) -> Result<Principal, AuthError> {
    let now = app.now();
    let system = app.store.system();
    let hash = sha256_hex(secret.as_bytes());
    let session = system.session(&hash, now - SESSION_IDLE, now).await?.ok_or(AuthError::NotSignedIn)?;
    if now - session.last_seen_at > MINUTE {
        let mut tx = system.begin(now).await?;
        tx.touch_session(session.id).await?;
        tx.commit().await?;
    }
    let membership = chosen(system.memberships(session.user.id).await?, team)?;
    Ok(Principal {
        credential: Credential::Session { id: session.id, user: session.user.id },
        actor: Actor::User { id: session.user.id, name: session.user.name },
        team: membership.team.id,
        role: membership.role,
    })
}

/// The principal behind an API token.
pub async fn by_token(app: &AppState, text: &str) -> Result<Principal, AuthError> {
    let now = app.now();
    let token = ApiToken::parse(text).ok_or(AuthError::NotSignedIn)?;
    let found = app.store.system().token_by_hash(&token.hash(), now).await?.ok_or(AuthError::NotSignedIn)?;
    if found.last_used_at.is_none_or(|at| now - at > MINUTE) {
        let mut tx = app.store.system().begin(now).await?;
        tx.touch_token(found.team, found.id).await?;
        tx.commit().await?;
    }
    Ok(Principal {
        credential: Credential::Token,
        actor: Actor::Token { id: found.id, name: found.name, owner: found.created_by },
        team: found.team,
        role: found.role,
    })
}

/// Adds a session in the caller's transaction; the secret for its cookie.
pub(crate) async fn open_session(
    app: &AppState,
    tx: &mut SystemTx,
    user: UserId,
) -> Result<Zeroizing<String>, StoreError> {
    let secret = Zeroizing::new(B64.encode(app.ids.secret::<32>().as_slice()));
    let session = NewSession {
        id: app.ids.next(SessionId::new),
        user,
        secret_hash: &sha256_hex(secret.as_bytes()),
        expires_at: tx.now() + SESSION_LIFE,
    };
    tx.insert_session(&session).await?;
    Ok(secret)
}

/// Lower-case hexadecimal SHA-256: how secrets with enough entropy of their own are stored.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// How tries and addresses name the account of an address of mail, whether there is one or not.
pub(crate) fn account(email: &str) -> String {
    sha256_hex(email.trim().to_lowercase().as_bytes())
}

/// Under which names an attempt was counted.
struct Counted {
    account: String,
    address: String,
}

/// In a transaction of its own that is committed before anything is checked.
async fn count_attempt(app: &AppState, account: &str, network_address: &str) -> Result<Counted, AuthError> {
    let now = app.now();
    let mut tx = app.store.system().begin(now).await?;
    let known = tx.knows_login_address(account, network_address, now - ADDRESS_KNOWN).await?;
    let counted = Counted {
        account: if known {
            format!("known:{account}:{network_address}")
        } else {
            format!("account:{account}")
        },
        address: format!("address:{network_address}"),
    };
    let for_account = tx.count_login_attempt(&counted.account, ATTEMPT_WINDOW).await?;
    let for_address = tx.count_login_attempt(&counted.address, ATTEMPT_WINDOW).await?;
    tx.commit().await?;
    // Whoever signed in here before is not kept out by what others try from the address that they share.
    let crowded = !known && for_address > ATTEMPTS_PER_NETWORK_ADDRESS;
    if for_account > ATTEMPTS_PER_ACCOUNT || crowded {
        return Err(AuthError::TooManyAttempts { retry_after_s: ATTEMPT_WINDOW.unsigned_abs() / 1000 });
    }
    Ok(counted)
}

fn chosen(memberships: Vec<Membership>, team: Option<TeamId>) -> Result<Membership, AuthError> {
    let mut memberships = memberships.into_iter();
    match team {
        None => memberships.next().ok_or(AuthError::NoTeam),
        Some(team) => memberships.find(|one| one.team.id == team).ok_or(AuthError::NotAMember),
    }
}
