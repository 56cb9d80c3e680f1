//! Two coordinators on one PostgreSQL, as real processes with the same keys: the one that leads a run dies or freezes.
//!
//! Rule: the other one goes on within 40 seconds, with a higher epoch; nothing runs twice, and the one that comes back
//! never speaks with the epoch it had.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hydron_proto::wire::event;
use hydron_store::Location;
use hydron_store::testing::{Engine, fresh_location};
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::process::signal;

use crate::counting_runs::{self, CountingRun};
use crate::world::{Setup, World, loopback, program};

use super::dice::soaking;
use super::journal;
use super::relay::Relay;
use super::round::{Round, Struck};

/// Longest time without a leader.
const TAKEOVER: Duration = Duration::from_secs(40);
/// The leader is lost after this step counted itself, and comes back after that one.
const LOST_AFTER: u32 = 3;
const BACK_AFTER: u32 = 8;

/// One server, two coordinators; the way between them is in the test's hand.
struct Pair {
    world: World,
    relay: Relay,
    other: Coordinator,
    other_agents: SocketAddr,
}

impl Pair {
    /// None when there is no PostgreSQL to be tested.
    async fn start() -> Option<Self> {
        let (database, _dir) = database().await?;
        Some(Self::on(database.clone(), database).await)
    }

    /// The two may have different ways to the same database.
    async fn on(database: Location, others: Location) -> Self {
        let agents = loopback();
        // Joining blocks this thread: the tests have another one for the relay.
        let relay = Relay::to(agents).await;
        let setup = Setup { agents: Some(agents), dial: Some(relay.address()), ..Setup::on(database) };
        let world = World::start_with(setup).await;
        let other_agents = loopback();
        let data_dir = world.dir.join("c2");
        copy_keys(world.coordinator.data_dir(), &data_dir);
        let other = Coordinator::start(CoordinatorOptions {
            program: program("HYDRON_TEST_COORDINATOR", "target/debug/hydron"),
            data_dir,
            api: loopback(),
            agents: other_agents,
            database_url: Setup::on(others).database_url,
            source_ca: None,
        })
        .await
        .unwrap();
        Self { world, relay, other, other_agents }
    }

