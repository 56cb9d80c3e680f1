//! Passwords, limits, sessions.

use std::sync::Arc;

use hydron_coordinator::config::{Config, PasswordCost};
use hydron_coordinator::services::auth;
use hydron_coordinator::services::passwords::Passwords;
use hydron_domain::identity::Role;
use hydron_proto::ids::UserId;
use hydron_store::Location;
use hydron_store::users::User;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::harness::{Answer, TestCoordinator, World};
use crate::in_a_world;

const DAY: i64 = 24 * 60 * 60 * 1000;
const PASSWORD: &str = "correct horse battery";

async fn with_ada(world: &World) {
    let app = &world.coordinator.app;
    let hash = Passwords::new(PasswordCost::Floor).hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let now = app.now();
    let ada = User {
        id: app.ids.next(UserId::new),
        email: "ada@example.com".into(),
        name: "Ada".into(),
        created_at: now,
    };
    let mut tx = app.store.system().begin(now).await.unwrap();
    tx.insert_user(&ada, &hash).await.unwrap();
    tx.insert_member(world.ours.team, ada.id, Role::Developer).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = app.store.system().begin(now + 1).await.unwrap();
    tx.insert_member(world.theirs.team, ada.id, Role::Viewer).await.unwrap();
    tx.commit().await.unwrap();
}

async fn sign_in(world: &World, password: &str) -> Answer {
    let body: Value = json!({ "email": "ADA@example.com", "password": password });
    world.coordinator.nobody().post("/auth/login", body).await
}

const HOME: &str = "192.0.2.7";
const STRANGER: &str = "198.51.100.9";

/// What somebody hears who tries from an address of the network.
async fn from(world: &World, address: &str, password: &str) -> String {
    let password = Zeroizing::new(password.to_owned());
    let tried = auth::sign_in(&world.coordinator.app, "ada@example.com", password, address).await;
    tried.map_or_else(|refused| refused.to_string(), |_| "in".to_owned())
}

