//! A stream of the interface as a browser reads it: server-sent events, their data as JSON.

use anyhow::Context as _;
use reqwest::Response;
use serde_json::Value;

use crate::stack::client::Client;

/// An open stream.
pub(super) struct EventStream {
    response: Response,
    heard: Vec<u8>,
    /// Up to here no end of a line was found.
    looked: usize,
}

impl EventStream {
    /// Listens from the beginning.
    pub(super) async fn open(client: &Client, path: &str) -> anyhow::Result<Self> {
        let response = client.stream(path, None).await?;
        anyhow::ensure!(response.status().is_success(), "{path}: {}", response.status());
        Ok(Self { response, heard: Vec::new(), looked: 0 })
    }

    /// The data of the next event; none at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            while let Some(line) = self.line() {
                if let Some(data) = line.strip_prefix(b"data:") {
                    return serde_json::from_slice(data).context("the data of an event").map(Some);
                }
            }
            match self.response.chunk().await? {
                Some(bytes) => self.heard.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let rest = self.heard.get(self.looked..)?;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.looked = self.heard.len();
            return None;
        };
        let line = self.heard.drain(..=self.looked + end).collect();
        self.looked = 0;
        Some(line)
    }
}
