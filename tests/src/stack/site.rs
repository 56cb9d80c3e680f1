//! A visitor of a deployed site: knows where its server is, trusts one authority.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;

/// A visitor of one site.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: reqwest::Client,
    url: String,
}

impl Visitor {
    /// A visitor of `url` (`https://name:port`) on this machine that trusts the authority in `ca_pem`.
    pub fn new(url: &str, ca_pem: &str) -> anyhow::Result<Self> {
        Self::at(Ipv4Addr::LOCALHOST, url, ca_pem)
    }

    /// The same on the server at `address`.
    pub fn at(address: Ipv4Addr, url: &str, ca_pem: &str) -> anyhow::Result<Self> {
        super::client::install_provider();
        let parsed = reqwest::Url::parse(url)?;
        let host = parsed.host_str().context("a URL with a host")?;
        let address = SocketAddr::from((address, parsed.port_or_known_default().unwrap_or(443)));
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(ca_pem.as_bytes())?])
            .resolve(host, address)
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned() })
    }

    /// Status and body of a GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = self.http.get(format!("{}{path}", self.url)).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Status and body of a POST of JSON.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<(u16, String)> {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}
