//! The same key and request give the same answer, and the work is done once.

use serde_json::json;

use crate::harness::Who;
use crate::in_a_world;

in_a_world! {
    async fn a_repeated_request_gives_the_same_answer_and_makes_one_thing(world: World) {
        let owner = world.owner().with("idempotency-key", "key-1");
        let body = json!({ "name": "once" });
        let first = owner.post("/tokens", body.clone()).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let first = first.ok(201);
        let again = owner.post("/tokens", body.clone()).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.ok(201), first);
        let other = owner.post("/tokens", json!({ "name": "other" })).await;
        assert_eq!(other.problem(409), "idempotency_conflict");
        let listed = world.owner().get("/tokens").await.ok(200);
        let once = listed["items"].as_array().unwrap().iter().filter(|token| token["name"] == "once").count();
        assert_eq!(once, 1);
        world.coordinator.clock.advance(24 * 60 * 60 * 1000 + 1);
    }

    async fn ten_at_once_make_one_thing(world: World) {
        let owner = world.owner().with("idempotency-key", "key-1");
        let tries = (0..10).map(|_| { let owner = owner.clone(); tokio::spawn(async move { owner.post("/tokens", json!({ "name": "once" })).await }) });
        for one in tries.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            assert!(answer.status == 201 || answer.problem(409) == "idempotency_in_progress", "{}", answer.json);
        }
        let listed = world.owner().get("/tokens").await.ok(200);
        assert_eq!(listed["items"].as_array().unwrap().iter().filter(|token| token["name"] == "once").count(), 1);
    }

    async fn a_request_whose_coordinator_died_in_the_middle_is_not_done_again(world: World) {
        let app = &world.coordinator.app;
        let me = world.owner().get("/me").await.ok(200);
        let key = hydron_store::idempotency::IdempotencyKey { team: world.ours.team, actor: me["user"]["id"].as_str().unwrap().into(), key: "k".into() };
        let mut tx = app.store.system().begin(app.now()).await.unwrap();
        let owner = world.owner().with("idempotency-key", "k");
        let body = json!({ "name": "half" });
        let hash = hydron_coordinator::http::idempotency::request_hash(&reqwest::Method::POST, "/api/v1/tokens", body.to_string().as_bytes());
        assert!(tx.claim_idempotency_key(&key, &hash).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(owner.post("/tokens", body).await.problem(409), "idempotency_in_progress");
    }

    async fn a_refusal_leaves_the_key_free(world: World) {
        let owner = world.owner().with("idempotency-key", "key-1");
        assert_eq!(owner.post("/tokens", json!({ "name": "" })).await.problem(422), "invalid_field");
        owner.post("/tokens", json!({ "name": "better" })).await.ok(201);
    }

    async fn a_key_belongs_to_whoever_used_it(world: World) {
        let body = json!({ "name": "mine" });
        let owner = Who::Session(hydron_domain::identity::Role::Owner);
        let a = world.ours.caller(owner).with("idempotency-key", "k").post("/tokens", body.clone()).await.ok(201);
        let b = world.theirs.caller(owner).with("idempotency-key", "k").post("/tokens", body.clone()).await.ok(201);
        assert_ne!(a["id"], b["id"]);
        let odd = world.owner().with("idempotency-key", "has space").post("/tokens", body).await;
        assert_eq!(odd.json["field"], "Idempotency-Key");
    }

    async fn a_stored_answer_is_not_readable_in_the_database(world: World) {
        let owner = world.owner().with("idempotency-key", "k");
        let made = owner.post("/tokens", json!({ "name": "secret" })).await.ok(201);
        let id: hydron_proto::ids::TeamId = world.ours.team;
        let me = world.owner().get("/me").await.ok(200);
        let key = hydron_store::idempotency::IdempotencyKey { team: id, actor: me["user"]["id"].as_str().unwrap().into(), key: "k".into() };
        let stored = world.coordinator.app.store.system().remembered(&key).await.unwrap().unwrap();
        assert!(!stored.body.unwrap().contains(&made["token"].as_str().unwrap()[8..]));
    }
}
