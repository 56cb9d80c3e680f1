//! `GET /teams/{id}/members`

use axum::Json;
use axum::extract::State;
use hydron_domain::identity::Role;
use hydron_proto::ids::{TeamId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::teams;

/// A person of the team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberBody {
    user_id: UserId,
    name: String,
    email: String,
    role: Role,
    joined_at: i64,
}

/// Lists who belongs to the team.
#[utoipa::path(get, path = "/teams/{id}/members", tag = "teams", params(("id" = TeamId, Path)), responses(
    (status = 200, body = Page<MemberBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_members(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<TeamId>,
) -> Result<Json<Page<MemberBody>>, Problem> {
    let members = teams::members(&app, &principal, id).await?;
    let items = members.into_iter().map(|member| MemberBody {
        user_id: member.user,
        name: member.name,
        email: member.email,
        role: member.role,
        joined_at: member.joined_at,
    });
    Ok(Json(Page::whole(items.collect())))
}
