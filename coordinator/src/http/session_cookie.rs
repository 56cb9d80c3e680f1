//! The session's cookie: `__Host-hydron`, so that only this host, over TLS (or loopback), at `/`, can set and get it.

use axum::http::{HeaderMap, HeaderValue, header};

/// Name of the cookie.
pub const NAME: &str = "__Host-hydron";

/// The secret that a request's cookie carries.
pub fn read(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, secret)| secret)
}

/// The header that sets it for `max_age_s` seconds. The secret is base64url: nothing needs escaping.
pub fn set(secret: &str, max_age_s: i64) -> Option<HeaderValue> {
    let text = format!("{NAME}={secret}; Path=/; Max-Age={max_age_s}; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that removes it.
pub fn clear() -> HeaderValue {
    HeaderValue::from_static("__Host-hydron=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}
