//! Servers of the team: looking, naming, taking out.

use std::collections::BTreeSet;

use hydron_proto::ids::{ProjectId, ServerId};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::servers::{Connection, Server};
use hydron_store::{StoreError, TeamStore, Topic, Wake};
use serde_json::json;

use crate::app::AppState;
use crate::services::input::{InvalidField, ReadError, display_name};
use crate::services::principal::{Denied, Permission, Principal};

/// A server as screens show it.
#[derive(Debug, Clone)]
pub struct ServerView {
    /// Its row.
    pub server: Server,
    /// Whether its agent is connected.
    pub online: bool,
    /// Projects that use it.
    pub projects: Vec<ProjectId>,
}

/// Why a server could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A field cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Not there, or not theirs.
    #[error("there is no such server")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every server that was not revoked.
pub async fn list(app: &AppState, principal: &Principal) -> Result<Vec<ServerView>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ServersRead)?;
    let links = access.team.project_servers().await?;
    let servers = access.team.servers().await?;
    let online = online(app, &access.team).await?;
    Ok(servers.into_iter().map(|server| view(server, &online, &links)).collect())
}

/// One server.
pub async fn get(app: &AppState, principal: &Principal, id: ServerId) -> Result<ServerView, ReadError> {
    let access = principal.authorize(&app.store, Permission::ServersRead)?;
    let server = access.team.server(id).await?.filter(|server| server.revoked_at.is_none());
    let server = server.ok_or(ReadError::NotFound("server"))?;
    let links = access.team.project_servers().await?;
    let online = online(app, &access.team).await?;
    Ok(view(server, &online, &links))
}

/// A coordinator that has just begun calls nobody down who was connected before: everybody has this long to come back,
/// milliseconds. The longest wait of an agent between two attempts is a minute.
pub(crate) const RETURN_WITHIN_MS: i64 = 5 * 60 * 1000;

/// The team's servers whose agent is connected, here or to another coordinator, or is on its way back after a restart.
pub(crate) async fn online(app: &AppState, team: &TeamStore) -> Result<BTreeSet<ServerId>, StoreError> {
    let now = app.now();
    let returning = now - app.started_at < RETURN_WITHIN_MS;
    let held = |one: &Connection| {
        let here = *one.replica == *app.replica;
        if here { app.agents.is_online(one.server) } else { returning || one.is_held(now) }
    };
    Ok(team.connections().await?.into_iter().filter(held).map(|one| one.server).collect())
}

/// Gives a server another name.
pub async fn rename(
    app: &AppState,
    principal: &Principal,
    id: ServerId,
    name: &str,
) -> Result<(), ServerError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    let name = display_name("name", name)?;
    let mut tx = access.begin(app.now()).await?;
    live(&mut tx, id).await?;
    tx.rename_server(id, &name).await.map_err(|error| {
        if error.is_exists() {
            ServerError::Invalid(InvalidField::taken("name", "is taken by another server of this team"))
        } else {
            error.into()
        }
    })?;
    tx.event(EventDraft::new("server.changed", id, json!({ "name": name })));
    tx.audit(AuditDraft::new("server.renamed", id, json!({ "name": name })));
    tx.commit().await?;
    Ok(())
}

/// Takes a server out: its key is worth nothing from now on, its connection ends, its runs fail. What runs there stays.
pub async fn revoke(app: &AppState, principal: &Principal, id: ServerId) -> Result<(), ServerError> {
    let access = principal.authorize(&app.store, Permission::ServersManage)?;
    let mut tx = access.begin(app.now()).await?;
    live(&mut tx, id).await?;
    tx.revoke_server(id).await?;
    tx.revoke_enrollment_tokens(id).await?;
    tx.event(EventDraft::new("server.revoked", id, json!({})));
    tx.audit(AuditDraft::new("server.revoked", id, json!({})));
    tx.wake(Wake::new(Topic::Work, id));
    tx.commit().await?;
    app.agents.close(id, 4003, "revoked");
    Ok(())
}

async fn live(tx: &mut hydron_store::TeamTx, id: ServerId) -> Result<Server, ServerError> {
    tx.server(id).await?.filter(|server| server.revoked_at.is_none()).ok_or(ServerError::NotFound)
}

fn view(server: Server, online: &BTreeSet<ServerId>, links: &[(ProjectId, ServerId)]) -> ServerView {
    let projects =
        links.iter().filter(|(_, linked)| *linked == server.id).map(|(project, _)| *project).collect();
    ServerView { online: online.contains(&server.id), server, projects }
}
