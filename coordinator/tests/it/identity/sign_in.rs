//! Passwords, limits, sessions.

use hydron_coordinator::config::PasswordCost;
use hydron_coordinator::services::passwords::Passwords;
use hydron_domain::identity::Role;
use hydron_proto::ids::UserId;
use hydron_store::users::User;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::harness::{Answer, World};
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
