//! A log of 50 MB/s beside a run of many small steps, over loopback and over a line of 1 Mbit/s.
//!
//! Rule: what is said about control waits for no log. Each small step has a permit of its own, so the journal of their run has the
//! time from the end of one until the permit of the next: to the coordinator, into its database, and back. The line is a
//! token bucket at both ends of a wire (`wire`), and everything is kept in memory: what is measured is the way, not a disk
//! that others use. Nobody is called down meanwhile.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hydron_tests::stack::pipeline::steps;
use serde_json::json;

use crate::counting_runs;
use crate::world::{Setup, World, fresh_dir};

use super::dice::soaking;
use super::journal;
use super::network::must_be_online;
use super::small_disk::SmallDisk;
use super::wire::Wire;

/// Slowest of a hundred round trips (the project's bars): over a line of 1 Mbit/s, and over loopback.
const ON_A_LINE: Duration = Duration::from_millis(750);
const ON_LOOPBACK: Duration = Duration::from_millis(50);
/// Longest wait for the small steps.
const PATIENCE: Duration = Duration::from_mins(5);

#[tokio::test]
async fn control_does_not_wait_for_a_flood_of_output_on_loopback() {
    let (dir, _disks) = in_memory();
    let mut world = World::start_with(Setup { dir: Some(dir), ..Setup::default() }).await;
    let slowest = slowest_round_trip(&mut world, 60, "loopback").await;
    assert!(slowest <= bar(ON_LOOPBACK), "{slowest:?}");
}

#[tokio::test]
async fn control_does_not_wait_for_a_flood_of_output_on_a_line_of_one_megabit() {
    let wire = Wire::start();
    let (dir, _disks) = in_memory();
    let setup = Setup {
        dir: Some(dir),
        agents: Some(wire.coordinator()),
        agent_inside: Some(wire.inside()),
        ..Setup::default()
    };
    let mut world = World::start_with(setup).await;
    wire.slow_down("1mbit");
    let slowest = slowest_round_trip(&mut world, 30, "1 Mbit/s").await;
    assert!(slowest <= bar(ON_A_LINE), "{slowest:?}");
}

/// A machine that has other things to do beside a short form is given a second more; what the bars hold off took three.
fn bar(bar: Duration) -> Duration {
    if soaking() { bar } else { bar + Duration::from_secs(1) }
}

/// A directory for a world whose two states are in memory as long as the disks are there.
fn in_memory() -> (PathBuf, [SmallDisk; 2]) {
    let dir = fresh_dir();
    let disks = ["a/var/lib/hydron", "c"].map(|state| SmallDisk::within(&dir, state, 2048));
    (dir, disks)
}

/// 99 of 100 are faster; of the few trips of a short form, 9 of 10: its slowest one says more about the machine.
async fn slowest_round_trip(world: &mut World, short: usize, way: &str) -> Duration {
    let count = if soaking() { 200 } else { short };
    let small = vec!["exit 0".to_owned(); count];
    // Each of these fills its spool in two seconds, and goes on.
    let loud = vec![flood(if soaking() { 55 } else { 20 }); 3];
    let mut runs = counting_runs::waiting_to_do(world, &[small, loud]).await;
    let (loud, small) = (runs.remove(1), runs.remove(0));
    let journal = journal::kept(world, small.id).await;
    let resume = async |run: &counting_runs::CountingRun| {
        world.client.post(&format!("/runs/{}/resume", run.id), json!({})).await.unwrap()
    };
    resume(&loud).await;
    let spool = journal::path(world, loud.id).with_file_name("steps/0.1/spool");
    let since = Instant::now();
    while std::fs::metadata(&spool).map_or(0, |file| file.len()) < 20_000_000 {
        assert!(since.elapsed() < PATIENCE, "no flood\n{}", world.logs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{way}: 20 MB were said within {:?}", since.elapsed());
    resume(&small).await;
    let began = Instant::now();
    let path = format!("/runs/{}", small.id);
    loop {
        must_be_online(world).await;
        let state = world.client.get(&path).await.unwrap();
        if state["state"] == "completed" {
            assert!(steps(&state).all(|step| step["attempt"] == 1), "{state:#}");
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{state:#}\n{}", world.logs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut trips = journal::round_trips(&journal);
    assert!(trips.len() + 1 >= count, "only {} round trips", trips.len());
    trips.sort_unstable();
    let at = |hundredths: usize| trips[(trips.len() * hundredths / 100).min(trips.len() - 1)];
    println!(
        "{way}: {} round trips in {:?}: half within {:?}, p90 {:?}, p99 {:?}, slowest {:?}",
        trips.len(),
        began.elapsed(),
        at(50),
        at(90),
        at(99),
        trips[trips.len() - 1]
    );
    let stored = world.client.get(&format!("/runs/{}", loud.id)).await.unwrap();
    assert_ne!(stored["state"], "failed", "{stored:#}");
    at(if soaking() { 99 } else { 90 })
}

/// 5 MB ten times a second.
fn flood(seconds: u32) -> String {
    format!(
        "end=$(($(date +%s) + {seconds})); while [ $(date +%s) -lt $end ]; do \
         yes 'a line of a log that nobody will ever read, and that is long all the same' | head -c 5000000; \
         sleep 0.08; done"
    )
}
