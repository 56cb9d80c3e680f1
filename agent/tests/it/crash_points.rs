//! An executor that dies at its N-th write, sync, rename or message, from its start over the acceptance of an envelope to
//! the end of a range; and is started again.
//!
//! Rule: whichever N it was, the same envelope and permit lead to the same end: every step once, no event lost, no event
//! told twice with another content. The short form takes some by chance, `HYDRON_SOAK` every one; `HYDRON_FAULT_SEED`
//! repeats the choice. Neighbour: `tests/faults`, which does this to the whole product.

use std::collections::BTreeMap;
use std::time::Instant;

use hydron_proto::wire::{self, RangeEnd, StepOutcome, to_executor};

use crate::world::{PATIENCE, Signed, World, lines, now_ms, permit, results};

const STEPS: u32 = 3;
/// Crashes of the short form.
const SOME: usize = 16;
const CALLS: &str = "write,writev,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,\
    mkdir,mkdirat,sendto,sendmsg,bind,listen,flock";

#[tokio::test]
async fn an_executor_that_dies_at_any_write_leads_to_the_same_end() {
    let calls = calls_of_an_unharmed_executor().await;
    let mut places: Vec<(String, u32)> =
        calls.into_iter().flat_map(|(call, count)| (1..=count).map(move |n| (call.clone(), n))).collect();
    println!("{} places to crash", places.len());
    if std::env::var_os("HYDRON_SOAK").is_none() {
        places = some(places);
    }
    let mut crashed = 0;
    for (call, number) in &places {
        println!("{call} {number}");
        crashed += usize::from(dies_at(call, *number).await);
    }
    assert!(crashed * 4 >= places.len() * 3, "only {crashed} of {} crashed", places.len());
}

async fn calls_of_an_unharmed_executor() -> BTreeMap<String, u32> {
    let mut world = World::joined();
    world.start_traced_executor(&["-e", &format!("trace={CALLS}")]);
    let run = counting(&mut world);
    until_counted_or_dead(&mut world, &run).await;
    let text = std::fs::read_to_string(world.path("trace")).unwrap();
    let mut calls = BTreeMap::new();
    for (call, _) in text.lines().filter_map(|line| line.split_once('(')) {
        *calls.entry(call.to_owned()).or_default() += 1;
    }
    assert!(
        calls.get("rename").is_some_and(|count| *count >= 2),
        "envelope and ledger are put in place: {calls:?}"
    );
    calls
}

/// Whether the place was reached.
async fn dies_at(call: &str, number: u32) -> bool {
    let mut world = World::joined();
    let inject = format!("inject={call}:signal=KILL:when={number}");
    world.start_traced_executor(&["-e", &format!("trace={CALLS}"), "-e", &inject]);
    let run = counting(&mut world);
    until_counted_or_dead(&mut world, &run).await;
    let crashed = world.executor_is_gone();
    if !crashed {
        world.end_traced_executor();
    }
    world.start_executor();
    let mut link = world.link().await;
    assert_eq!(link.offer(&run).await.code, "", "the very same envelope is still welcome");
    link.permit(permit(&run, 0, STEPS - 1)).await;
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed, "{call} {number}: {events:?}");
    let events = each_once(events);
    assert_eq!(results(&events), (0..STEPS).map(|n| (n, 1, StepOutcome::Succeeded)).collect::<Vec<_>>());
    let counter = std::fs::read_to_string(world.path("counter")).unwrap();
    let counted: Vec<String> = (0..STEPS).map(|n| n.to_string()).collect();
    assert_eq!(counter.lines().collect::<Vec<_>>(), counted, "{call} {number}");
    for step in 0..STEPS {
        assert_eq!(world.spool(run.run, step, 1), format!("done {step}\n").as_bytes(), "{call} {number}");
    }
    let audit = hydron_agent::exec::audit::check(&hydron_agent::exec::audit_file(&world.root()));
    assert!(matches!(audit, Ok(Ok(_))), "{call} {number}: {audit:?}");
    crashed
}

/// Accepting follows a run, and so does the test: an event may be told twice, and says the same.
fn each_once(told: Vec<wire::Event>) -> Vec<wire::Event> {
    let mut events = BTreeMap::new();
    for event in told {
        let before = events.insert(event.seq, event.clone());
        assert!(before.is_none_or(|before| before == event), "told with another content: {event:?}");
    }
    assert!(events.keys().copied().eq(1..=events.len() as u64), "an event is missing: {events:?}");
    events.into_values().collect()
}

fn counting(world: &mut World) -> Signed {
    let counter = world.path("counter");
    let script = |n| format!("echo {n} >> {}; echo done {n}", counter.display());
    let scripts: Vec<String> = (0..STEPS).map(script).collect();
    world.shell_run(&scripts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Offers and permits, until every step has counted itself or the executor is dead.
async fn until_counted_or_dead(world: &mut World, run: &Signed) {
    let deadline = Instant::now() + PATIENCE;
    let mut link = None;
    while !world.executor_is_gone() {
        if link.is_none()
            && let Some(mut fresh) = world.try_link().await
        {
            let envelope = to_executor::Body::SignedEnvelope(run.bytes.clone());
            let range = to_executor::Body::Permit(permit(run, 0, STEPS - 1));
            // It may die while it is told.
            let _told = (fresh.try_send(envelope).await, fresh.try_send(range).await);
            link = Some(fresh);
        }
        if lines(&world.path("counter")) == STEPS as usize && world.range_has_ended(run) {
            return;
        }
        assert!(Instant::now() < deadline, "neither counted nor dead");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// The kinds of calls take turns; each gives one by chance.
fn some(all: Vec<(String, u32)>) -> Vec<(String, u32)> {
    let seed = std::env::var("HYDRON_FAULT_SEED").ok().and_then(|text| text.parse().ok());
    let mut seed: u64 = seed.unwrap_or_else(|| now_ms().unsigned_abs());
    println!("HYDRON_FAULT_SEED={seed}");
    let mut kinds = BTreeMap::<String, Vec<u32>>::new();
    for (call, number) in all {
        kinds.entry(call).or_default().push(number);
    }
    let mut chosen = Vec::new();
    while chosen.len() < SOME && kinds.values().any(|left| !left.is_empty()) {
        for (call, left) in kinds.iter_mut().filter(|(_, left)| !left.is_empty()) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from((seed >> 33) % left.len() as u64).unwrap();
            chosen.push((call.clone(), left.swap_remove(place)));
        }
    }
    chosen.truncate(SOME);
    chosen
}
