//! A request is looked at when its body is here.
//!
//! Rule: nobody is answered in the middle of what they send. An answer before the end of a body closes the connection under
//! the sender's hands, who then sees a broken connection instead of the problem that the answer names.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::extract::read_body;
use super::problem::Problem;

/// For the whole body.
const WITHIN: Duration = Duration::from_secs(30);

/// Waits for the body, and passes the request on with it.
pub(super) async fn whole(request: Request, next: Next) -> Result<Response, Problem> {
    if request.body().is_end_stream() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let reading = read_body(Request::from_parts(parts.clone(), body), &());
    let bytes = tokio::time::timeout(WITHIN, reading).await.map_err(|_| late())??;
    Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await)
}

fn late() -> Problem {
    let text = "The body did not arrive within 30 seconds.";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "unreadable_body", text)
}
