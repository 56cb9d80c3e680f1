//! `Idempotency-Key` on creating calls: the same key and request give the same answer for 24 hours, and the work is done
//! once. (The shape of the IETF draft and of Stripe's interface.)
//!
//! Rule: claimed and committed before the work. Stored answers are encrypted, for some hold a token shown once. An answer
//! of 5xx, and a refusal that changed nothing, give the key free again.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hydron_store::idempotency::{IdempotencyKey, Remembered};
use sha2::{Digest as _, Sha256};

use super::extract::read_body;
use super::problem::Problem;
use crate::app::AppState;
use crate::keys::kek::{Place, hex};
use crate::services::principal::Principal;

/// The header's name.
pub const HEADER: &str = "idempotency-key";
/// Set on an answer that was stored before.
const REPLAYED: &str = "idempotency-replayed";
/// How long an answer is kept.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Answers are small JSON documents; a larger one is not stored.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Runs the request once for its key, or gives the answer it had.
pub async fn once(
    app: &AppState,
    principal: &Principal,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = IdempotencyKey { team: principal.team, actor: principal.actor.id(), key: key_of(&request)? };
    let (parts, body) = request.into_parts();
    let bytes = read_body(Request::from_parts(parts.clone(), body), app).await?;
    let target = parts.uri.path_and_query().map_or("", axum::http::uri::PathAndQuery::as_str);
    let asked = request_hash(&parts.method, target, &bytes);

    let mut tx = app.store.system().begin(app.now()).await?;
    let claimed = tx.claim_idempotency_key(&key, &asked).await?;
    tx.commit().await?;
    if !claimed {
        let found = app.store.system().remembered(&key).await?;
        let found = found.ok_or_else(still_running)?;
        return replay(app, &key, &asked, found);
    }
    // If the client goes away its handler is dropped, and so is this future; the work runs on a task of its own.
    let (app, held) = (app.clone(), key.clone());
    let run = async move {
        let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
        keep(&app, &held, response).await
    };
    let running = tokio::spawn(run);
    running.await.map_err(|error| Problem::internal(&error))?
}

/// Stores what came out, and passes it on.
async fn keep(app: &AppState, key: &IdempotencyKey, response: Response) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST_ANSWER).await.map_err(|error| Problem::internal(&error))?;
    let mut tx = app.store.system().begin(app.now()).await?;
    if parts.status.is_success() {
        let sealed = app.kek.seal(place(key), &bytes, app.ids.entropy());
        let sealed = sealed.map_err(|error| Problem::internal(&error))?;
        tx.remember(key, i64::from(parts.status.as_u16()), &sealed).await?;
    } else {
        tx.release_idempotency_key(key).await?;
    }
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(app: &AppState, key: &IdempotencyKey, asked: &str, found: Remembered) -> Result<Response, Problem> {
    if found.request_hash != asked {
        return Err(Problem::conflict(
            "idempotency_conflict",
            "This Idempotency-Key was used for another request. Send a new key with a new request.",
        ));
    }
    let (Some(status), Some(sealed)) = (found.status, found.body) else {
        return Err(still_running());
    };
    let body = app.kek.open(place(key), &sealed).map_err(|error| Problem::internal(&error))?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), body.to_vec()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn still_running() -> Problem {
    Problem::conflict(
        "idempotency_in_progress",
        "A request with this Idempotency-Key is still running, or was cut off before its outcome was stored. \
         Try again in a moment; if this stays, look at what exists before you send a new key.",
    )
}

fn key_of(request: &Request) -> Result<String, Problem> {
    let text = request.headers().get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or("");
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Problem::invalid_field("Idempotency-Key", "must be 1 to 255 printable characters without spaces"))
}

/// What makes two requests the same: method, path with query, and body.
pub fn request_hash(method: &axum::http::Method, target: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), target.as_bytes(), body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex(hash.finalize().as_slice())
}

fn place(key: &IdempotencyKey) -> Place<'_> {
    Place { table: "idempotency_key", column: "body", row: &key.key, team: key.team, version: 1 }
}
