//! Operations: restart, stop, start, logs, inventory, and rollback to image and environment.

use std::time::Duration;

use hydron_agent::steps::release::record::{FileLedger, Ledger as _, ServiceRecord};
use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::plan::{Action, EnvPart, EnvVar, Operation, RELEASES_KEPT, SecretRef, StepResult};
use zeroize::Zeroizing;

use crate::app::App;
use crate::client::{get, version};
use crate::world::{World, docker};

#[tokio::test(flavor = "multi_thread")]
async fn stop_answers_503_with_a_time_to_retry_and_start_serves_again() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let service = app.service;
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", service)]).await.unwrap();
    world.apply(Action::Operate(Operation::Stop { service })).await.unwrap();
    let answer = get(&world, "/").await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("Back in a moment"));
    assert_eq!(world.running().await.len(), 0);
    assert!(world.apply(Action::Operate(Operation::Stop { service })).await.unwrap().already_done);
    world.apply(Action::Operate(Operation::Start { service })).await.unwrap();
    assert_eq!(version(&world).await, "200 one");
    world.apply(Action::Operate(Operation::Restart { service })).await.unwrap();
    assert_eq!(version(&world).await, "200 one");
}

/// A service that serves one version, and nothing that a stop has done yet.
async fn serving(world: &World) -> ServiceId {
    App::build(world).await;
    let app = App::new();
    let service = app.service;
    world.apply(Action::Release(app.release(world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", service)]).await.unwrap();
    service
}

async fn is_stopped(world: &World, service: ServiceId) {
    assert_eq!(world.running().await, Vec::<String>::new());
    assert_eq!(get(world, "/").await.unwrap().status, 503);
    let again = world.apply(Action::Operate(Operation::Stop { service })).await.unwrap();
    assert!(again.already_done, "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_died_after_its_note_stops_when_it_is_repeated() {
    let world = World::with_network().await;
    let service = serving(&world).await;
    let record = ServiceRecord::read(&world.root, service).unwrap().unwrap();
    FileLedger(&world.root).save(&ServiceRecord { stopped: true, ..record }).unwrap();
    let repeated = world.apply(Action::Operate(Operation::Stop { service })).await.unwrap();
    assert!(!repeated.already_done);
    is_stopped(&world, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_died_after_its_note_restarts_the_container_when_it_is_repeated() {
    let world = World::with_network().await;
    let service = serving(&world).await;
    let record = ServiceRecord::read(&world.root, service).unwrap().unwrap();
    let container = record.live_release().unwrap().container.clone();
    let started_at = async || docker(&["inspect", "-f", "{{.State.StartedAt}}", &container]).await;
    let before = started_at().await;
    FileLedger(&world.root).save(&ServiceRecord { stopped: true, ..record.clone() }).unwrap();
    world.apply(Action::Operate(Operation::Restart { service })).await.unwrap();
    assert_ne!(started_at().await, before);
    assert_eq!(version(&world).await, "200 one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_whose_proxy_refused_once_stops_when_it_is_repeated() {
    let world = World::with_network().await;
    let service = serving(&world).await;
    let state = std::fs::read(world.root.edge().join("current/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let chain = state["sites"][&world.name]["certificate"]["chain"].as_str().unwrap().to_owned();
    std::fs::rename(&chain, format!("{chain}.away")).unwrap();
    world.apply(Action::Operate(Operation::Stop { service })).await.unwrap_err();
    assert_eq!(world.running().await.len(), 1, "it still serves");
    std::fs::rename(format!("{chain}.away"), &chain).unwrap();
    world.apply(Action::Operate(Operation::Stop { service })).await.unwrap();
    is_stopped(&world, service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_brings_image_and_environment_back() {
    let mut world = World::with_network().await;
    App::build(&world).await;
    let secret = SecretRef { name: "app/word".parse().unwrap(), version: 1 };
    world.secrets.insert(secret.clone(), Zeroizing::new(b"old-secret-word".to_vec()));
    let app = App::new();
    let service = app.service;
    let mut first = app.release(&world, &[("VERSION", "one")]);
    first.env.push(EnvVar { name: "WORD".parse().unwrap(), value: vec![EnvPart::Secret(secret.clone())] });
    let done = world.apply(Action::Release(first.clone())).await.unwrap();
    world.publish(&[("/", service)]).await.unwrap();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "two")]))).await.unwrap();
    assert_eq!(get(&world, "/").await.unwrap().text(), "two \n");
    let back = Operation::Rollback { service, release: first.release, secrets: vec![secret] };
    let applied = world.apply(Action::Operate(back)).await.unwrap();
    assert_eq!(get(&world, "/").await.unwrap().text(), "one old-secret-word\n");
    let image = |result: &StepResult| match result {
        StepResult::Released { image_id, release, .. } => (image_id.clone(), *release),
        other => panic!("{other:?}"),
    };
    assert_eq!(image(&applied.result), image(&done.result));
    assert_eq!(world.running().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_a_release_fails_what_served_before_can_come_back() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let (one, two) = (app.release(&world, &[("VERSION", "one")]), app.release(&world, &[("VERSION", "two")]));
    for release in [&one, &two] {
        world.apply(Action::Release(release.clone())).await.unwrap();
    }
    world.publish(&[("/", app.service)]).await.unwrap();
    for _ in 0..=RELEASES_KEPT {
        let mut sick = app.release(&world, &[("MODE", "sick")]);
        sick.health.deadline_s = 1;
        world.apply(Action::Release(sick)).await.unwrap_err();
    }
    for (release, text) in [(&one, "one \n"), (&two, "two \n")] {
        let back = Operation::Rollback { service: app.service, release: release.release, secrets: vec![] };
        world.apply(Action::Operate(back)).await.unwrap();
        assert_eq!(get(&world, "/").await.unwrap().text(), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_this_server_recorded_can_be_operated() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let mut sick = app.release(&world, &[("MODE", "sick")]);
    sick.health.deadline_s = 1;
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    assert!(world.apply(Action::Release(sick.clone())).await.is_err());
    let service = app.service;
    for release in [sick.release, ReleaseId::new(1, [9; 10])] {
        let back = Operation::Rollback { service, release, secrets: vec![] };
        assert_eq!(world.apply(Action::Operate(back)).await.unwrap_err().code, "RELEASE_UNKNOWN");
    }
    let service = ServiceId::new(1, [9; 10]);
    let failure = world.apply(Action::Operate(Operation::Restart { service })).await.unwrap_err();
    assert_eq!(failure.code, "SERVICE_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_inventory_say_what_is_there() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let service = app.service;
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", service)]).await.unwrap();
    world.log();
    world.apply(Action::Operate(Operation::Logs { service, lines: 5, secrets: vec![] })).await.unwrap();
    assert_eq!(world.log(), "version one starts in mode well\n");
    let applied = world.apply(Action::Operate(Operation::Inventory {})).await.unwrap();
    let StepResult::Inventory { items } = applied.result else { panic!() };
    let has = |start: &str| items.iter().any(|item| item.starts_with(start));
    assert!(has(&format!("service {service} live rel_")), "{items:?}");
    assert!(
        has("container hy-") && has("image hydron/") && has(&format!("site {} ", world.name)),
        "{items:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_not_read_without_the_secrets_that_may_stand_in_it() {
    let mut world = World::with_network().await;
    App::build(&world).await;
    let secret = SecretRef { name: "app/word".parse().unwrap(), version: 1 };
    world.secrets.insert(secret.clone(), Zeroizing::new(b"printed-secret".to_vec()));
    let app = App::new();
    let service = app.service;
    let mut release = app.release(&world, &[]);
    let value = vec![EnvPart::Secret(secret.clone())];
    release.env.push(EnvVar { name: "VERSION".parse().unwrap(), value });
    world.apply(Action::Release(release)).await.unwrap();
    let read = Action::Operate(Operation::Logs { service, lines: 5, secrets: vec![secret.clone()] });
    assert_eq!(read.secrets(), [&secret]);
    world.log();
    world.apply(read.clone()).await.unwrap();
    assert!(world.log().contains("printed-secret"), "the application prints it, and the step's log knows it");
    world.secrets.clear();
    let refused = world.apply(read).await.unwrap_err();
    assert_eq!((refused.code, world.log().as_str()), ("SECRETS_CHANGED", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_during_a_release_waits_for_its_end() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let service = app.service;
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", service)]).await.unwrap();
    let mut slow = app.release(&world, &[("VERSION", "two")]);
    slow.bake_s = 3;
    let releasing = world.apply(Action::Release(slow));
    let operating = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.apply(Action::Operate(Operation::Restart { service })).await
    };
    let (released, restarted) = tokio::join!(releasing, operating);
    released.unwrap();
    restarted.unwrap();
    assert_eq!(version(&world).await, "200 two");
    assert_eq!(world.running().await.len(), 1);
}
