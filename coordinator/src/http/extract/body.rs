//! A JSON body; what is wrong is named by its field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;

use crate::http::problem::Problem;

/// The parsed JSON body of a request.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as JSON, with the header Content-Type: application/json.",
            ));
        }
        let bytes = read(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// The raw body, with a problem when it is over the limit.
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is larger than 1 MiB, the most that is accepted.",
        ),
        _ => {
            Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", "The body ended before it was complete.")
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let field = if field == "." { named_field(&inner.to_string()) } else { Some(field) };
            let detail = without_position(&inner.to_string());
            return match field {
                Some(field) => Problem::invalid_field(field, detail),
                None => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail),
            };
        }
        Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("The body is not JSON: {inner}."))
    })
}

/// serde names a missing or unknown field only inside its message.
fn named_field(message: &str) -> Option<String> {
    message.split('`').nth(1).filter(|_| message.contains(" field `")).map(str::to_owned)
}

fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn is_json(request: &Request) -> bool {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Example {
        name: String,
        inner: Vec<u8>,
    }

    fn problem(text: &str) -> (u16, Option<String>) {
        let problem = parse::<Example>(text.as_bytes()).unwrap_err();
        (problem.status.as_u16(), problem.field)
    }

    #[test]
    fn what_is_wrong_in_a_body_is_named_by_its_field() {
        assert_eq!(problem(r#"{"name":1,"inner":[]}"#), (422, Some("name".into())));
        assert_eq!(problem(r#"{"name":"a","inner":[1,300]}"#), (422, Some("inner[1]".into())));
        assert_eq!(problem(r#"{"inner":[]}"#), (422, Some("name".into())));
        assert_eq!(problem(r#"{"name":"a","inner":[],"x":1}"#), (422, Some("x".into())));
        assert_eq!(problem("{"), (400, None));
        assert_eq!(problem(""), (400, None));
    }
}
