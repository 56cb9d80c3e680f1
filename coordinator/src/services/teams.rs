//! Teams: who one is, which teams one has, who else is there.

use hydron_proto::ids::TeamId;
use hydron_store::events::Event;
use hydron_store::teams::{Member, Membership, Team};
use hydron_store::users::User;

use super::input::ReadError;
use super::principal::{Permission, Principal};
use crate::app::AppState;

/// The person behind a principal; none for a token.
pub async fn me(app: &AppState, principal: &Principal) -> Result<Option<User>, ReadError> {
    principal.authorize(&app.store, Permission::TeamRead)?;
    match principal.user() {
        Some(user) => Ok(app.store.system().user(user).await?),
        None => Ok(None),
    }
}

/// The teams a principal can choose from: all of a person's, the one of a token.
pub async fn list(app: &AppState, principal: &Principal) -> Result<Vec<Membership>, ReadError> {
    let access = principal.authorize(&app.store, Permission::TeamRead)?;
    if let Some(user) = principal.user() {
        return Ok(app.store.system().memberships(user).await?);
    }
    let team = access.team.team().await?.ok_or(ReadError::NotFound("team"))?;
    Ok(vec![Membership { team, role: principal.role }])
}

/// One team: the one the principal works in. Any other is not there.
pub async fn get(app: &AppState, principal: &Principal, id: TeamId) -> Result<Team, ReadError> {
    let access = principal.authorize(&app.store, Permission::TeamRead)?;
    own(principal, id)?;
    access.team.team().await?.ok_or(ReadError::NotFound("team"))
}

/// Who belongs to it.
pub async fn members(app: &AppState, principal: &Principal, id: TeamId) -> Result<Vec<Member>, ReadError> {
    let access = principal.authorize(&app.store, Permission::TeamRead)?;
    own(principal, id)?;
    Ok(access.team.members().await?)
}

/// What happened in it after `seq`; for streams.
pub async fn events(
    app: &AppState,
    principal: &Principal,
    id: TeamId,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, ReadError> {
    let access = principal.authorize(&app.store, Permission::TeamRead)?;
    own(principal, id)?;
    Ok(access.team.events_after(after, limit).await?)
}

/// The newest sequence number of its events; where a stream without a history begins.
pub async fn last_event(app: &AppState, principal: &Principal, id: TeamId) -> Result<i64, ReadError> {
    let access = principal.authorize(&app.store, Permission::TeamRead)?;
    own(principal, id)?;
    Ok(access.team.last_event().await?)
}

fn own(principal: &Principal, id: TeamId) -> Result<(), ReadError> {
    if id == principal.team { Ok(()) } else { Err(ReadError::NotFound("team")) }
}