in_a_world! {
    async fn a_session_chooses_its_team_and_ends_with_sign_out(world: World) {
        with_ada(&world).await;
        let signed = sign_in(&world, PASSWORD).await;
        let ada = world.coordinator.nobody().with_cookie(&signed.cookie());
        assert_eq!(signed.ok(200)["teams"].as_array().unwrap().len(), 2);
        let team = |answer: Value| answer["team"]["role"].as_str().unwrap().to_owned();
        assert_eq!(team(ada.get("/me").await.ok(200)), "developer");
        let theirs = ada.with("hydron-team", &world.theirs.team.to_string());
        assert_eq!(team(theirs.get("/me").await.ok(200)), "viewer");
        assert_eq!(ada.with("hydron-team", "team_00").get("/me").await.problem(404), "not_found");
        let out = ada.post("/auth/logout", json!(null)).await;
        assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(ada.get("/me").await.problem(401), "unauthenticated");
    }

    async fn five_wrong_passwords_close_the_account_for_a_quarter_of_an_hour(world: World) {
        with_ada(&world).await;
        for _ in 0..5 {
            assert_eq!(sign_in(&world, "wrong wrong wrong").await.problem(401), "wrong_credentials");
        }
        let refused = sign_in(&world, PASSWORD).await;
        assert_eq!(refused.problem(429), "too_many_attempts", "even with the right one");
        assert_eq!(refused.headers["retry-after"], "900");
        world.coordinator.clock.advance(15 * 60 * 1000 + 1);
        assert_eq!(sign_in(&world, PASSWORD).await.status, 200);
        for _ in 0..4 {
            assert_eq!(sign_in(&world, "wrong wrong wrong").await.problem(401), "wrong_credentials");
        }
        assert_eq!(sign_in(&world, PASSWORD).await.status, 200, "success starts the count again");
    }

    async fn strangers_do_not_close_an_account_where_its_owner_signs_in(world: World) {
        with_ada(&world).await;
        assert_eq!(from(&world, HOME, PASSWORD).await, "in");
        for _ in 0..6 {
            from(&world, STRANGER, "wrong wrong wrong").await;
        }
        assert_eq!(from(&world, STRANGER, PASSWORD).await, "too many attempts to sign in");
        assert_eq!(from(&world, HOME, PASSWORD).await, "in");
        for _ in 0..5 {
            assert_eq!(from(&world, HOME, "wrong wrong wrong").await, "the address or the password is wrong");
        }
        let guessed = from(&world, HOME, PASSWORD).await;
        assert_eq!(guessed, "too many attempts to sign in", "there, too, guesses have an end");
        // What is known of one account is nothing to another, and it is forgotten.
        world.coordinator.clock.advance(90 * DAY);
        for _ in 0..6 {
            from(&world, STRANGER, "wrong wrong wrong").await;
        }
        assert_eq!(from(&world, HOME, PASSWORD).await, "too many attempts to sign in");
    }

    async fn successes_use_up_no_tries_of_those_who_share_an_address(world: World) {
        with_ada(&world).await;
        for number in 0..60 {
            assert_eq!(from(&world, HOME, PASSWORD).await, "in", "{number}");
        }
        for number in 0..51 {
            let password = Zeroizing::new("wrong wrong wrong".to_owned());
            let email = format!("nobody{number}@example.com");
            auth::sign_in(&world.coordinator.app, &email, password, HOME).await.unwrap_err();
        }
        let password = Zeroizing::new(PASSWORD.to_owned());
        let new = auth::sign_in(&world.coordinator.app, "new@example.com", password, HOME).await;
        assert!(matches!(new, Err(auth::AuthError::TooManyAttempts { .. })), "{new:?}");
        assert_eq!(from(&world, HOME, PASSWORD).await, "in", "where she signed in before");
    }

    async fn behind_a_trusted_proxy_the_client_is_whom_it_names(world: World) {
        let (config, clock) = (world.coordinator.config.clone(), world.coordinator.clock.clone());
        if matches!(config.database, Location::Sqlite(_)) {
            return;
        }
        let proxied = Config { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..config };
        let other = TestCoordinator::start_with(proxied, clock, Arc::clone(&world.coordinator.dir)).await;
        with_ada(&world).await;
        let try_from = async |who: &TestCoordinator, address: &str, password: &str| {
            let body = json!({ "email": "ada@example.com", "password": password });
            who.nobody().with("x-forwarded-for", address).post("/auth/login", body).await.status
        };
        assert_eq!(try_from(&other, HOME, PASSWORD).await, 200);
        for _ in 0..6 {
            try_from(&other, STRANGER, "wrong wrong wrong").await;
        }
        assert_eq!(try_from(&other, STRANGER, PASSWORD).await, 429);
        assert_eq!(try_from(&other, HOME, PASSWORD).await, 200);
        assert_eq!(try_from(&world.coordinator, HOME, PASSWORD).await, 429, "here nobody's word is taken");
    }

    async fn thirty_guesses_at_once_are_five_guesses(world: World) {
        with_ada(&world).await;
        let nobody = world.coordinator.nobody();
        let tries = (0..30).map(|_| {
            let nobody = nobody.clone();
            let body = json!({ "email": "ada@example.com", "password": "wrong wrong wrong" });
            tokio::spawn(async move { nobody.post("/auth/login", body).await.status })
        });
        let mut evaluated = 0;
        for one in tries.collect::<Vec<_>>() {
            evaluated += u32::from(one.await.unwrap() == 401);
        }
        assert_eq!(evaluated, 5);
    }

    async fn an_unknown_address_is_answered_like_a_wrong_password(world: World) {
        let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
        let answer = world.coordinator.nobody().post("/auth/login", body).await;
        assert_eq!(answer.problem(401), "wrong_credentials");
    }

    async fn a_session_ends_after_a_week_unused_and_after_a_month_anyway(world: World) {
        with_ada(&world).await;
        let clock = &world.coordinator.clock;
        let ada = world.coordinator.nobody().with_cookie(&sign_in(&world, PASSWORD).await.cookie());
        for _ in 0..4 {
            clock.advance(6 * DAY);
            assert_eq!(ada.get("/me").await.status, 200);
        }
        clock.advance(6 * DAY);
        assert_eq!(ada.get("/me").await.problem(401), "unauthenticated", "a month is over");
        let idle = world.coordinator.nobody().with_cookie(&sign_in(&world, PASSWORD).await.cookie());
        clock.advance(7 * DAY);
        assert_eq!(idle.get("/me").await.problem(401), "unauthenticated", "a week unused");
    }
}
