//! A JSON body; what is wrong is named by its field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    let parsed = strictly(bytes).or_else(|problem| with_whole_numbers(bytes).ok_or(problem))?;
    // serde takes a list for a structure, field by field; nobody means that.
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return Ok(parsed);
    }
    let text = "The body must be a JSON object.";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", text))
}

/// For JSON, `3.0` is an integer as `3` is (RFC 8259 §6, JSON Schema 2020-12 §4.2.3); for serde it is not. Only where that is
/// the difference: on the way a field that is named twice would lose its first value.
fn with_whole_numbers<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if make_whole(&mut value) { T::deserialize(value).ok() } else { None }
}

/// Whether there was a number to change.
fn make_whole(value: &mut Value) -> bool {
    let mut changed = false;
    match value {
        Value::Number(number) => {
            if let Some(integer) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                *number = integer.into();
                changed = true;
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= make_whole(item);
            }
        }
        Value::Object(map) => {
            for item in map.values_mut() {
                changed |= make_whole(item);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    changed
}

/// Integers that every `f64` near them can be told apart from.
#[expect(clippy::cast_possible_truncation, reason = "within the bounds, without a fraction")]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

fn strictly<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
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
        assert_eq!(problem(r#"{"name":"a","inner":[1.5]}"#), (422, Some("inner[0]".into())));
        assert_eq!(problem(r#"["a",[1]]"#), (422, None));
        assert_eq!(problem(r#"{"name":"a","inner":[],"name":"b"}"#), (422, Some("name".into())));
        assert_eq!(problem("{"), (400, None));
        assert_eq!(problem(""), (400, None));
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        let example: Example = parse(br#"{"name":"a","inner":[1.0,2e1,3]}"#).unwrap();
        assert_eq!(example.inner, [1, 20, 3]);
        assert!(parse::<Example>(br#"{"name":"a","inner":[1e30]}"#).is_err());
        assert!(parse::<Example>(br#"{"name":"a","inner":[256.0]}"#).is_err());
    }
}
