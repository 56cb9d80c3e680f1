//! `/auth` and `/me`: signing in and out, and who one is.

mod login;
mod logout;
mod me;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hydron_domain::identity::Role;
use hydron_proto::ids::{TeamId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::http::session_cookie;
use crate::services::auth::{SESSION_LIFE, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(login::login))
        .routes(routes!(logout::logout))
        .routes(routes!(me::get_me))
}

pub(super) const ACCESS: &[(&str, Access)] =
    &[("login", Access::Public), ("logout", Access::SignedIn), ("get_me", Access::SignedIn)];

/// Who one is, and where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub(super) struct MeBody {
    /// The person; null for an API token.
    user: Option<MeUser>,
    /// The team of this request; null for somebody in none.
    team: Option<MeTeam>,
    /// Every team to choose from, by the `Hydron-Team` header.
    teams: Vec<MeTeam>,
    /// Always null: unsafe requests are checked by where they come from.
    csrf: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeUser {
    id: UserId,
    email: String,
    name: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct MeTeam {
    id: TeamId,
    name: String,
    role: Role,
}

/// The answer to a successful set-up or sign-in: who one is, with the cookie.
pub(super) async fn signed_in(
    app: &AppState,
    status: StatusCode,
    session: SignedIn,
) -> Result<Response, Problem> {
    let teams = app.store.system().memberships(session.user.id).await?;
    let teams: Vec<MeTeam> = teams.into_iter().map(MeTeam::from).collect();
    let body = MeBody {
        user: Some(MeUser { id: session.user.id, email: session.user.email, name: session.user.name }),
        team: teams.first().cloned(),
        teams,
        csrf: None,
    };
    let mut response = (status, Json(body)).into_response();
    if let Some(cookie) = session_cookie::set(&session.secret, SESSION_LIFE / 1000) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

impl From<hydron_store::teams::Membership> for MeTeam {
    fn from(membership: hydron_store::teams::Membership) -> Self {
        Self { id: membership.team.id, name: membership.team.name, role: membership.role }
    }
}
