//! Event streams: live, resumed, and cut off.

use std::time::Duration;

use hydron_domain::identity::{Actor, Role};
use hydron_store::events::EventDraft;
use serde_json::json;

use crate::harness::{EventStream, Who, World};
use crate::in_a_world;

async fn happen(world: &World, n: i64) {
    let store = &world.coordinator.app.store;
    let actor = Actor::System { name: "test" };
    let mut tx = store.team(world.ours.team).begin(&actor, world.coordinator.app.now()).await.unwrap();
    tx.event(EventDraft::new("thing.changed", "thing", json!({ "n": n })));
    tx.commit().await.unwrap();
}

in_a_world! {
    async fn a_stream_shows_what_happens_and_goes_on_where_it_ended(world: World) {
        let viewer = world.ours.caller(Who::Session(Role::Viewer));
        let path = format!("/teams/{}/events", world.ours.team);
        happen(&world, 0).await;
        let mut stream = EventStream::open(viewer, &path).await;
        happen(&world, 1).await;
        let first = stream.next().await;
        assert_eq!((first.event.as_deref(), &first.data["data"]["n"], first.id), (Some("thing.changed"), &json!(1), Some(2)));
        drop(stream);
        for n in 2..250 {
            happen(&world, n).await;
        }
        let mut resumed = EventStream::open(&viewer.with("last-event-id", "2"), &path).await;
        for n in 2..250 {
            let event = resumed.next().await;
            assert_eq!((&event.data["data"]["n"], event.id), (&json!(n), Some(n + 1)));
        }
        happen(&world, 250).await;
        assert_eq!(resumed.next().await.data["data"]["n"], json!(250));
        let mut all = EventStream::open(viewer, &format!("{path}?after=0")).await;
        assert_eq!(all.next().await.id, Some(1));
    }

    async fn a_stream_ends_at_once_when_its_token_is_revoked(world: World) {
        let made = world.owner().post("/tokens", json!({ "name": "reader" })).await.ok(201);
        let reader = world.coordinator.nobody().with_token(made["token"].as_str().unwrap());
        let path = format!("/teams/{}/events", world.ours.team);
        let (mut ends, mut goes_on) = (EventStream::open(&reader, &path).await, EventStream::open(world.owner(), &path).await);
        world.owner().delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).await;
        let last = ends.next().await;
        assert_eq!((last.event.as_deref(), &last.data["code"]), (Some("problem"), &json!("unauthenticated")));
        assert_eq!(ends.try_next().await, None);
        happen(&world, 1).await;
        assert_eq!(goes_on.next().await.event.as_deref(), Some("thing.changed"));
    }

    async fn a_stream_ends_when_the_coordinator_stops(world: World) {
        let path = format!("/teams/{}/events", world.ours.team);
        let mut stream = EventStream::open(world.owner(), &path).await;
        world.coordinator.app.stopping.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.try_next()).await;
        assert_eq!(ended.expect("within five seconds"), None);
    }

    async fn a_wrong_place_to_go_on_from_is_named(world: World) {
        let path = format!("/teams/{}/events", world.ours.team);
        let answer = world.owner().with("last-event-id", "yesterday").get(&path).await;
        assert_eq!(answer.problem(422), "invalid_field");
        assert_eq!(answer.json["field"], "Last-Event-ID");
    }
}
