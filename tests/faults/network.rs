//! The network between an agent and its coordinator: it drops, loses, resets, or lets half a connection die.
//!
//! Rule: every fault is a rule of nftables inside a network namespace that the test made. A server is never called down
//! before the documented time, and a run ends as if nothing had been.

use std::time::{Duration, Instant};

use hydron_proto::frame::DEAD_AFTER_S;

use crate::counting_runs::{self, CountingRun};
use crate::world::{Setup, World};

use super::dice::soaking;
use super::round::{Round, Struck};
use super::wire::Wire;

/// The fault comes when this step has counted itself.
const AFTER: u32 = 3;
/// After a longer outage everybody is back within this time.
const BACK: Duration = Duration::from_secs(75);
/// Silence that has not been noticed for longer is a dead connection; then the agent dials again.
const NOTICED: Duration = Duration::from_secs(DEAD_AFTER_S + 5);

struct Far {
    world: World,
    wire: Wire,
    runs: Vec<CountingRun>,
}

impl Far {
    async fn start(runs: usize) -> Self {
        let wire = Wire::start();
        let setup =
            Setup { agents: Some(wire.coordinator()), agent_inside: Some(wire.inside()), ..Setup::default() };
        let mut world = World::start_with(setup).await;
        let runs = counting_runs::waiting(&mut world, runs).await;
        Self { world, wire, runs }
    }

    /// One run: `strike` as [`Round::play`] calls it, and what must hold in the end.
    async fn run(&mut self, strike: impl AsyncFnMut(&mut World, &CountingRun) -> Struck) {
        let run = self.runs.remove(0);
        let began = Instant::now();
        let mut round = Round::new(&mut self.world, run, "rerun");
        round.play(strike).await;
        println!("completed after {:?}", began.elapsed());
        round.each_step_ran_once(0);
        assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
        self.wire.heal();
    }
}

#[tokio::test]
async fn a_run_ends_although_packets_are_lost_connections_reset_and_everything_dropped_for_a_while() {
    let mut far = Far::start(4).await;
    for percent in [10, 30] {
        far.wire.lose(percent);
        far.run(async |world, _| {
            // With 30 % in each direction TCP itself can fall silent for longer than a connection may be.
            if percent < 30 {
                must_be_online(world).await;
            }
            Struck::Perhaps
        })
        .await;
    }
    let wire = far.wire.clone();
    far.run(async |_, run| {
        if run.counted(AFTER) == 0 {
            return Struck::NotYet;
        }
        wire.reset();
        Struck::Yes
    })
    .await;
    // Shorter than what is called dead: nobody may be called down.
    let away = Duration::from_secs(if soaking() { 300 } else { 10 });
    let mut since: Option<Instant> = None;
    far.run(async |world, run| {
        let Some(since) = since else {
            if run.counted(AFTER) > 0 {
                wire.drop_everything();
                since = Some(Instant::now());
            }
            return Struck::NotYet;
        };
        if since.elapsed() < Duration::from_secs(DEAD_AFTER_S) {
            must_be_online(world).await;
        }
        if since.elapsed() < away {
            return Struck::NotYet;
        }
        wire.heal();
        let path = format!("/servers/{}", world.server);
        world.client.until(&path, BACK, |server| Ok(server["online"] == true)).await.unwrap();
        Struck::Yes
    })
    .await;
}

/// The connection is dead in both directions and nobody is told; a new one would work.
#[tokio::test]
async fn a_connection_that_died_silently_is_noticed_and_the_run_goes_on_over_a_new_one() {
    let mut far = Far::start(1).await;
    let wire = far.wire.clone();
    let mut since: Option<(Instant, usize)> = None;
    far.run(async |world, run| match since {
        None if run.counted(AFTER) == 0 => Struck::NotYet,
        None => {
            wire.silence_open_connections();
            since = Some((Instant::now(), run.counted_in_all()));
            Struck::NotYet
        }
        Some((since, counted)) if run.counted_in_all() > counted + 1 => {
            println!("noticed after {:?}", since.elapsed());
            Struck::Yes
        }
        Some((since, _)) => {
            assert!(since.elapsed() < NOTICED, "nobody noticed\n{}", world.logs());
            must_be_online(world).await;
            Struck::NotYet
        }
    })
    .await;
}

/// Nobody has called the server down.
pub(super) async fn must_be_online(world: &World) {
    let server = world.client.get(&format!("/servers/{}", world.server)).await.unwrap();
    assert_eq!(server["online"], true, "called down too early\n{}", world.logs());
}
