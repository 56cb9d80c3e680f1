//! Variables of a service: set, change, remove.
//!
//! Rule: the value of a secret goes in and never comes out; a changed one is a new version.

use std::collections::BTreeSet;

use hydron_domain::env::{MAX_VARS, check_secret, check_value, looks_secret, secret_name};
use hydron_domain::service::Service;
use hydron_proto::ids::ServiceId;
use hydron_proto::names::EnvName;
use hydron_proto::plan::SecretRef;
use hydron_store::TeamTx;
use hydron_store::env_vars::{EnvVarRow, StoredValue};
use serde_json::json;
use zeroize::Zeroizing;

use super::component_view::{EnvView, ServiceView};
use super::components::{get, locked_service, told};
use super::input::InvalidField;
use super::principal::{Permission, Principal};
use super::refusal::Refusal;
use super::secrets;
use crate::app::AppState;

/// A variable to set. No Debug: it may hold a secret.
pub struct NewVar {
    /// Name, as typed.
    pub name: String,
    /// Value.
    pub value: Zeroizing<String>,
    /// Whether it is a secret; judged by the code and the name when absent.
    pub secret: Option<bool>,
}

impl std::fmt::Debug for NewVar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewVar").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The variables of a service.
pub async fn list(app: &AppState, principal: &Principal, id: ServiceId) -> Result<Vec<EnvView>, Refusal> {
    Ok(get(app, principal, id).await?.env)
}

/// Sets variables; others stay.
pub async fn put(
    app: &AppState,
    principal: &Principal,
    id: ServiceId,
    vars: &[NewVar],
) -> Result<ServiceView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let service = locked_service(&mut tx, id).await?;
    service.check_unlocked()?;
    let known = tx.env_vars(service.project).await?.into_iter().filter(|row| row.service == id);
    let mut after: BTreeSet<String> = known.map(|row| row.name.to_string()).collect();
    after.extend(vars.iter().map(|var| var.name.trim().to_owned()));
    if after.len() > MAX_VARS {
        return Err(InvalidField::new("vars", format!("a service has at most {MAX_VARS} variables")).into());
    }
    let mut names = Vec::new();
    for (index, var) in vars.iter().enumerate() {
        let field = |part: &str| format!("vars[{index}].{part}");
        let name: EnvName =
            var.name.trim().parse().map_err(|error| InvalidField::new(field("name"), error))?;
        let secret = is_secret(&service, &name, var);
        let checked = if secret { check_secret(&var.value) } else { check_value(&var.value) };
        checked.map_err(|problem| InvalidField::new(field("value"), problem))?;
        let row = sealed_row(app, &mut tx, &service, &name, var, secret).await?;
        tx.put_env_var(service.project, &row).await?;
        names.push(name.to_string());
    }
    told(app, &access, &mut tx, &service, "service.env_changed", json!({ "set": names })).await?;
    tx.commit().await?;
    get(app, principal, id).await
}

/// Removes a variable that a person set.
pub async fn delete(
    app: &AppState,
    principal: &Principal,
    id: ServiceId,
    name: &str,
) -> Result<ServiceView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let service = locked_service(&mut tx, id).await?;
    service.check_unlocked()?;
    let name: EnvName = name.parse().map_err(|_| Refusal::NotFound("variable"))?;
    if !tx.delete_env_var(id, &name).await? {
        return Err(Refusal::NotFound("variable"));
    }
    told(app, &access, &mut tx, &service, "service.env_changed", json!({ "removed": [name] })).await?;
    tx.commit().await?;
    get(app, principal, id).await
}

/// As the person says; else as the code and the name say.
fn is_secret(service: &Service, name: &EnvName, var: &NewVar) -> bool {
    let need = service.spec.env.iter().find(|need| need.name == name.as_str());
    var.secret.unwrap_or_else(|| need.map_or_else(|| looks_secret(name.as_str()), |need| need.secret))
}

async fn sealed_row(
    app: &AppState,
    tx: &mut TeamTx,
    service: &Service,
    name: &EnvName,
    var: &NewVar,
    secret: bool,
) -> Result<EnvVarRow, Refusal> {
    let (team, entropy) = (tx.team(), app.ids.entropy());
    let value = if secret {
        let secret = next_version(tx, service, name).await?;
        let sealed = secrets::seal(&app.kek, entropy, team, service.project, &secret, var.value.as_bytes())?;
        tx.insert_secret(service.project, &secret, &sealed, false).await?;
        StoredValue::Secret(secret)
    } else {
        StoredValue::Sealed(secrets::seal_plain(&app.kek, entropy, team, service.id, name, &var.value)?)
    };
    Ok(EnvVarRow { service: service.id, name: name.clone(), value, updated_at: tx.now() })
}

async fn next_version(tx: &mut TeamTx, service: &Service, name: &EnvName) -> Result<SecretRef, Refusal> {
    let secret =
        secret_name(service.id, name.as_str()).ok_or_else(|| InvalidField::new("name", "is too long"))?;
    let versions = tx.secret_versions(service.project).await?;
    let newest = versions.iter().find(|(known, _, _)| *known == secret).map_or(0, |(_, version, _)| *version);
    Ok(SecretRef { name: secret, version: newest + 1 })
}
