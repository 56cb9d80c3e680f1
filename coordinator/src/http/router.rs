//! The whole HTTP surface in one function: the API behind its gate, health, the web interface, and what wraps them all.

use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler as _;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use super::gate::{self, Operations};
use super::problem::Problem;
use super::{arrival, health, openapi, routes, ui};
use crate::app::AppState;

/// Where the API begins.
pub const API: &str = "/api/v1";
/// The most a request may carry.
const BODY_LIMIT: usize = 1024 * 1024;

/// Only our own scripts, styles and connections; nobody may frame us. Deployed sites are linked, never embedded.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that this coordinator answers.
pub fn build(app: AppState) -> Router {
    let (api, document) = api();
    let operations = Operations::new(&document, &routes::access());
    let api: Router<AppState> = api
        .layer(middleware::from_fn_with_state((app.clone(), operations), gate::guard))
        .layer(middleware::from_fn(arrival::whole))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    Router::new()
        .merge(api)
        .route("/api/v1/openapi.json", get(|| async move { Json(document) }))
        .merge(health::routes())
        // Only what is the same for everybody is compressed: a length tells nothing then.
        .fallback(ui::serve.layer(CompressionLayer::new()))
        .layer(middleware::from_fn(headers))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// The OpenAPI document of the whole API.
pub fn document() -> utoipa::openapi::OpenApi {
    api().1
}

fn api() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(openapi::Base::openapi()).nest(API, routes::routes()).split_for_parts()
}

async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn count(
    axum::extract::State(app): axum::extract::State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    app.metrics.answered(response.status().as_u16());
    tracing::debug!(%method, path, status = response.status().as_u16(), "answered");
    response
}

fn panicked(_panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something failed inside Hydron. Its log has the details.",
    )
    .into_response()
}
