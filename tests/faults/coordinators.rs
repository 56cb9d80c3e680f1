//! Two coordinators on one PostgreSQL, as real processes with the same keys: the one that leads a run dies or freezes.
//!
//! Rule: the other one goes on within 40 seconds, with a higher epoch; nothing runs twice, and the one that comes back
//! never speaks with the epoch it had.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hydron_proto::wire::{JournalRecord, event, journal_record};
use hydron_store::testing::{Engine, fresh_location};
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::process::signal;
use prost::Message as _;

use crate::counting_runs::{self, CountingRun};
use crate::world::{Setup, World, loopback, program};

use super::dice::soaking;
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
        let Some((database, _dir)) = fresh_location(Engine::Postgres).await else {
            eprintln!("skipped: HYDRON_TEST_POSTGRES_URL is not set");
            return None;
        };
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
            database_url: world.database_url.clone(),
            source_ca: None,
        })
        .await
        .unwrap();
        Some(Self { world, relay, other, other_agents })
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
    let journal = journal_of(&pair.world, &run).await;
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
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
    epochs_grow(&journal);
}

/// The frozen one believes that it still has the agent: its connection is open, and nothing comes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_coordinator_that_was_frozen_finds_its_run_led_by_the_other_one_and_keeps_quiet() {
    let Some(mut pair) = Pair::start().await else { return };
    let run = pair.run().await;
    let journal = journal_of(&pair.world, &run).await;
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
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
    epochs_grow(&journal);
    // The one that was frozen knows by now how the run ended.
    let world = round.world();
    let thawed = world.client.at(&world.coordinator.base());
    let online = format!("/servers/{}", world.server);
    thawed.until(&online, Duration::from_mins(1), |server| Ok(server["online"] == true)).await.unwrap();
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

/// A name for the run's journal that stays when the run is forgotten.
async fn journal_of(world: &World, run: &CountingRun) -> PathBuf {
    let journal = world.agent.root().join(format!("var/lib/hydron/exec/runs/{}/journal.log", run.id));
    let kept = world.dir.join("journal");
    let deadline = Instant::now() + TAKEOVER;
    while std::fs::hard_link(&journal, &kept).is_err() {
        assert!(Instant::now() < deadline, "{} does not come", journal.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kept
}

/// The executor followed one leader after the other: epochs never fall, and there was more than one.
fn epochs_grow(journal: &Path) {
    let bytes = std::fs::read(journal).unwrap();
    let (mut rest, mut epochs) = (bytes.as_slice(), Vec::new());
    while let Some((head, payload)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
        let record = JournalRecord::decode(&payload[..length]).unwrap();
        if let Some(journal_record::Body::Event(event)) = record.body
            && let Some(event::Body::PermitAccepted(accepted)) = event.body
        {
            epochs.push(accepted.epoch);
        }
        rest = &payload[length..];
    }
    println!("epochs of the permits: {epochs:?}");
    assert!(epochs.is_sorted(), "{epochs:?}");
    assert!(epochs.last() > epochs.first(), "the leader never changed: {epochs:?}");
}
