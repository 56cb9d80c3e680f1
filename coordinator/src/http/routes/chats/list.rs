//! `GET /projects/{id}/chats`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProjectId;

use super::ChatBody;
use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::chats;
use crate::services::principal::Principal;

/// Lists a project's conversations, newest first.
#[utoipa::path(get, path = "/projects/{id}/chats", tag = "chats", params(("id" = ProjectId, Path)), responses(
    (status = 200, body = Page<ChatBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_chats(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
) -> Result<Json<Page<ChatBody>>, Problem> {
    let chats = chats::list(&app, &principal, id).await?;
    Ok(Json(Page::whole(chats.into_iter().map(ChatBody::from).collect())))
}
