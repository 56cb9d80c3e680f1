//! The agent dies at every point of a swap and comes back: it ends with exactly one serving release, always the right one.
//!
//! A crash is a record that is not saved: everything done before it stays done, nothing after it happens. It strikes
//! once before and once after the record reaches the disk, at every save of a swap. The same with a swap that is asked to end,
//! at each of these points and a moment behind it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hydron_agent::record::RecordError;
use hydron_agent::steps::release::record::{FileLedger, Ledger, ServiceRecord, Stage};
use hydron_agent::steps::release::swap;
use hydron_proto::plan::{Action, ReleaseSpec, Volume};
use tokio_util::sync::CancellationToken;

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

/// Asks the step to end at one save, or a moment after it.
struct CancellingLedger<'a> {
    disk: FileLedger<'a>,
    saves: AtomicUsize,
    cancel_at: usize,
    later: Duration,
    cancel: CancellationToken,
}

impl Ledger for CancellingLedger<'_> {
    fn save(&self, record: &ServiceRecord) -> Result<(), RecordError> {
        self.disk.save(record)?;
        if self.saves.fetch_add(1, Ordering::SeqCst) == self.cancel_at {
            let (cancel, later) = (self.cancel.clone(), self.later);
            tokio::spawn(async move {
                tokio::time::sleep(later).await;
                cancel.cancel();
            });
        }
        Ok(())
    }
}

/// Swaps that are asked to end at every save until one gets through without; says how many were taken back.
async fn cancel_everywhere(
    world: &mut World,
    later: Duration,
    release: impl Fn(&World, &str) -> ReleaseSpec,
) -> usize {
    let mut serving = version(world).await;
    let mut taken_back = 0;
    for cancel_at in 0.. {
        world.cancel = CancellationToken::new();
        let name = format!("c{cancel_at}-{}", later.as_millis());
        let wanted = release(world, &name);
        let ledger = CancellingLedger {
            disk: FileLedger(&world.root),
            saves: AtomicUsize::new(0),
            cancel_at,
            later,
            cancel: world.cancel.clone(),
        };
        let outcome = swap(&wanted, &world.context(), &ledger).await;
        match outcome {
            Ok(_) => serving = format!("200 {name}"),
            Err(failure) => {
                assert_eq!(failure.code, "CANCELLED", "at save {cancel_at}: {failure:?}");
                taken_back += 1;
            }
        }
        assert_eq!(version(world).await, serving, "at save {cancel_at}");
        let record = ServiceRecord::read(&world.root, wanted.service).unwrap().unwrap();
        assert_eq!(record.swap, None, "at save {cancel_at}");
        assert_eq!(world.running().await.len(), 1, "at save {cancel_at}");
        if ledger.saves.load(Ordering::SeqCst) <= cancel_at {
            return taken_back;
        }
    }
    unreachable!()
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

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_is_cancelled_at_any_point_is_taken_back_or_carried_to_its_end() {
    let mut world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let release = |world: &World, name: &str| quick(app.release(world, &[("VERSION", name)]));
    for later in [0, 150] {
        let taken_back = cancel_everywhere(&mut world, Duration::from_millis(later), release).await;
        assert!(taken_back >= 5, "only {taken_back} were taken back");
    }
    world.cancel = CancellationToken::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "last")]))).await.unwrap();
    assert_eq!(version(&world).await, "200 last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_first_swap_that_is_cancelled_at_any_point_brings_the_old_one_back() {
    let mut world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let volume = format!("{}-data", world.name).parse().unwrap();
    world.apply(Action::Volume(Volume { name: volume })).await.unwrap();
    world.apply(Action::Release(app.release_with_volume(&world, &[("VERSION", "first")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let release = |world: &World, name: &str| quick(app.release_with_volume(world, &[("VERSION", name)]));
    let taken_back = cancel_everywhere(&mut world, Duration::from_millis(50), release).await;
    assert!(taken_back >= 5, "only {taken_back} were taken back");
}
