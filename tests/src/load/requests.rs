//! Visitors that ask and go.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::Ground;

/// For one request, from the first byte of TCP to the last of the body.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kept connection that broke says it on its next request; a fresh one never may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Fresh,
    Kept,
}

pub(super) fn fresh(ground: Ground, rate: u32) -> anyhow::Result<impl Future<Output = ()>> {
    let http = ground.http(0)?;
    let url = format!("{}/", ground.site.url);
    Ok(paced(ground, "fresh", Connection::Fresh, rate, move || http.get(&url)))
}

pub(super) fn posts(ground: Ground, rate: u32) -> anyhow::Result<impl Future<Output = ()>> {
    let http = ground.http(0)?;
    let url = format!("{}/", ground.site.url);
    Ok(paced(ground, "post", Connection::Fresh, rate, move || http.post(&url).body(vec![b'x'; 2000])))
}

pub(super) fn slow(ground: Ground, rate: u32) -> anyhow::Result<impl Future<Output = ()>> {
    let http = ground.http(0)?;
    let url = format!("{}/slow", ground.site.url);
    Ok(paced(ground, "slow", Connection::Fresh, rate, move || http.get(&url)))
}

pub(super) fn kept(ground: Ground, rate: u32) -> anyhow::Result<impl Future<Output = ()>> {
    let http = ground.http(8)?;
    let url = format!("{}/", ground.site.url);
    Ok(paced(ground, "kept", Connection::Kept, rate, move || http.get(&url)))
}

/// So many a second, however long each takes.
async fn paced(
    ground: Ground,
    kind: &'static str,
    connection: Connection,
    rate: u32,
    request: impl Fn() -> reqwest::RequestBuilder,
) {
    if rate == 0 {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = ground.stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        while open.try_join_next().is_some() {}
        open.spawn(one(ground.clone(), kind, connection, request()));
    }
    while open.join_next().await.is_some() {}
}

async fn one(ground: Ground, kind: &'static str, connection: Connection, request: reqwest::RequestBuilder) {
    match answered(request).await {
        Ok(()) => ground.answered(kind),
        Err(error) if connection == Connection::Kept && error.is::<reqwest::Error>() => ground.broke(kind),
        Err(error) => ground.failed(kind, error),
    }
}

async fn answered(request: reqwest::RequestBuilder) -> anyhow::Result<()> {
    let response = request.timeout(PATIENCE).send().await?;
    let status = response.status();
    let body = response.text().await?;
    anyhow::ensure!(status.is_success(), "{status} {body}");
    Ok(())
}
