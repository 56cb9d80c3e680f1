//! From a request to a principal: a bearer token or a session's cookie.
//!
//! Rule: a browser's cookie alone changes nothing; an unsafe request with it must come from our own pages.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use hydron_proto::ids::TeamId;

use super::forwarded::client_of;
use crate::app::AppState;
use crate::http::problem::Problem;
use crate::http::session_cookie;
use crate::services::auth::{self, AuthError};
use crate::services::principal::Principal;

/// The header by which a session names its team.
const TEAM_HEADER: &str = "hydron-team";

/// Where a connection comes from; put into every request by the listener. As an argument of a handler it is the client's
/// own address, also behind a proxy that the operator trusts.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Who sent this request.
pub async fn authenticate(
    app: &AppState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Principal, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| {
            Problem::unauthenticated("The Authorization header must be: Bearer hyd_…, an API token.")
        })?;
        let principal = auth::by_token(app, token.trim()).await?;
        return match named_team(headers)? {
            Some(team) if team != principal.team => Err(Problem::not_found("team")),
            Some(_) | None => Ok(principal),
        };
    }
    let Some(secret) = session_cookie::read(headers) else {
        return Err(Problem::unauthenticated(
            "Sign in first, or send an API token as Authorization: Bearer hyd_….",
        ));
    };
    if !method.is_safe() && !comes_from_our_pages(headers) {
        return Err(cross_site());
    }
    let team = named_team(headers)?;
    auth::by_session(app, secret, team).await.map_err(Problem::from)
}

/// Sign-in and set-up work without a cookie, but never from another site's page.
pub(crate) fn refuse_other_sites(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let from_a_page = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if method.is_safe() || !from_a_page || comes_from_our_pages(headers) {
        return Ok(());
    }
    Err(cross_site())
}

fn cross_site() -> Problem {
    let detail = "This request was sent by another site's page, or hides where it comes from.";
    Problem::new(axum::http::StatusCode::FORBIDDEN, "cross_site", detail)
}

/// Browsers send Sec-Fetch-Site; older ones at least Origin. Neither can be set by a page.
fn comes_from_our_pages(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text("origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text("host")
}

fn named_team(headers: &HeaderMap) -> Result<Option<TeamId>, Problem> {
    match headers.get(TEAM_HEADER) {
        None => Ok(None),
        Some(value) => match value.to_str().ok().and_then(|text| text.parse().ok()) {
            Some(team) => Ok(Some(team)),
            None => Err(Problem::not_found("team")),
        },
    }
}

impl FromRequestParts<AppState> for Principal {
    type Rejection = Problem;

    /// The gate has authenticated already; without it nobody is anybody.
    async fn from_request_parts(parts: &mut Parts, _app: &AppState) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Self>().cloned();
        principal.ok_or_else(|| Problem::unauthenticated("Sign in first, or send an API token."))
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::from([0, 0, 0, 0])));
        Ok(Self(client_of(peer.0, &parts.headers, &app.config.trusted_proxies)))
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::NotSignedIn => {
                Self::unauthenticated("This session or token is unknown, expired or revoked. Sign in again.")
            }
            AuthError::WrongPassword => Self::new(
                axum::http::StatusCode::UNAUTHORIZED,
                "wrong_credentials",
                "The address or the password is wrong.",
            ),
            AuthError::TooManyAttempts { retry_after_s } => Self::new(
                axum::http::StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                format!("Too many attempts to sign in. Try again in {} minutes.", retry_after_s.div_ceil(60)),
            )
            .with("retry_after_s", retry_after_s.into()),
            AuthError::NotAMember => Self::not_found("team"),
            AuthError::NoTeam => Self::forbidden("You belong to no team. Ask an owner to add you."),
            AuthError::Password(error) => Self::internal(&error),
            AuthError::Store(error) => error.into(),
        }
    }
}
