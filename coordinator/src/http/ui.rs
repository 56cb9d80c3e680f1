//! The web interface, embedded in the binary from `web/dist`; a placeholder page when it was not built.
//!
//! Rule: what has a fingerprint in its name is cached for ever, everything else never; unknown paths that ask for a page
//! get the interface, whose router shows them.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

const PLACEHOLDER: &str = include_str!("placeholder.html");

/// Everything that is not the API.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Problem::not_found("operation").into_response();
    }
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        let forever = path.starts_with("assets/");
        return page(file.data.into_owned(), file.metadata.mimetype(), forever);
    }
    if !wants_page(&headers) {
        return Problem::not_found("page").into_response();
    }
    match Dist::get("index.html") {
        Some(index) => page(index.data.into_owned(), "text/html", false),
        None => page(PLACEHOLDER.as_bytes().to_vec(), "text/html", false),
    }
}

fn page(body: Vec<u8>, kind: &str, forever: bool) -> Response {
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    (StatusCode::OK, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache.to_owned())], body)
        .into_response()
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.contains("text/html")
}
