//! Becoming a server: tokens, keys, certificates.

use hydron_domain::enrollment::{CERTIFICATE_LIFE_MS, TOKEN_LIFETIME_MS};
use hydron_tests::sim_agent::{EnrollRefused, LinkEnd, SimAgent, SimKeys, enroll, renew_late};
use serde_json::json;
use std::sync::Arc;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::bench::{Bench, easy};
use crate::in_a_world;

const DAY: i64 = 24 * 3600 * 1000;

fn code<T: std::fmt::Debug>(result: Result<T, EnrollRefused>) -> String {
    match result {
        Err(EnrollRefused::Refused { code }) => code,
        other => panic!("not a refusal: {other:?}"),
    }
}

async fn audited(bench: &Bench<'_>, action: &str) -> bool {
    let log = bench.owner().get("/audit").await.ok(200);
    log["items"].as_array().unwrap().iter().any(|line| line["action"] == action)
}

in_a_world! {
    async fn the_certificate_says_what_the_coordinator_says_and_only_the_key_is_taken_from_the_request(world: World) {
        let bench = Bench::start(&world).await;
        let (server, token) = bench.adopt("alpha").await;
        let identity = enroll(bench.address(), &token, &SimKeys::generate()).await.unwrap();
        assert_eq!(identity.server.to_string(), server);
        let (_, certificate) = X509Certificate::from_der(identity.certificate()).unwrap();
        let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
        let uri = format!("hydron://{}/server/{server}", world.ours.team);
        assert_eq!(format!("{names:?}"), format!("[URI(\"{uri}\")]"), "evil.example was asked for");
        assert!(!certificate.is_ca());
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        let (now, life) = (bench.app().now() / 1000, certificate.validity());
        assert!((life.not_before.timestamp() - (now - 3600)).abs() < 5);
        assert!((life.not_after.timestamp() - (now + CERTIFICATE_LIFE_MS / 1000)).abs() < 5);
        let seen = bench.owner().get(&format!("/servers/{server}")).await.ok(200);
        assert_eq!((&seen["online"], &seen["facts"]["arch"], &seen["state"]), (&json!(false), &json!("x86_64"), &json!("available")));
        assert!(audited(&bench, "server.enrolled").await);
    }

    async fn a_lost_reply_is_given_again_to_the_same_key_and_another_key_is_refused_and_told(world: World) {
        let bench = Bench::start(&world).await;
        let (_, token) = bench.adopt("alpha").await;
        let keys = SimKeys::generate();
        let first = enroll(bench.address(), &token, &keys).await.unwrap();
        let again = enroll(bench.address(), &token, &keys).await.unwrap();
        assert_eq!(first.certificate(), again.certificate());
        assert_eq!(code(enroll(bench.address(), &token, &SimKeys::generate()).await), "token_bound_to_another_key");
        assert!(audited(&bench, "enrollment.second_key_refused").await);
        let agent = SimAgent::new(bench.address(), Arc::new(first), easy());
        agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        assert_eq!(code(enroll(bench.address(), &token, &keys).await), "token_used");
    }

    async fn an_expired_a_revoked_a_foreign_and_a_made_up_token_are_refused_by_name(world: World) {
        let bench = Bench::start(&world).await;
        let (_, expired) = bench.adopt("alpha").await;
        world.coordinator.clock.advance(TOKEN_LIFETIME_MS);
        assert_eq!(code(enroll(bench.address(), &expired, &SimKeys::generate()).await), "token_expired");
        let (server, revoked) = bench.adopt("beta").await;
        let listed = bench.owner().get("/enrollment-tokens").await.ok(200);
        let row = listed["items"].as_array().unwrap().iter().find(|row| row["server_id"] == server.as_str()).unwrap().clone();
        assert_eq!(row["state"], "unused");
        let path = format!("/enrollment-tokens/{}", row["id"].as_str().unwrap());
        bench.owner().delete(&path).await.ok(204);
        assert_eq!(code(enroll(bench.address(), &revoked, &SimKeys::generate()).await), "token_revoked");
        assert_eq!(bench.owner().delete(&path).await.problem(404), "not_found");
        let mut made_up: Vec<String> = revoked.split('.').map(str::to_owned).collect();
        made_up[3] = "A".repeat(43);
        assert_eq!(code(enroll(bench.address(), &made_up.join("."), &SimKeys::generate()).await), "token_unknown");
        let mut foreign: Vec<String> = revoked.split('.').map(str::to_owned).collect();
        foreign[1] = "A".repeat(43);
        let pinned_elsewhere = enroll(bench.address(), &foreign.join("."), &SimKeys::generate()).await;
        assert!(matches!(pinned_elsewhere, Err(EnrollRefused::Failed(_))), "the agent does not believe another authority");
    }

    async fn a_new_token_for_a_server_replaces_its_key_and_ends_the_old_installation(world: World) {
        let bench = Bench::start(&world).await;
        let old = bench.agent("alpha", easy()).await;
        let link = old.connect().await.unwrap();
        let body = json!({ "server_id": old.identity.server });
        let made = bench.owner().post("/enrollment-tokens", body).await.ok(201);
        let new = SimAgent::join(bench.address(), made["token"].as_str().unwrap(), easy()).await.unwrap();
        assert_eq!(new.identity.server, old.identity.server);
        assert_eq!(link.ended().await, LinkEnd::Closed(4003));
        let refused = old.connect_raw().await.unwrap_err();
        assert!(refused.to_string().contains("unknown_key"), "{refused}");
        new.connect_raw().await.unwrap().welcomed().await.unwrap();
    }

    async fn an_ended_certificate_is_renewed_for_ninety_days_by_its_own_door_only(world: World) {
        let bench = Bench::start(&world).await;
        let clock = &world.coordinator.clock;
        clock.advance(-40 * DAY);
        let agent = bench.agent("alpha", easy()).await;
        clock.advance(40 * DAY);
        assert!(agent.connect_raw().await.unwrap_err().to_string().contains("no connection"), "expired");
        let renewed = renew_late(bench.address(), &agent.identity).await.unwrap();
        let (_, certificate) = X509Certificate::from_der(&renewed[0]).unwrap();
        assert!(certificate.validity().not_after.timestamp() > bench.app().now() / 1000 + 29 * 24 * 3600);
        clock.advance(-130 * DAY);
        let lapsed = bench.agent("beta", easy()).await;
        clock.advance(130 * DAY);
        assert!(matches!(renew_late(bench.address(), &lapsed.identity).await, Err(EnrollRefused::Failed(_))));
        bench.owner().delete(&format!("/servers/{}", agent.identity.server)).await.ok(204);
        assert_eq!(code(renew_late(bench.address(), &agent.identity).await), "revoked");
    }
}
