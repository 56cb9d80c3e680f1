//! No space left: on the agent's state directory, and on the coordinator's data directory, in the middle of a run.
//!
//! Rule: what cannot be written down does not happen and is not told; when there is room again the run goes on by itself.
//! A step that was running may lose output, and then its log says so; a log that is stored is still its spool.

use std::time::{Duration, Instant};

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::world::{Setup, World, fresh_dir};

use super::dice::soaking;
use super::round::{Round, Struck};
use super::small_disk::SmallDisk;

/// The disk is full when this step has counted itself.
const FULL_AFTER: u32 = 3;

fn full_for() -> Duration {
    Duration::from_secs(if soaking() { 60 } else { 5 })
}

#[tokio::test]
async fn an_agent_whose_disk_is_full_starts_nothing_and_goes_on_when_there_is_room() {
    let dir = fresh_dir();
    let disk = SmallDisk::within(&dir, "a/var/lib/hydron", 16);
    let setup = Setup { dir: Some(dir), ..Setup::default() };
    let mut world = World::start_with(setup).await;
    let run = counting_runs::waiting(&mut world, 1).await.remove(0);
    let mut round = Round::new(&mut world, run, "rerun").with_output_that_may_be_cut();
    // A block that is begun has room for some records; output has none.
    full(&mut round, &disk, STEPS as usize).await;
    round.each_step_ran_once(1);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
}

#[tokio::test]
async fn a_coordinator_whose_disk_is_full_acknowledges_nothing_and_goes_on_when_there_is_room() {
    let dir = fresh_dir();
    let disk = SmallDisk::within(&dir, "c", 24);
    let setup = Setup { dir: Some(dir), ..Setup::default() };
    let mut world = World::start_with(setup).await;
    let run = counting_runs::waiting(&mut world, 1).await.remove(0);
    let mut round = Round::new(&mut world, run, "rerun");
    // What SQLite has allocated it can still write.
    full(&mut round, &disk, 3).await;
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
}

/// Fills the disk for a while; without permits or intents that are durable, no more than so many steps are started.
async fn full(round: &mut Round<'_>, disk: &SmallDisk, most: usize) {
    let mut since: Option<(Instant, usize)> = None;
    let strike = async |_: &mut World, run: &CountingRun| {
        match since {
            None if run.counted(FULL_AFTER) > 0 => {
                disk.fill();
                since = Some((Instant::now(), run.counted_in_all()));
            }
            None => {}
            Some((since, counted)) => {
                let now = run.counted_in_all();
                assert!(now <= counted + most, "{} steps were started without a record", now - counted);
                if since.elapsed() > full_for() {
                    println!("{} steps were started while the disk was full", now - counted);
                    disk.free();
                    return Struck::Yes;
                }
            }
        }
        Struck::NotYet
    };
    round.play(strike).await;
}