    /// One run that waits. Making it restarts the first coordinator: the agent is its.
    async fn run(&mut self) -> CountingRun {
        counting_runs::waiting(&mut self.world, 1).await.remove(0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_run_whose_coordinator_is_killed_goes_on_with_the_other_one() {
    let Some(mut pair) = Pair::start().await else { return };
    let run = pair.run().await;
    let journal = journal::kept(&pair.world, run.id).await;
    let (relay, other, other_agents) = (&pair.relay, &pair.other, pair.other_agents);
    let (mut lost, mut taken_over) = (None, None);
    let mut round = Round::new(&mut pair.world, run, "rerun");
    round
        .play(async |world, run| {
            match lost {
                None if run.counted(LOST_AFTER) == 0 => return Struck::NotYet,
                None => {
                    world.coordinator.process_mut().kill().unwrap();
                    lost = Some((Instant::now(), run.counted_in_all()));
                    relay.part_and_lead_to(other_agents);
                    world.client = world.client.at(&other.base());
                    return Struck::NotYet;
                }
                // The step that ran may end; the one after it needs a leader.
                Some((since, counted)) if run.counted_in_all() > counted + 1 => {
                    taken_over = Some(since.elapsed());
                    return Struck::Yes;
                }
                Some((since, _)) => assert!(since.elapsed() < TAKEOVER, "nobody took over\n{}", world.logs()),
            }
            Struck::NotYet
        })
        .await;
    println!("taken over after {:?}", taken_over.unwrap());
    nothing_is_lost_and_nothing_twice(&mut round, &journal).await;
}

/// The frozen one believes that it still has the agent: its connection is open, and nothing comes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_coordinator_that_was_frozen_finds_its_run_led_by_the_other_one_and_keeps_quiet() {
    let Some(mut pair) = Pair::start().await else { return };
    let run = pair.run().await;
    let journal = journal::kept(&pair.world, run.id).await;
    let frozen = pair.world.coordinator.process_mut().pid();
    let (relay, other, other_agents) = (&pair.relay, &pair.other, pair.other_agents);
    let mut lost = None;
    let mut round = Round::new(&mut pair.world, run, "rerun");
    round
        .play(async |world, run| {
            let Some(since) = lost else {
                if run.counted(LOST_AFTER) > 0 {
                    signal(frozen, "STOP").unwrap();
                    lost = Some(Instant::now());
                    // In the long form nobody tells the agent: it notices by itself.
                    if soaking() {
                        relay.fall_silent_and_lead_to(other_agents);
                    } else {
                        relay.part_and_lead_to(other_agents);
                    }
                    world.client = world.client.at(&other.base());
                }
                return Struck::NotYet;
            };
            if run.counted(BACK_AFTER) == 0 {
                let patience = if soaking() { TAKEOVER + NOTICED } else { TAKEOVER };
                assert!(since.elapsed() < patience, "nobody took over\n{}", world.logs());
                return Struck::NotYet;
            }
            println!("step {BACK_AFTER} after {:?}", since.elapsed());
            signal(frozen, "CONT").unwrap();
            Struck::Yes
        })
        .await;
    nothing_is_lost_and_nothing_twice(&mut round, &journal).await;
    // The one that was frozen knows by now how the run ended.
    let world = round.world();
    let thawed = world.client.at(&world.coordinator.base());
    let online = format!("/servers/{}", world.server);
    thawed.until(&online, Duration::from_mins(1), |server| Ok(server["online"] == true)).await.unwrap();
}

/// It lives, it holds the agent, and the network between it and the database is gone: it lets the agent go by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_coordinator_that_lost_its_database_lets_its_agents_go_to_the_other_one() {
    let Some((database, _dir)) = database().await else { return };
    let Location::Postgres(url) = &database else { unreachable!("it was asked for") };
    let mut by_relay = reqwest::Url::parse(url).unwrap();
    let host: std::net::IpAddr = by_relay.host_str().unwrap().parse().unwrap();
    let way = Relay::to(SocketAddr::from((host, by_relay.port().unwrap()))).await;
    by_relay.set_port(Some(way.port())).unwrap();
    let mut pair = Pair::on(Location::Postgres(by_relay.to_string()), database).await;
    let run = pair.run().await;
    let journal = journal::kept(&pair.world, run.id).await;
    let (relay, other, other_agents) = (&pair.relay, &pair.other, pair.other_agents);
    let mut lost = None;
    let mut round = Round::new(&mut pair.world, run, "rerun");
    round
        .play(async |world, run| {
            let Some(since) = lost else {
                if run.counted(LOST_AFTER) > 0 {
                    way.fall_silent_and_lead_to(loopback());
                    // Nobody cuts the agent's connection; who comes later finds the other one.
                    relay.lead_to(other_agents);
                    world.client = world.client.at(&other.base());
                    lost = Some(Instant::now());
                }
                return Struck::NotYet;
            };
            if run.counted(BACK_AFTER) > 0 {
                println!("step {BACK_AFTER} after {:?}", since.elapsed());
                return Struck::Yes;
            }
            assert!(since.elapsed() < TAKEOVER, "nobody took over\n{}", world.logs());
            Struck::NotYet
        })
        .await;
    nothing_is_lost_and_nothing_twice(&mut round, &journal).await;
}

/// A database of the test's own; None when there is no PostgreSQL.
async fn database() -> Option<(Location, tempfile::TempDir)> {
    let database = fresh_location(Engine::Postgres).await;
    if database.is_none() {
        eprintln!("skipped: HYDRON_TEST_POSTGRES_URL is not set");
    }
    database
}

/// An agent calls a connection dead that has been silent for so long.
const NOTICED: Duration = Duration::from_secs(hydron_proto::frame::DEAD_AFTER_S);

fn copy_keys(from: &Path, to: &Path) {
    let keys = to.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from.join("keys")).unwrap() {
        let file = entry.unwrap().path();
        // A copy has the mode of its original.
        std::fs::copy(&file, keys.join(file.file_name().unwrap())).unwrap();
    }
}

async fn nothing_is_lost_and_nothing_twice(round: &mut Round<'_>, journal: &Path) {
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
    epochs_grow(journal);
}

/// The executor followed one leader after the other: epochs never fall, and there was more than one.
fn epochs_grow(journal: &Path) {
    let epochs: Vec<u64> = journal::events(journal)
        .into_iter()
        .filter_map(|event| match event.body {
            Some(event::Body::PermitAccepted(accepted)) => Some(accepted.epoch),
            _others => None,
        })
        .collect();
    println!("epochs of the permits: {epochs:?}");
    assert!(epochs.is_sorted(), "{epochs:?}");
    assert!(epochs.last() > epochs.first(), "the leader never changed: {epochs:?}");
}
