//! Reading a stream of server-sent events.

use std::time::Duration;

use reqwest::Method;

use super::Caller;

/// A stream being read.
pub(crate) struct EventStream {
    response: reqwest::Response,
    buffer: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) id: Option<i64>,
    pub(crate) event: Option<String>,
    pub(crate) data: serde_json::Value,
}

impl EventStream {
    pub(crate) async fn open(caller: &Caller, path: &str) -> Self {
        let response = caller.request(Method::GET, path, None).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, buffer: String::new() }
    }

    /// The next event; fails after ten seconds without one.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(10), self.try_next()).await;
        next.expect("an event within ten seconds").expect("the stream goes on")
    }

    /// The next event; none when the stream ends.
    pub(crate) async fn try_next(&mut self) -> Option<Received> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn parse(block: &str) -> Option<Received> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|text| text.trim().to_owned())
    };
    let data = field("data")?;
    Some(Received {
        id: field("id").map(|id| id.parse().unwrap()),
        event: field("event"),
        data: serde_json::from_str(&data).unwrap(),
    })
}
