//! `/healthz`, `/readyz`, `/metrics`: for load balancers and Prometheus, without signing in.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::problem::Problem;
use crate::app::AppState;

/// The three paths.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready is: the database answers, its schema is ours, and we are not about to stop.
async fn ready(State(app): State<AppState>) -> Result<&'static str, Problem> {
    let unavailable = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail);
    if app.stopping.is_cancelled() {
        return Err(unavailable("This coordinator is stopping."));
    }
    let asked = tokio::time::timeout(std::time::Duration::from_secs(2), app.store.ping()).await;
    match asked {
        Ok(Ok(())) => Ok("ok\n"),
        Ok(Err(_)) | Err(_) => Err(unavailable("The database does not answer.")),
    }
}

async fn metrics(State(app): State<AppState>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render(app.agents.count())).into_response()
}
