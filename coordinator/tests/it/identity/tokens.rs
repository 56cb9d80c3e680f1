//! API tokens.

use hydron_domain::identity::Role;
use serde_json::json;

use crate::harness::Who;
use crate::in_a_world;

in_a_world! {
    async fn a_token_is_shown_once_works_in_its_team_and_stops_when_revoked(world: World) {
        let made = world.owner().post("/tokens", json!({ "name": " ci ", "role": "viewer", "expires_in_days": 1 })).await.ok(201);
        let text = made["token"].as_str().unwrap();
        assert!(text.starts_with(made["prefix"].as_str().unwrap()) && made["name"] == "ci");
        let ci = world.coordinator.nobody().with_token(text);
        let me = ci.get("/me").await.ok(200);
        assert_eq!((&me["user"], &me["team"]["id"]), (&json!(null), &json!(world.ours.team)));
        let listed = world.owner().get("/tokens").await.ok(200);
        let listed = listed["items"].as_array().unwrap().iter().find(|token| token["id"] == made["id"]).unwrap().clone();
        assert!(listed.get("token").is_none() && !listed["last_used_at"].is_null(), "{listed}");
        let path = format!("/tokens/{}", made["id"].as_str().unwrap());
        assert_eq!(world.owner().delete(&path).await.status, 204);
        assert_eq!(ci.get("/me").await.problem(401), "unauthenticated");
        let audit = world.owner().get("/audit?limit=2").await.ok(200);
        let actions: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
        assert_eq!(actions, ["token.revoked", "token.created"]);
        assert!(!audit.to_string().contains(text));
    }

    async fn a_token_cannot_choose_another_team(world: World) {
        let token = world.ours.caller(Who::Token(Role::Owner));
        assert_eq!(token.with("hydron-team", &world.ours.team.to_string()).get("/me").await.status, 200);
        assert_eq!(token.with("hydron-team", &world.theirs.team.to_string()).get("/me").await.problem(404), "not_found");
    }

    async fn a_token_expires(world: World) {
        let made = world.owner().post("/tokens", json!({ "name": "short", "expires_in_days": 1 })).await.ok(201);
        let short = world.coordinator.nobody().with_token(made["token"].as_str().unwrap());
        assert_eq!(short.get("/me").await.status, 200);
        world.coordinator.clock.advance(24 * 60 * 60 * 1000);
        assert_eq!(short.get("/me").await.problem(401), "unauthenticated");
    }

    async fn nobody_makes_a_token_above_themselves(world: World) {
        let admin = world.ours.caller(Who::Session(Role::Admin));
        let refused = admin.post("/tokens", json!({ "name": "up", "role": "owner" })).await;
        assert_eq!(refused.problem(403), "forbidden");
        let why = refused.json["detail"].as_str().unwrap();
        assert!(why.contains("needs the role owner; yours is admin"), "{why}");
        assert_eq!(admin.post("/tokens", json!({ "name": "same" })).await.ok(201)["role"], "admin");
    }

    async fn fields_that_are_wrong_are_named(world: World) {
        for (body, field) in [
            (json!({ "name": "" }), "name"),
            (json!({ "name": "a\u{202e}b" }), "name"),
            (json!({ "name": "x", "expires_in_days": 0 }), "expires_in_days"),
            (json!({ "name": "x", "expires_in_days": "soon" }), "expires_in_days"),
            (json!({ "name": "x", "admin": true }), "admin"),
            (json!({}), "name"),
        ] {
            let refused = world.owner().post("/tokens", body.clone()).await;
            assert_eq!((refused.problem(422), refused.json["field"].as_str()), ("invalid_field", Some(field)), "{body}");
        }
    }

    async fn a_text_that_is_no_token_is_refused_without_asking_the_database(world: World) {
        for text in ["", "hyd_pat_", "x", "hyd_pat_00000000000000000000000000000000000000"] {
            let caller = world.coordinator.nobody().with_token(text);
            assert_eq!(caller.get("/me").await.problem(401), "unauthenticated", "{text}");
        }
        let basic = world.coordinator.nobody().with("authorization", "Basic YTpi");
        assert_eq!(basic.get("/me").await.problem(401), "unauthenticated");
    }
}
