//! Problem details (RFC 9457): every answer that is not a success, from every layer.
//!
//! Rule: `code` is stable and for programs, `detail` is for people and says what to do; what failed inside is logged
//! here, once, and never shown.

use std::error::Error;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hydron_store::StoreError;
use serde_json::{Map, Value, json};

use crate::services::input::{Fault, InvalidField, ReadError};
use crate::services::principal::Denied;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name for programs, snake case.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub detail: String,
    /// The field of the request that is wrong.
    pub field: Option<String>,
    /// More members, e.g. `retry_after_s`.
    pub extra: Map<String, Value>,
}

/// The shape of a problem, for the OpenAPI document.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// Always `about:blank#<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status again.
    pub status: u16,
    /// Stable name for programs.
    pub code: String,
    /// For people: what is wrong and what to do.
    pub detail: String,
    /// The field of the request that is wrong.
    pub field: Option<String>,
}

impl Problem {
    /// A problem with this status, code and explanation.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), field: None, extra: Map::new() }
    }

    /// 404: missing, or another team's. The two must look alike.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 401.
    pub fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 409 with a code of its own.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: a field that cannot be used.
    pub fn invalid_field(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        let field = field.into();
        let detail = format!("{field}: {problem}");
        Self { field: Some(field), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail) }
    }

    /// 500: logs the whole chain, shows none of it.
    pub fn internal(error: &dyn Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed inside");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed inside Hydron. Its log has the details; trying again may help.",
        )
    }

    /// The same problem with one more member.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.extra;
        body.insert("type".into(), json!(format!("about:blank#{}", self.code)));
        body.insert("title".into(), json!(self.status.canonical_reason().unwrap_or("Error")));
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("code".into(), json!(self.code));
        body.insert("detail".into(), json!(self.detail));
        if let Some(field) = self.field {
            body.insert("field".into(), json!(field));
        }
        let retry_after = body.get("retry_after_s").and_then(Value::as_u64);
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hydron\""));
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::forbidden(format!("{denied}."))
    }
}

impl From<InvalidField> for Problem {
    fn from(invalid: InvalidField) -> Self {
        let (status, code) = match invalid.fault {
            Fault::Malformed => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
            Fault::Taken => (StatusCode::CONFLICT, "taken"),
            Fault::Unknown => (StatusCode::NOT_FOUND, "not_found"),
        };
        Self { status, code, ..Self::invalid_field(invalid.field, invalid.problem) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Stale { what } => Self::conflict(
                "wrong_state",
                format!("The {what} was changed by somebody else in the meantime. Reload and try again."),
            ),
            StoreError::Exists(_)
            | StoreError::Reference(_)
            | StoreError::Corrupt(_)
            | StoreError::Database(_)
            | StoreError::Arity { .. }
            | StoreError::Migrate(_)
            | StoreError::InUse(_)
            | StoreError::Directory { .. }
            | StoreError::UnknownEngine
            | StoreError::NoSuchTeam => Self::internal(&error),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(denied) => denied.into(),
            ReadError::NotFound(what) => Self::not_found(what),
            ReadError::Store(error) => error.into(),
        }
    }
}

/// An error and everything behind it, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
