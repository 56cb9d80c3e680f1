//! Enrollment and renewal after the end: one HTTP request a connection, protobuf in, protobuf out.
//!
//! Rule: small, slow-proof, and nothing but a translation; `services::enrollment` decides.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use hydron_proto::wire;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::identity::Claim;
use crate::app::AppState;
use crate::http::problem::Problem;
use crate::services::enrollment::{self, EnrollError};

/// A request and its answer.
const LONGEST: Duration = Duration::from_secs(20);
/// A certificate request, facts, a token.
const LARGEST: usize = 64 * 1024;

/// `POST /v1/enroll`.
pub(super) fn enroll(app: AppState) -> Router {
    let handler = async move |body: Bytes| match wire::EnrollRequest::decode(body) {
        Ok(request) => answer(enrollment::enroll(&app, request).await),
        Err(_) => malformed(),
    };
    Router::new().route("/v1/enroll", post(handler)).layer(DefaultBodyLimit::max(LARGEST))
}

/// `POST /v1/renew`, for the server that the client certificate names.
pub(super) fn renew(app: AppState, claim: Option<Claim>) -> Router {
    let handler = async move |body: Bytes| {
        let Ok(request) = wire::RenewRequest::decode(body) else { return malformed() };
        match claim {
            Some(claim) => match claim.check(&app.store).await {
                Ok(server) => answer(enrollment::renew(&app, &server, &request.csr_der)),
                Err(stranger) => {
                    Problem::new(StatusCode::FORBIDDEN, stranger.code(), stranger.to_string()).into_response()
                }
            },
            None => Problem::forbidden("The certificate does not name a server.").into_response(),
        }
    };
    Router::new().route("/v1/renew", post(handler)).layer(DefaultBodyLimit::max(LARGEST))
}

/// Serves one connection.
pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10)).keep_alive(false);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(LONGEST, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an enrollment connection ended with an error"),
    }
}

fn answer(result: Result<impl Message, EnrollError>) -> Response {
    match result {
        Ok(reply) => {
            ([(header::CONTENT_TYPE, "application/x-protobuf")], reply.encode_to_vec()).into_response()
        }
        Err(error) => error.problem().into_response(),
    }
}

fn malformed() -> Response {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "The body is not the message that belongs here.")
        .into_response()
}
