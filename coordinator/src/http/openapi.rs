//! The OpenAPI document: generated from the handlers, committed as `coordinator/openapi.json`, served to clients.

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::problem::ProblemBody;
use super::router;
use super::session_cookie;

/// What is the same for all operations.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Hydron", description = "Deploys repositories to servers, by approved plans."),
    components(schemas(ProblemBody)),
    modifiers(&Credentials),
    security(("token" = []), ("session" = []))
)]
pub struct Base;

#[derive(Debug)]
struct Credentials;

impl utoipa::Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let token =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token, `hyd_…`"));
        components.add_security_scheme("token", SecurityScheme::Http(token.build()));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(session_cookie::NAME));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// The document as it is committed: pretty, ending with a line break.
pub fn text() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&router::document())?;
    text.push('\n');
    Ok(text)
}
