//! Services of a project: looking, editing, accepting, rejecting, locking.
//!
//! Rule: every change is judged by `domain::service`, made under the project's lock, and followed by the question
//! whether open plans still fit. (The folder is called `services` already; the product's services are its components.)

use hydron_domain::service::{Service, ServiceEdit, ServiceState, apply_edit};
use hydron_proto::ids::{ProjectId, ServiceId};
use hydron_store::TeamTx;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use serde_json::{Value, json};

use super::component_view::{ServiceView, view_all};
use super::input::InvalidField;
use super::plans;
use super::principal::{Access, Permission, Principal};
use super::refusal::Refusal;
use crate::app::AppState;

/// What a person decides about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Into the next plan.
    Accept,
    /// Left out.
    Reject,
    /// Must not change.
    Lock,
    /// May change.
    Unlock,
}

impl Decision {
    fn action(self) -> &'static str {
        match self {
            Self::Accept => "service.accepted",
            Self::Reject => "service.rejected",
            Self::Lock => "service.locked",
            Self::Unlock => "service.unlocked",
        }
    }
}

/// A project's services.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
) -> Result<Vec<ServiceView>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    view_all(app, &access.team, project).await
}

/// One service.
pub async fn get(app: &AppState, principal: &Principal, id: ServiceId) -> Result<ServiceView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    one(app, &access, id).await
}

/// Changes fields of a service.
pub async fn edit(
    app: &AppState,
    principal: &Principal,
    id: ServiceId,
    edit: &ServiceEdit,
) -> Result<ServiceView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let service = locked_service(&mut tx, id).await?;
    service.check_unlocked()?;
    let (name, spec) = apply_edit(&service, edit)?;
    let others = tx.services(service.project).await?;
    if others.iter().any(|other| other.id != id && other.name == name) {
        return Err(InvalidField::taken(
            "name",
            format!("{name} is taken by another service of this project"),
        )
        .into());
    }
    if let Some(unknown) =
        spec.depends_on.iter().find(|need| !others.iter().any(|other| other.name == **need))
    {
        return Err(InvalidField::unknown(
            "depends_on",
            format!("there is no service {unknown} in this project"),
        )
        .into());
    }
    if name != service.name {
        rename_in_others(&mut tx, &others, &service, &name).await?;
    }
    let fields: Vec<String> = spec.edited.iter().cloned().collect();
    let changed = Service { name, spec, ..service };
    tx.save_service(&changed).await?;
    told(app, &access, &mut tx, &changed, "service.changed", json!({ "edited": fields })).await?;
    tx.commit().await?;
    one(app, &access, id).await
}

/// Accepts, rejects, locks or unlocks a service.
pub async fn decide(
    app: &AppState,
    principal: &Principal,
    id: ServiceId,
    decision: Decision,
) -> Result<ServiceView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let service = locked_service(&mut tx, id).await?;
    let (state, locked) = match decision {
        Decision::Accept => (service.accept()?, service.locked),
        Decision::Reject => (service.reject()?, service.locked),
        Decision::Lock => (service.state, true),
        Decision::Unlock => (service.state, false),
    };
    let changed = Service { state, locked, ..service };
    tx.save_service(&changed).await?;
    told(app, &access, &mut tx, &changed, decision.action(), json!({})).await?;
    tx.commit().await?;
    one(app, &access, id).await
}

/// Accepts every pending service that can be built.
pub async fn accept_all(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
) -> Result<Vec<ServiceView>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    if !tx.lock_project(project).await? {
        return Err(Refusal::NotFound("project"));
    }
    tx.audit(AuditDraft::new("services.accepted", project, json!({})));
    for service in tx.services(project).await? {
        let Ok(state) = service.accept() else { continue };
        if service.state == ServiceState::Pending {
            let changed = Service { state, ..service };
            tx.save_service(&changed).await?;
            told(app, &access, &mut tx, &changed, Decision::Accept.action(), json!({})).await?;
        }
    }
    tx.commit().await?;
    view_all(app, &access.team, project).await
}

/// The service, read under its project's lock.
pub(super) async fn locked_service(tx: &mut TeamTx, id: ServiceId) -> Result<Service, Refusal> {
    let service = tx.service(id).await?.ok_or(Refusal::NotFound("service"))?;
    if !tx.lock_project(service.project).await? {
        return Err(Refusal::NotFound("service"));
    }
    tx.service(id).await?.ok_or(Refusal::NotFound("service"))
}

/// Event, audit row and the plans' check for a changed service.
pub(super) async fn told(
    app: &AppState,
    access: &Access,
    tx: &mut TeamTx,
    service: &Service,
    action: &'static str,
    detail: Value,
) -> Result<(), Refusal> {
    let data = json!({ "name": service.name, "state": service.state, "locked": service.locked });
    tx.event(EventDraft::new(action, service.id, data).in_project(service.project));
    tx.audit(AuditDraft::new(action, service.id, json!({ "name": service.name, "detail": detail })));
    tx.touch_project(service.project).await?;
    plans::refresh(app, &access.team, tx, service.project).await
}

async fn rename_in_others(
    tx: &mut TeamTx,
    others: &[Service],
    service: &Service,
    name: &hydron_proto::names::ServiceName,
) -> Result<(), Refusal> {
    for other in others.iter().filter(|other| other.spec.depends_on.contains(&service.name)) {
        let mut changed = other.clone();
        changed.spec.depends_on.remove(&service.name);
        changed.spec.depends_on.insert(name.clone());
        tx.save_service(&changed).await?;
    }
    Ok(())
}

async fn one(app: &AppState, access: &Access, id: ServiceId) -> Result<ServiceView, Refusal> {
    let service = access.team.service(id).await?.ok_or(Refusal::NotFound("service"))?;
    access.team.project(service.project).await?.ok_or(Refusal::NotFound("service"))?;
    let views = view_all(app, &access.team, service.project).await?;
    views.into_iter().find(|view| view.service.id == id).ok_or(Refusal::NotFound("service"))
}
