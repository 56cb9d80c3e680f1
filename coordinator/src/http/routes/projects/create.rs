//! `POST /projects`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_domain::project::ProjectType;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::ProjectBody;
use crate::app::AppState;
use crate::http::extract::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::projects;

/// What the project shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProject {
    /// What you call it.
    #[schema(
        min_length = 1,
        max_length = 80,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: String,
    /// What kind of application it holds; `web_app` when left out.
    #[serde(rename = "type")]
    kind: Option<ProjectType>,
}

/// Makes a project with a host name of its own.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = CreateProject,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
    (status = 201, body = ProjectBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn create_project(
    State(app): State<AppState>,
    principal: Principal,
    Body(body): Body<CreateProject>,
) -> Result<(StatusCode, Json<ProjectBody>), Problem> {
    let project = projects::create(&app, &principal, &body.name, body.kind).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}
