//! The same data after a restart, and two coordinators on one PostgreSQL.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use hydron_coordinator::clock::SystemEntropy;
use hydron_coordinator::config::Config;
use hydron_coordinator::serve::{Coordinator, ServeError};
use hydron_domain::identity::Actor;
use hydron_store::Location;
use hydron_store::events::EventDraft;
use serde_json::json;

use crate::harness::{EventStream, TestCoordinator};
use crate::in_a_world;

in_a_world! {
    async fn sessions_tokens_and_keys_survive_a_restart(world: World) {
        let made = world.owner().with("idempotency-key", "k").post("/tokens", json!({ "name": "kept" })).await.ok(201);
        let (config, clock, dir) = (world.coordinator.config.clone(), world.coordinator.clock.clone(), Arc::clone(&world.coordinator.dir));
        world.coordinator.stop().await;
        let again = TestCoordinator::start_with(config, clock, dir).await;
        assert!(again.setup_link.is_none());
        let token = again.nobody().with_token(made["token"].as_str().unwrap());
        assert_eq!(token.get("/me").await.ok(200)["team"]["role"], "owner");
        let owner = again.nobody().with_cookie("ours-owner-session").with("idempotency-key", "k");
        assert_eq!(owner.post("/tokens", json!({ "name": "kept" })).await.ok(201), made);
    }

    async fn wrong_passwords_are_remembered_over_a_restart(world: World) {
        let login = json!({ "email": "nobody@example.com", "password": "wrong wrong wrong" });
        for _ in 0..5 {
            assert_eq!(world.coordinator.nobody().post("/auth/login", login.clone()).await.status, 401);
        }
        let (config, clock, dir) = (world.coordinator.config.clone(), world.coordinator.clock.clone(), Arc::clone(&world.coordinator.dir));
        world.coordinator.stop().await;
        let again = TestCoordinator::start_with(config, clock, dir).await;
        assert_eq!(again.nobody().post("/auth/login", login).await.problem(429), "too_many_attempts");
    }

    async fn a_change_by_one_coordinator_reaches_streams_of_another(world: World) {
        if matches!(world.coordinator.config.database, Location::Sqlite(_)) {
            return;
        }
        let (config, clock) = (world.coordinator.config.clone(), world.coordinator.clock.clone());
        let other = TestCoordinator::start_with(config, clock, Arc::clone(&world.coordinator.dir)).await;
        let owner = other.nobody().with_cookie("ours-owner-session");
        let mut stream = EventStream::open(&owner, &format!("/teams/{}/events", world.ours.team)).await;
        let store = &world.coordinator.app.store;
        let mut tx = store.team(world.ours.team).begin(&Actor::System { name: "test" }, 1).await.unwrap();
        tx.event(EventDraft::new("thing.changed", "x", json!({})));
        tx.commit().await.unwrap();
        let began = std::time::Instant::now();
        assert_eq!(stream.next().await.event.as_deref(), Some("thing.changed"));
        assert!(began.elapsed().as_secs() < 4, "woken, not found by chance");
    }

    async fn a_coordinator_with_other_keys_does_not_start_on_the_database(world: World) {
        let (config, clock, dir) = (world.coordinator.config.clone(), world.coordinator.clock.clone(), Arc::clone(&world.coordinator.dir));
        world.coordinator.stop().await;
        for file in ["plan.key", "ca.key", "kek"] {
            let other = tempfile::tempdir().unwrap();
            copy_keys(&dir.path().join("keys"), &other.path().join("keys"), file);
            let stranger = Config { data_dir: other.path().to_owned(), ..config.clone() };
            let refused = Coordinator::start(stranger, clock.clone(), Arc::new(SystemEntropy)).await.unwrap_err();
            let ServeError::Keys(why) = refused else { panic!("{refused:?}") };
            assert!(why.to_string().starts_with(&format!("{file} is not the key")), "{why}");
        }
        let again = TestCoordinator::start_with(config, clock, dir).await;
        assert_eq!(again.nobody().with_cookie("ours-owner-session").get("/me").await.status, 200);
    }
}

/// All but one, which the next start makes anew.
fn copy_keys(from: &Path, to: &Path, except: &str) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, PermissionsExt::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name();
        let pair = except == "ca.key" && name == "ca.pem";
        if name != except && !pair {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
