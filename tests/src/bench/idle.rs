//! An agent that has nothing to do, beside a node exporter that nobody asks: memory, processor time, size on disk.
//!
//! Rule: both are watched over the same minute. The agent is joined to a released coordinator and connected; all its
//! processes count, the supervisor too, which a server with systemd does not have.

use std::path::Path;
use std::time::Duration;

use super::Options;
use super::footprint::{self, Memory};
use super::hydron::{agent_options, all_pids};
use super::real_coordinator::RealCoordinator;
use super::report::{Bar, Finding, Measured, Ratio};
use super::samples::Samples;
use crate::stack::agent::Agent;

/// The interim bar of the walking skeleton.
const MOST_PSS_MIB: f64 = 16.0;
/// After the start; the first minute of a program is not idle.
const SETTLE: Duration = Duration::from_secs(20);
/// Looks at the memory in the time of watching.
const LOOKS: u32 = 6;
const PEER_UNIT: &str = "peer-node-exporter";
const PEER_PROGRAM: &str = "/usr/bin/prometheus-node-exporter";

/// Both sides' figures.
#[derive(Default)]
struct Side {
    pss: Samples,
    anonymous: Samples,
    processor: Samples,
    size: Samples,
}

/// Watches.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let mut coordinator =
        RealCoordinator::start(&options.coordinator, options.place.join("idle-coordinator")).await?;
    let agent = connected_agent(options, &coordinator).await?;
    let exporter = [footprint::unit_pid(PEER_UNIT)?];
    tokio::time::sleep(SETTLE).await;
    let ours = all_pids(&agent);
    let watched = Duration::from_secs(options.idle_s);
    let (mut us, mut peer) = (Side::default(), Side::default());
    let used_before = (footprint::processor_time(&ours)?, footprint::processor_time(&exporter)?);
    for _look in 0..LOOKS {
        tokio::time::sleep(watched / LOOKS).await;
        us.look(footprint::memory(&ours)?);
        peer.look(footprint::memory(&exporter)?);
    }
    let share = |used: Duration| used.as_secs_f64() / watched.as_secs_f64() * 100.0;
    us.processor.push(share(footprint::processor_time(&ours)?.saturating_sub(used_before.0)));
    peer.processor.push(share(footprint::processor_time(&exporter)?.saturating_sub(used_before.1)));
    us.size.push(mebibytes(std::fs::metadata(&options.agent)?.len() as f64));
    peer.size.push(mebibytes(std::fs::metadata(Path::new(PEER_PROGRAM))?.len() as f64));
    let shape = format!("{} processes, {} threads", ours.len(), footprint::threads(&ours)?);
    super::say(&format!("\nthe idle agent: {shape}"));
    drop(agent);
    coordinator.stop()?;
    Ok(findings(us, peer))
}

impl Side {
    fn look(&mut self, memory: Memory) {
        self.pss.push(memory.pss_kib / 1024.0);
        self.anonymous.push(memory.anonymous_kib / 1024.0);
    }
}

async fn connected_agent(options: &Options, coordinator: &RealCoordinator) -> anyhow::Result<Agent> {
    let (server, token) = coordinator.adopt("idle").await?;
    let root = options.place.join("idle");
    let agent = agent_options(&options.agent, &root, &coordinator.agents().to_string())?;
    Agent::configure(&agent)?;
    Agent::join(&agent, &token)?;
    let agent = Agent::start(agent)?;
    let online = |body: &serde_json::Value| Ok(body.get("online") == Some(&serde_json::Value::Bool(true)));
    coordinator.client().until(&format!("/servers/{server}"), Duration::from_secs(30), online).await?;
    Ok(agent)
}

fn findings(us: Side, peer: Side) -> Vec<Finding> {
    let of = |what: &str| format!("node exporter's {what}");
    let bars = vec![Bar { what: "PSS in MiB of all processes", is: us.pss.median(), most: MOST_PSS_MIB }];
    let ratios = vec![
        Ratio::of(&of("PSS"), &us.pss, &peer.pss),
        Ratio::of(&of("private memory"), &us.anonymous, &peer.anonymous),
        Ratio::plain(&of("size on disk"), us.size.median(), peer.size.median()),
    ];
    let measured = |who, unit, samples| Measured { who, unit, samples };
    vec![Finding {
        title: "An idle agent, connected, beside a node exporter that nobody asks",
        ratios,
        measured: vec![
            measured("hydron-agent, PSS of all processes", "MiB", us.pss),
            measured("node exporter, PSS", "MiB", peer.pss),
            measured("hydron-agent, private memory", "MiB", us.anonymous),
            measured("node exporter, private memory", "MiB", peer.anonymous),
            measured("hydron-agent, processor", "% of a core", us.processor),
            measured("node exporter, processor", "% of a core", peer.processor),
            measured("hydron-agent, size on disk", "MiB", us.size),
            measured("node exporter, size on disk", "MiB", peer.size),
        ],
        bars,
        curves: vec![],
    }]
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / 1024.0 / 1024.0
}
