//! Many agents on one coordinator: what each costs, and that a restart brings all of them back, calls nobody down, and
//! leaves the people at the interface alone.
//!
//! Rule: the agents are simulated, their links are not (own keys, mutual TLS, the waits of the real link). The short form has
//! a hundred, `HYDRON_SOAK` two thousand and an outage that outlasts every wait; `HYDRON_FLEET` says how many otherwise.

#![expect(clippy::print_stderr, reason = "figures are said")]
#![expect(clippy::cast_precision_loss, reason = "figures, far below 2^52")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hydron_tests::bench::footprint;
use hydron_tests::sim_agent::{LinkEnd, Play, SimAgent};
use hydron_tests::stack::client::Client;
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::pipeline::{items, text};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::world::{fresh_dir, loopback, program};

/// Agents that enroll at a time.
const AT_A_TIME: usize = 16;
/// A tester asks so often.
const ASK_EVERY: Duration = Duration::from_millis(100);
struct Form {
    agents: usize,
    /// The 99th percentile of an answer meanwhile. The short form shares its two cores with other tests.
    slowest: Duration,
    /// The link pings after 15 s of silence; a figure of the processor needs some of them.
    quiet: Duration,
    outage: Duration,
}

impl Form {
    fn chosen() -> Self {
        let long = std::env::var_os("HYDRON_SOAK").is_some();
        let named = std::env::var("HYDRON_FLEET").ok().and_then(|text| text.parse().ok());
        let seconds = |long_form, short| Duration::from_secs(if long { long_form } else { short });
        Self {
            agents: named.unwrap_or(if long { 2000 } else { 100 }),
            slowest: Duration::from_millis(if long { 300 } else { 1500 }),
            quiet: seconds(60, 2),
            outage: seconds(150, 2),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_brings_every_agent_back_calls_nobody_down_and_slows_nobody() {
    let form = Form::chosen();
    let (mut coordinator, client) = coordinator().await;
    let agents = enrolled(&coordinator, &client, form.agents).await;
    coordinator.stop().unwrap();
    coordinator.restart().await.unwrap();

    let empty = footprint::memory(&[coordinator.process_mut().pid()]).unwrap();
    let fleet = Fleet::start(agents);
    fleet.all_up("at first", &client, Duration::from_mins(2)).await;
    let pid = [coordinator.process_mut().pid()];
    let used_before = footprint::processor_time(&pid).unwrap();
    tokio::time::sleep(form.quiet).await;
    let used = footprint::processor_time(&pid).unwrap().saturating_sub(used_before);
    let full = footprint::memory(&pid).unwrap();
    // Pages of the program itself, which other processes may share, are no agent's.
    let each = (full.anonymous_kib - empty.anonymous_kib) / form.agents as f64;
    let share = used.as_secs_f64() / form.quiet.as_secs_f64();
    eprintln!("{} agents: {each:.1} KiB each, heartbeats use {:.2} % of a core", form.agents, 100.0 * share);
    assert!(each < 200.0, "{each} KiB an agent");

    coordinator.stop().unwrap();
    coordinator.restart().await.unwrap();
    fleet.comes_back("a short outage", &client, Duration::from_secs(15), form.slowest).await;

    coordinator.process_mut().kill().unwrap();
    tokio::time::sleep(form.outage).await;
    coordinator.restart().await.unwrap();
    fleet.comes_back("an outage by kill -9", &client, Duration::from_secs(75), form.slowest).await;
}

async fn coordinator() -> (Coordinator, Client) {
    let coordinator = Coordinator::start(CoordinatorOptions {
        program: program("HYDRON_TEST_COORDINATOR", "target/debug/hydron"),
        data_dir: fresh_dir().join("c"),
        api: loopback(),
        agents: loopback(),
        database_url: None,
        source_ca: None,
    })
    .await
    .unwrap();
    let client = coordinator.client().unwrap();
    let (_, token) = coordinator.set_up(&client, "owner@test.localhost", "a long password 1").await.unwrap();
    let client = client.with_token(&token);
    (coordinator, client)
}

async fn enrolled(coordinator: &Coordinator, client: &Client, count: usize) -> Vec<SimAgent> {
    let address = coordinator.agents_address().parse().unwrap();
    let joining = stream::iter(0..count).map(|number| async move {
        let adopted = client.post("/servers/adopt", json!({ "name": format!("server {number}") })).await?;
        let script = Arc::new(|_: &_, _| Play::done(""));
        Ok::<_, anyhow::Error>(SimAgent::join(address, &text(&adopted, "token")?, script).await?)
    });
    joining.buffer_unordered(AT_A_TIME).try_collect().await.unwrap()
}

/// Agents that connect, and come back whenever their connection ends.
struct Fleet {
    size: usize,
    up: Arc<AtomicUsize>,
    _keepers: JoinSet<()>,
}

impl Fleet {
    fn start(agents: Vec<SimAgent>) -> Self {
        let (size, up, mut keepers) = (agents.len(), Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for (number, agent) in agents.into_iter().enumerate() {
            // Real ones were not all started in the same moment.
            let after = Duration::from_millis(10).saturating_mul(u32::try_from(number).unwrap());
            keepers.spawn(keep_connected(agent, after, up.clone()));
        }
        Self { size, up, _keepers: keepers }
    }

    async fn all_up(&self, when: &str, client: &Client, within: Duration) -> Duration {
        let began = Instant::now();
        let mut said = began;
        loop {
            let up = self.up.load(Ordering::SeqCst);
            if up >= self.size {
                break;
            }
            assert!(
                began.elapsed() < within,
                "{when}: {up} of {} after {within:?}: {}",
                self.size,
                openings(client).await
            );
            if said.elapsed() > Duration::from_secs(5) {
                said = Instant::now();
                eprintln!("{when}: {up} up after {:?}; {}", began.elapsed(), openings(client).await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = began.elapsed();
        eprintln!("{when}: {}", openings(client).await);
        took
    }

    /// From the moment in which the coordinator is ready again.
    async fn comes_back(&self, after: &str, client: &Client, within: Duration, slowest: Duration) {
        let user = User::start(client.clone());
        let nobody_down = Watch::start(client.clone(), self.size);
        let took = self.all_up(after, client, within).await;
        let took_99 = user.end().await;
        let looks = nobody_down.end().await;
        eprintln!("after {after}: all back in {took:?}, p99 of a user {took_99:?}, looked {looks} times");
        assert!(looks > 0, "nobody looked whether a server is called down");
        assert!(took_99 < slowest, "after {after}: p99 of a user {took_99:?}");
    }
}

/// How far connections came, as the coordinator counts them.
async fn openings(client: &Client) -> String {
    let lines = client.metrics("hydron_agent_openings").await.unwrap_or_default();
    let short =
        |line: &String| line.split_once('"').map_or(String::new(), |(_, rest)| rest.replace("\"}", ""));
    lines.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// The waits of the real link (`agent/src/link/backoff.rs`), which double from a second to a minute and are taken between
/// their half and their whole; or what the coordinator asked for.
async fn keep_connected(agent: SimAgent, after: Duration, up: Arc<AtomicUsize>) {
    tokio::time::sleep(after).await;
    let mut longest = Duration::from_secs(1);
    loop {
        let end = match agent.connect_welcomed().await {
            Ok(link) => {
                up.fetch_add(1, Ordering::SeqCst);
                let end = link.ended().await;
                up.fetch_sub(1, Ordering::SeqCst);
                longest = Duration::from_secs(1);
                end
            }
            Err(end) => end,
        };
        let random: f64 = rand::random();
        let wait = match end {
            LinkEnd::Away { after_ms, spread_ms } => {
                Duration::from_millis(after_ms) + Duration::from_millis(spread_ms).mul_f64(random)
            }
            LinkEnd::Refused(_) | LinkEnd::Closed(_) | LinkEnd::Cut | LinkEnd::Silence => {
                let wait = (longest / 2).mul_f64(1.0 + random);
                longest = (longest * 2).min(Duration::from_mins(1));
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Somebody at the interface, who asks ten times a second.
struct User {
    stop: CancellationToken,
    asking: JoinHandle<Vec<Duration>>,
}

impl User {
    fn start(client: Client) -> Self {
        let stop = CancellationToken::new();
        let until = stop.clone();
        let asking = tokio::spawn(async move {
            let mut took = Vec::new();
            while !until.is_cancelled() {
                let began = Instant::now();
                client.get("/projects").await.unwrap();
                took.push(began.elapsed());
                tokio::time::sleep(ASK_EVERY).await;
            }
            took
        });
        Self { stop, asking }
    }

    /// The 99th percentile of what an answer took.
    async fn end(self) -> Duration {
        self.stop.cancel();
        let mut took = self.asking.await.unwrap();
        took.sort_unstable();
        took[(took.len() * 99).div_ceil(100).saturating_sub(1)]
    }
}

/// Looks at the list of servers all the time; every one of them must be called online.
struct Watch {
    stop: CancellationToken,
    looking: JoinHandle<usize>,
}

impl Watch {
    fn start(client: Client, size: usize) -> Self {
        let stop = CancellationToken::new();
        let until = stop.clone();
        let looking = tokio::spawn(async move {
            let mut looks = 0;
            while looks == 0 || !until.is_cancelled() {
                let servers = items(&client.get("/servers").await.unwrap());
                let online = servers.iter().filter(|server| server["online"] == true).count();
                assert_eq!((servers.len(), online), (size, size), "called down after look {looks}");
                looks += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            looks
        });
        Self { stop, looking }
    }

    async fn end(self) -> usize {
        self.stop.cancel();
        self.looking.await.unwrap()
    }
}
