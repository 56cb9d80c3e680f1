//! `PATCH /projects/{id}`

use axum::Json;
use axum::extract::State;
use hydron_domain::project::ProjectType;
use hydron_proto::ids::ProjectId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::ProjectBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::projects;

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProject {
    #[schema(
        min_length = 1,
        max_length = 80,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<ProjectType>,
}

/// Renames a project or changes its kind. Its host name stays.
#[utoipa::path(patch, path = "/projects/{id}", tag = "projects", request_body = UpdateProject,
    params(("id" = ProjectId, Path)), responses(
    (status = 200, body = ProjectBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn update_project(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
    Body(body): Body<UpdateProject>,
) -> Result<Json<ProjectBody>, Problem> {
    let project = projects::update(&app, &principal, id, body.name.as_deref(), body.kind).await?;
    Ok(Json(project.into()))
}
