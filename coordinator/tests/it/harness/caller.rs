//! A client: somebody with a cookie, a token, or nothing.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Sends requests as one party.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Caller {
    pub(crate) fn new(base: &str, ca_pem: &str) -> Self {
        let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, base: base.to_owned(), headers: HeaderMap::new() }
    }

    /// The same caller with one more header on every request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
        caller
    }

    /// The same caller with a session's cookie, as our own page sends it.
    pub(crate) fn with_cookie(&self, secret: &str) -> Self {
        self.with("cookie", &format!("__Host-hydron={secret}")).with("sec-fetch-site", "same-origin")
    }

    /// The same caller with an API token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a request under `/api/v1` (or at the root, for a path that begins with `//`).
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let response = self.request(method, path, body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
        if kind.starts_with("text/event-stream") {
            return Answer { status, headers, json: Value::Null };
        }
        let text = response.text().await.unwrap();
        let json =
            if kind.contains("json") { serde_json::from_str(&text).unwrap() } else { Value::String(text) };
        Answer { status, headers, json }
    }

    /// The response as it comes, for streams.
    pub(crate) async fn request(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let url = match path.strip_prefix("//") {
            Some(root) => format!("{}/{root}", self.base),
            None => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.http.request(method, url).headers(self.headers.clone());
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// A body that is not ours to shape.
    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        let request = request.headers(self.headers.clone()).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, json: serde_json::from_str(&response.text().await.unwrap()).unwrap() }
    }
}

impl Answer {
    /// The body, if the status is what it should be.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self.json
    }

    /// The code of the problem, if the status is what it should be.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        self.json["code"].as_str().unwrap()
    }

    /// The cookie's secret that the answer sets.
    #[track_caller]
    pub(crate) fn cookie(&self) -> String {
        let set = self.headers["set-cookie"].to_str().unwrap();
        let (name, rest) = set.split_once('=').unwrap();
        assert_eq!(name, "__Host-hydron");
        rest.split(';').next().unwrap().to_owned()
    }
}
