//! A user of the public REST interface: JSON in and out, problem details as errors.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// An answer of the interface.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body, null when it has none.
    pub body: Value,
}

impl Answer {
    /// The body of a success; a problem becomes an error that says all of it.
    pub fn ok(self) -> anyhow::Result<Value> {
        anyhow::ensure!(self.status.is_success(), "{}: {}", self.status, self.body);
        Ok(self.body)
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A client with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of `base` (`https://127.0.0.1:7443`) that trusts the authority in `ca_file` and nothing else.
    pub fn new(base: &str, ca_file: &Path) -> anyhow::Result<Self> {
        install_provider();
        let pem = std::fs::read(ca_file).with_context(|| format!("read {}", ca_file.display()))?;
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
            .cookie_store(true)
            .timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: None })
    }

    /// The same with a bearer token, and without cookies sent before.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same user at another address with the same authority.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), ..self.clone() }
    }

    /// The address of a path below `/api/v1`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    /// Whether the server says that it is ready.
    pub async fn ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.base)).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    /// The lines of `/metrics` that begin with `name`.
    pub async fn metrics(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.http.get(format!("{}/metrics", self.base)).send().await?;
        let text = answer.error_for_status()?.text().await?;
        Ok(text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect())
    }

    /// One request; the body is sent when it is not null.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, self.url(path)).header("Origin", &self.base);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("ask {path}"))?;
        let status = response.status();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }

    /// GET, success expected.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, &Value::Null).await?.ok().with_context(|| format!("GET {path}"))
    }

    /// POST, success expected.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, &body).await?.ok().with_context(|| format!("POST {path}"))
    }

    /// An open stream of events, from the beginning or after an event.
    pub async fn stream(&self, path: &str, after: Option<u64>) -> anyhow::Result<reqwest::Response> {
        let mut request = self.http.get(self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after.to_string());
        }
        request.send().await.with_context(|| format!("listen to {path}"))
    }

    /// What a stream sends within `patience`, or up to its end.
    pub async fn listen(&self, path: &str, patience: Duration) -> anyhow::Result<String> {
        let mut response = self.stream(path, None).await?;
        let mut heard = Vec::new();
        let hear = async {
            while let Some(bytes) = response.chunk().await? {
                heard.extend_from_slice(&bytes);
            }
            anyhow::Ok(())
        };
        // Time that is over is no error: a stream has no end.
        if let Ok(ended) = tokio::time::timeout(patience, hear).await {
            ended?;
        }
        Ok(String::from_utf8_lossy(&heard).into_owned())
    }

    /// Asks `path` until `done` says so; fails after `patience` with the last answer.
    pub async fn until(
        &self,
        path: &str,
        patience: Duration,
        mut done: impl FnMut(&Value) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + patience;
        loop {
            let answer = self.call(Method::GET, path, &Value::Null).await.and_then(Answer::ok);
            match &answer {
                Ok(body) if done(body)? => return answer,
                Ok(_) | Err(_) if Instant::now() < deadline => {}
                Ok(body) => anyhow::bail!("{path} did not get there in {patience:?}: {body:#}"),
                Err(error) => anyhow::bail!("{path} did not answer in {patience:?}: {error:#}"),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// One TLS provider in the process; safe to call again.
pub fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
