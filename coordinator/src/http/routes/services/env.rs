//! `/services/{id}/env`: variables. Values of secrets go in and never come out.

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServiceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::body::{EnvBody, ServiceBody};
use crate::app::AppState;
use crate::http::extract::{Body, Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::env::{self, NewVar};
use crate::services::principal::Principal;

/// Variables to set; others stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutEnv {
    vars: Vec<PutVar>,
}

/// A variable to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutVar {
    #[schema(max_length = 128, pattern = "^[A-Za-z_][A-Za-z0-9_]*$")]
    name: String,
    #[schema(max_length = 32768, pattern = r"^[^\x00]*$")]
    value: String,
    /// Whether it is a secret; judged by the code and the name when left out.
    secret: Option<bool>,
}

/// The variables of a service afterwards.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EnvAnswer {
    items: Vec<EnvBody>,
    next_cursor: Option<String>,
    /// The whole service.
    service: ServiceBody,
}

/// Lists the variables of a service.
#[utoipa::path(get, path = "/services/{id}/env", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = Page<EnvBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_service_env(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<Page<EnvBody>>, Problem> {
    let vars = env::list(&app, &principal, id).await?;
    Ok(Json(Page::whole(vars.into_iter().map(EnvBody::from).collect())))
}

/// Sets variables of a service; others stay. Open plans become stale, and a redeploy makes it real.
#[utoipa::path(put, path = "/services/{id}/env", tag = "services", request_body = PutEnv,
    params(("id" = ServiceId, Path)), responses(
    (status = 200, body = EnvAnswer),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn put_service_env(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
    Body(body): Body<PutEnv>,
) -> Result<Json<EnvAnswer>, Problem> {
    let var = |var: PutVar| NewVar { name: var.name, value: Zeroizing::new(var.value), secret: var.secret };
    let vars: Vec<NewVar> = body.vars.into_iter().map(var).collect();
    let view = env::put(&app, &principal, id, &vars).await?;
    Ok(Json(EnvAnswer {
        items: view.env.iter().cloned().map(EnvBody::from).collect(),
        next_cursor: None,
        service: view.into(),
    }))
}

/// Removes a variable that was set.
#[utoipa::path(delete, path = "/services/{id}/env/{name}", tag = "services",
    params(("id" = ServiceId, Path), ("name" = String, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn delete_service_env(
    State(app): State<AppState>,
    principal: Principal,
    Path((id, name)): Path<(ServiceId, String)>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(env::delete(&app, &principal, id, &name).await?.into()))
}
