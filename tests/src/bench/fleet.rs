//! What an agent costs a coordinator: memory with many connected, less memory with none, divided by their number.
//!
//! Rule: the agents are simulated, their links are not: own keys, own certificates, mutual TLS, WebSockets, pings. Every
//! round begins with a new process on the same database, so that no memory of an earlier round is used again unseen.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Options;
use super::footprint::{self, Memory};
use super::real_coordinator::RealCoordinator;
use super::report::{Bar, Finding, Measured, Ratio, say};
use super::samples::Samples;
use crate::sim_agent::{Play, SimAgent, SimLink};
use crate::stack::client::install_provider;

/// The interim bar of the walking skeleton, KiB an agent.
const MOST_KIB: f64 = 40.0;
const ROUNDS: usize = 3;
/// A fresh process, before its memory is read.
const SETTLE_EMPTY: Duration = Duration::from_secs(5);
/// After the last agent: longer than the silence after which agents are pinged.
const SETTLE_FULL: Duration = Duration::from_secs(25);
/// Agents that enroll or connect at a time.
const AT_A_TIME: usize = 16;

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    install_provider();
    let data = options.place.join("fleet-coordinator");
    let mut coordinator = RealCoordinator::start(&options.coordinator, data).await?;
    let agents = enrolled(&coordinator, options.fleet).await?;
    let (mut pss, mut rss, mut connecting) = (Samples::default(), Samples::default(), Samples::default());
    let mut empty_mib = Samples::default();
    for _round in 0..ROUNDS {
        coordinator.restart().await?;
        tokio::time::sleep(SETTLE_EMPTY).await;
        let empty = footprint::memory(&[coordinator.pid()])?;
        let began = Instant::now();
        let links = connected(&agents).await?;
        connecting.push(began.elapsed().as_secs_f64());
        tokio::time::sleep(SETTLE_FULL).await;
        let full = footprint::memory(&[coordinator.pid()])?;
        anyhow::ensure!(
            links.iter().all(SimLink::is_up),
            "some of the agents were cut off while they were counted"
        );
        let each = |of: fn(&Memory) -> f64| (of(&full) - of(&empty)) / options.fleet as f64;
        pss.push(each(|memory| memory.pss_kib));
        rss.push(each(|memory| memory.rss_kib));
        empty_mib.push(empty.pss_kib / 1024.0);
    }
    coordinator.stop()?;
    Ok(findings(pss, rss, connecting, empty_mib))
}

async fn enrolled(coordinator: &RealCoordinator, count: usize) -> anyhow::Result<Vec<SimAgent>> {
    let began = Instant::now();
    let joining = stream::iter(0..count).map(|number| async move {
        let (_, token) = coordinator.adopt(&format!("server {number}")).await?;
        let script = std::sync::Arc::new(|_: &_, _| Play::done(""));
        Ok::<_, anyhow::Error>(SimAgent::join(coordinator.agents(), &token, script).await?)
    });
    let agents = joining.buffer_unordered(AT_A_TIME).try_collect().await?;
    say(&format!("\nenrolled {count} agents in {:.0} s", began.elapsed().as_secs_f64()));
    Ok(agents)
}

async fn connected(agents: &[SimAgent]) -> anyhow::Result<Vec<SimLink>> {
    let connecting = stream::iter(agents).map(|agent| async { agent.connect_welcomed().await });
    Ok(connecting.buffer_unordered(AT_A_TIME).try_collect().await?)
}

fn findings(pss: Samples, rss: Samples, connecting: Samples, empty_mib: Samples) -> Vec<Finding> {
    let measured = |who, unit, samples| Measured { who, unit, samples };
    vec![Finding {
        title: "A coordinator's memory for an agent",
        curves: vec![],
        ratios: vec![Ratio::plain(&format!("the bar of {MOST_KIB} KiB"), pss.median(), MOST_KIB)],
        bars: vec![Bar { what: "PSS in KiB an agent", is: pss.median(), most: MOST_KIB }],
        measured: vec![
            measured("PSS an agent", "KiB", pss),
            measured("RSS an agent", "KiB", rss),
            measured("coordinator without agents, PSS", "MiB", empty_mib),
            measured("until all were connected", "s", connecting),
        ],
    }]
}
