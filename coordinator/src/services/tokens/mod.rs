//! API tokens: listing, making, revoking.
//!
//! Rule: a token never has more rights than whoever makes it, and never outlives a year.

pub mod secret;

use hydron_domain::identity::Role;
use hydron_proto::ids::TokenId;
use hydron_store::audit::AuditDraft;
use hydron_store::tokens::Token;
use hydron_store::{StoreError, Topic, Wake};
use serde_json::json;

use self::secret::ApiToken;
use super::input::{InvalidField, display_name};
use super::principal::{Denied, Permission, Principal};
use crate::app::AppState;

const DAY: i64 = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS: u32 = 90;
const MOST_DAYS: u32 = 366;

/// Why a token was not listed, made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Not there, or another team's.
    #[error("there is no such token")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a new token shall be.
#[derive(Debug)]
pub struct NewToken {
    /// What a person calls it.
    pub name: String,
    /// What it may do; the maker's role when left out.
    pub role: Option<Role>,
    /// How long it lives; 90 days when left out.
    pub expires_in_days: Option<u32>,
}

/// The team's tokens.
pub async fn list(app: &AppState, principal: &Principal) -> Result<Vec<Token>, TokenError> {
    let access = principal.authorize(&app.store, Permission::TokensManage)?;
    Ok(access.team.tokens().await?)
}

/// Makes a token; its text is returned here and never again.
pub async fn create(
    app: &AppState,
    principal: &Principal,
    new: NewToken,
) -> Result<(Token, ApiToken), TokenError> {
    let access = principal.authorize(&app.store, Permission::TokensManage)?;
    let role = new.role.unwrap_or(access.role);
    if role > access.role {
        return Err(Denied::Role { needs: role, has: access.role }.into());
    }
    let days = new.expires_in_days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(InvalidField::new("expires_in_days", "must be between 1 and 366").into());
    }
    let text = ApiToken::generate(app.ids.entropy());
    let now = app.now();
    let token = Token {
        team: access.team.id(),
        id: app.ids.next(TokenId::new),
        name: display_name("name", &new.name)?,
        prefix: text.shown(),
        role,
        created_by: principal.user(),
        created_at: now,
        expires_at: now + i64::from(days) * DAY,
        last_used_at: None,
    };
    let mut tx = access.begin(now).await?;
    tx.insert_token(&token, &text.hash()).await?;
    let detail = json!({ "name": token.name, "role": role, "expires_at": token.expires_at });
    tx.audit(AuditDraft::new("token.created", token.id, detail));
    tx.commit().await?;
    Ok((token, text))
}

/// Revokes a token; requests with it fail from now on.
pub async fn revoke(app: &AppState, principal: &Principal, id: TokenId) -> Result<(), TokenError> {
    let access = principal.authorize(&app.store, Permission::TokensManage)?;
    let mut tx = access.begin(app.now()).await?;
    if !tx.delete_token(id).await? {
        return Err(TokenError::NotFound);
    }
    tx.audit(AuditDraft::new("token.revoked", id, json!({})));
    tx.wake(Wake::new(Topic::Rights, access.team.id()));
    tx.commit().await?;
    Ok(())
}
