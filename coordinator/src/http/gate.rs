//! The gate in front of every operation: authenticates, refuses other sites' pages, checks the role, replays answers.
//!
//! Rule: deny by default. An operation without an entry in its resource's `ACCESS` is refused, whoever asks.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::{HttpMethod, OpenApi};

use super::extract::authenticate;
use super::idempotency;
use super::problem::Problem;
use crate::app::AppState;
use crate::http::extract::refuse_other_sites;
use crate::services::principal::{Denied, Permission};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without signing in.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Whoever's role has this permission.
    Needs(Permission),
}

/// Which operation a method of a path is, and who may call it.
#[derive(Debug, Clone)]
pub struct Operations {
    by_path: Arc<HashMap<String, HashMap<Method, Option<Access>>>>,
}

impl Operations {
    /// From the OpenAPI document and the tables of the resources.
    pub fn new(document: &OpenApi, access: &[(&str, Access)]) -> Self {
        let access: HashMap<&str, Access> = access.iter().copied().collect();
        let mut by_path: HashMap<String, HashMap<Method, Option<Access>>> = HashMap::new();
        for (path, method, id) in operations(document) {
            by_path.entry(path).or_default().insert(method, access.get(id.as_str()).copied());
        }
        Self { by_path: Arc::new(by_path) }
    }
}

/// Every operation of a document: path, method, operation id.
pub fn operations(document: &OpenApi) -> Vec<(String, Method, String)> {
    let mut all = Vec::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            (HttpMethod::Get, &item.get),
            (HttpMethod::Put, &item.put),
            (HttpMethod::Post, &item.post),
            (HttpMethod::Delete, &item.delete),
            (HttpMethod::Patch, &item.patch),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                all.push((
                    path.clone(),
                    http_method(&method),
                    operation.operation_id.clone().unwrap_or_default(),
                ));
            }
        }
    }
    all
}

/// Runs before every operation.
pub async fn guard(
    State((app, operations)): State<(AppState, Operations)>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&app, &operations, path.as_ref(), request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    app: &AppState,
    operations: &Operations,
    path: Option<&MatchedPath>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let methods = path.and_then(|path| operations.by_path.get(path.as_str()));
    let methods = methods.ok_or_else(|| Problem::not_found("operation"))?;
    // A HEAD is answered by the operation behind GET.
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let Some(access) = methods.get(method) else {
        return Ok(not_allowed(methods.keys()));
    };
    refuse_other_sites(request.method(), request.headers())?;
    let needs = match access.ok_or_else(|| Problem::forbidden("Nobody may call this operation."))? {
        Access::Public => return Ok(next.run(request).await),
        Access::SignedIn => None,
        Access::Needs(permission) => Some(permission.needs()),
    };
    let principal = authenticate(app, request.method(), request.headers()).await?;
    if let Some(needs) = needs
        && principal.role < needs
    {
        return Err(Denied::Role { needs, has: principal.role }.into());
    }
    request.extensions_mut().insert(principal.clone());
    if request.method() == Method::POST && request.headers().contains_key(idempotency::HEADER) {
        return idempotency::once(app, &principal, request, next).await;
    }
    Ok(next.run(request).await)
}

fn not_allowed<'a>(methods: impl Iterator<Item = &'a Method>) -> Response {
    let mut allowed: Vec<&str> = methods.map(Method::as_str).collect();
    allowed.sort_unstable();
    let allowed = allowed.join(", ");
    let detail = format!("This path answers to {allowed}.");
    let mut response =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response();
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn http_method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
