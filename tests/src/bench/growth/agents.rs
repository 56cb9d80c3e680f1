//! One coordinator, more and more idle agents: its memory, and the processor time of their heartbeats.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Curve, Growth};
use crate::bench::Options;
use crate::bench::footprint;
use crate::bench::real_coordinator::RealCoordinator;
use crate::bench::report::Bar;
use crate::sim_agent::{Play, SimAgent, SimLink};
use crate::stack::client::install_provider;

const SIZES: [usize; 5] = [1, 250, 500, 1000, 2000];
/// Longer than the silence after which an agent is pinged.
const SETTLE: Duration = Duration::from_secs(18);
/// Two rounds of pings.
const WATCH: Duration = Duration::from_secs(30);
const AT_A_TIME: usize = 16;
/// DESIGN.md §4.
const MOST_KIB: f64 = 40.0;

pub(super) async fn measure(options: &Options) -> anyhow::Result<Growth> {
    install_provider();
    let place = options.place.join("growth-agents");
    let mut coordinator = RealCoordinator::start(&options.coordinator, place).await?;
    let mut memory = Curve::new("the coordinator's memory", "MiB PSS");
    let mut processor = Curve::new("processor time of heartbeats", "% of a core");
    let mut links: Vec<SimLink> = Vec::new();
    for size in SIZES {
        let joining = stream::iter(links.len()..size).map(|number| joined(&coordinator, number));
        let more: Vec<SimLink> = joining.buffer_unordered(AT_A_TIME).try_collect().await?;
        links.extend(more);
        tokio::time::sleep(SETTLE).await;
        let pid = [coordinator.pid()];
        let before = footprint::processor_time(&pid)?;
        tokio::time::sleep(WATCH).await;
        let used = footprint::processor_time(&pid)?.saturating_sub(before);
        anyhow::ensure!(
            links.iter().all(SimLink::is_up),
            "some of the agents were cut off while they were counted"
        );
        memory.push(size, footprint::memory(&pid)?.pss_kib / 1024.0);
        processor.push(size, used.as_secs_f64() / WATCH.as_secs_f64() * 100.0);
    }
    coordinator.stop()?;
    let kib = memory.slope() * 1024.0;
    let because = format!(
        "One more agent costs the coordinator {kib:.0} KiB, at any size: the state of one TLS connection and one WebSocket with 4 KiB \
         buffers, one task, one entry in the registry. Its heartbeat is one ping and one pong in 15 s of silence, so the processor's \
         share grows with their number and nothing else: {:.2} % of a core for a thousand.",
        processor.slope() * 1000.0
    );
    Ok(Growth {
        name: "agents",
        title: "From 1 to 2,000 agents",
        of: "connected agents",
        logarithmic: false,
        bars: vec![Bar { what: "KiB for one more agent", is: kib, most: MOST_KIB }],
        curves: vec![memory, processor],
        because,
    })
}

async fn joined(coordinator: &RealCoordinator, number: usize) -> anyhow::Result<SimLink> {
    let (_, token) = coordinator.adopt(&format!("server {number}")).await?;
    let script = Arc::new(|_: &_, _| Play::done(""));
    let agent = SimAgent::join(coordinator.agents(), &token, script).await?;
    Ok(agent.connect_welcomed().await?)
}
