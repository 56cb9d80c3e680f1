//! The agent dies at every point of a swap and comes back: it ends with exactly one serving release, always the right one.
//!
//! A crash is a record that is not saved: everything done before it stays done, nothing after it happens. It strikes
//! once before and once after the record reaches the disk, at every save of a swap.

use std::sync::atomic::{AtomicUsize, Ordering};

use hydron_agent::record::RecordError;
use hydron_agent::steps::release::record::{FileLedger, Ledger, ServiceRecord, Stage};
use hydron_agent::steps::release::swap;
use hydron_proto::plan::{Action, ReleaseSpec, Volume};

use crate::app::App;
use crate::client::version;
use crate::world::World;

/// Fails at one save: before the record is on disk, or after.
struct CrashingLedger<'a> {
    disk: FileLedger<'a>,
    saves: AtomicUsize,
    crash_at: usize,
    after_writing: bool,
}

impl Ledger for CrashingLedger<'_> {
    fn save(&self, record: &ServiceRecord) -> Result<(), RecordError> {
        let number = self.saves.fetch_add(1, Ordering::SeqCst);
        if number == self.crash_at && self.after_writing {
            self.disk.save(record)?;
        }
        if number >= self.crash_at {
            return Err(RecordError::Io { path: "crash".into(), reason: std::io::Error::other("crash") });
        }
        self.disk.save(record)
    }
}

/// Swaps with a crash at every save until a swap gets through without one; after each crash the same release is applied
/// again. Returns how many crashes there were and at which stages.
async fn crash_everywhere(
    world: &World,
    after_writing: bool,
    release: impl Fn(usize) -> ReleaseSpec,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    for crash_at in 0.. {
        let wanted = release(crash_at);
        let ledger = CrashingLedger {
            disk: FileLedger(&world.root),
            saves: AtomicUsize::new(0),
            crash_at,
            after_writing,
        };
        let context = world.context();
        if swap(&wanted, &context, &ledger).await.is_ok() {
            return stages;
        }
        let record = ServiceRecord::read(&world.root, wanted.service).unwrap().unwrap();
        stages.extend(record.swap.map(|swap| swap.stage));
        world
            .apply(Action::Release(wanted.clone()))
            .await
            .unwrap_or_else(|e| panic!("at save {crash_at}: {e:?}"));
        assert_eq!(version(world).await, format!("200 v{crash_at}"), "at save {crash_at}");
        let record = ServiceRecord::read(&world.root, wanted.service).unwrap().unwrap();
        assert_eq!((record.live, record.swap), (Some(wanted.release), None), "at save {crash_at}");
        assert_eq!(world.containers().await.len(), 1, "at save {crash_at}: {:?}", world.containers().await);
    }
    unreachable!()
}

fn quick(mut spec: ReleaseSpec) -> ReleaseSpec {
    spec.health.successes = 1;
    spec.stop_grace_s = 2;
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_first_swap_survives_a_crash_at_every_point() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let release = |number: usize| quick(app.release(&world, &[("VERSION", &format!("v{number}"))]));
    let mut seen = crash_everywhere(&world, false, release).await;
    seen.extend(crash_everywhere(&world, true, release).await);
    for stage in Stage::ALL {
        let never = matches!(stage, Stage::MakeWay | Stage::RollBack);
        assert!(never || seen.contains(&stage), "no crash at {stage:?}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_first_swap_survives_a_crash_at_every_point() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let volume = format!("{}-data", world.name).parse().unwrap();
    world.apply(Action::Volume(Volume { name: volume })).await.unwrap();
    world.apply(Action::Release(app.release_with_volume(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let release =
        |number: usize| quick(app.release_with_volume(&world, &[("VERSION", &format!("v{number}"))]));
    let seen = crash_everywhere(&world, true, release).await;
    assert!(seen.contains(&Stage::MakeWay), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_left_in_the_middle_is_taken_back_before_the_next_release() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    for crash_at in [4, 6] {
        let lost = quick(app.release(&world, &[("VERSION", "lost")]));
        let ledger = CrashingLedger {
            disk: FileLedger(&world.root),
            saves: AtomicUsize::new(0),
            crash_at,
            after_writing: true,
        };
        assert!(swap(&lost, &world.context(), &ledger).await.is_err());
        let next = quick(app.release(&world, &[("VERSION", "next")]));
        world.apply(Action::Release(next)).await.unwrap();
        assert!(world.log().contains("taking back the unfinished swap"));
        assert_eq!(version(&world).await, "200 next");
        assert_eq!(world.running().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_release_that_crashes_while_it_is_taken_back_is_still_taken_back() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let mut sick = quick(app.release(&world, &[("VERSION", "sick"), ("MODE", "sick")]));
    sick.health.deadline_s = 1;
    // Saves: begin, pre-deploy done, start, health, turned around.
    let ledger = CrashingLedger {
        disk: FileLedger(&world.root),
        saves: AtomicUsize::new(0),
        crash_at: 4,
        after_writing: true,
    };
    assert!(swap(&sick, &world.context(), &ledger).await.is_err());
    let record = ServiceRecord::read(&world.root, app.service).unwrap().unwrap();
    assert_eq!(record.swap.map(|swap| swap.stage), Some(Stage::RollBack));
    world.undo(Action::Release(sick)).await;
    let record = ServiceRecord::read(&world.root, app.service).unwrap().unwrap();
    assert_eq!(record.swap, None);
    assert_eq!(version(&world).await, "200 first");
    assert_eq!(world.running().await.len(), 1);
}
