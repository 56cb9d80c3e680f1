//! Plans: what was shown is what is approved; whatever changed in between is refused.

use hydron_domain::identity::Role;
use serde_json::{Value, json};

use super::Bench;
use super::bench::{digests, enroll};
use crate::harness::Who;
use crate::in_a_world;

in_a_world! {
    async fn a_plan_is_read_approved_by_its_digests_and_becomes_a_run(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let plan = bench.plan(&project).await;
        assert_eq!((plan["state"].as_str(), plan["risk"].as_str()), (Some("ready"), Some("r2")));
        assert_eq!(plan["warnings"], json!([]), "{}", plan["warnings"]);
        assert!(plan["url"].as_str().unwrap().ends_with(".localhost:8443"), "{}", plan["url"]);
        let id = plan["id"].as_str().unwrap();
        let parts = bench.owner().get(&format!("/infrastructure-plans/{id}/provisioning-plans")).await.ok(200);
        let part = &parts["items"][0];
        let titles: Vec<&str> = part["steps"].as_array().unwrap().iter().map(|step| step["title"].as_str().unwrap()).collect();
        assert_eq!(&titles[..3], ["Docker Engine", "Private network", "Volume for postgres"]);
        assert!(titles.contains(&"Release api") && titles.contains(&"Probe web through the public URL"), "{titles:?}");
        assert!(part["steps"].as_array().unwrap().iter().all(|step| !step["summary"].as_str().unwrap().is_empty()));
        assert_eq!(part["secrets"], json!([{ "name": "postgres/password", "version": 1, "generated": true }]));
        let answer = bench.approve(&plan).await;
        assert!(answer["run"]["id"].as_str().unwrap().starts_with("run_"), "{answer}");
        let now = bench.owner().get(&format!("/infrastructure-plans/{id}")).await.ok(200);
        assert_eq!((now["state"].as_str(), &now["run_id"]), (Some("executing"), &answer["run"]["id"]));
        let again = json!({ "digest": plan["digest"] });
        let again = bench.owner().post(&format!("/infrastructure-plans/{id}/approve"), again).await;
        assert_eq!(again.problem(409), "wrong_state");
        let pending = bench.owner().get("/approvals?state=pending").await.ok(200);
        assert_eq!(pending["items"], json!([]));
    }

    async fn two_yeses_one_after_the_other_start_the_run_too(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let plan = bench.plan(&project).await;
        let (id, part) = (plan["id"].as_str().unwrap(), plan["provisioning_plans"][0].clone());
        let early = json!({ "digest": part["digest"] });
        let ppl = part["id"].as_str().unwrap();
        let early = bench.owner().post(&format!("/provisioning-plans/{ppl}/approve"), early).await;
        assert_eq!(early.problem(409), "wrong_state", "the infrastructure plan comes first");
        let pending = bench.owner().get("/approvals").await.ok(200);
        assert_eq!(pending["items"][0]["subject_id"], plan["id"]);
        let first = bench.owner().post(&format!("/infrastructure-plans/{id}/approve"), json!({ "digest": plan["digest"] })).await.ok(200);
        assert_eq!((first["plan"]["state"].as_str(), first["run"].is_null()), (Some("approved"), true));
        let pending = bench.owner().get("/approvals").await.ok(200);
        let asked = &pending["items"][0];
        assert_eq!((&asked["subject_id"], &asked["digest"]), (&part["id"], &part["digest"]));
        let approval = asked["id"].as_str().unwrap();
        let last = bench.owner().post(&format!("/approvals/{approval}/approve"), json!({ "digest": part["digest"] })).await.ok(200);
        assert_eq!(last["approval"]["state"], "approved");
        assert!(last["run"]["id"].is_string());
    }

    async fn a_digest_that_is_not_what_the_person_saw_approves_nothing(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let plan = bench.plan(&project).await;
        let id = plan["id"].as_str().unwrap();
        let path = format!("/infrastructure-plans/{id}/approve");
        let other = "0".repeat(64);
        for (status, code, body) in [
            (409, "digest_mismatch", json!({ "digest": other })),
            (422, "invalid_field", json!({ "digest": "latest" })),
            (422, "invalid_field", json!({})),
            (409, "digest_mismatch", json!({ "digest": plan["digest"], "start": true })),
            (409, "digest_mismatch", json!({ "digest": plan["digest"], "start": true,
                "provisioning_digests": { plan["provisioning_plans"][0]["id"].as_str().unwrap(): other } })),
        ] {
            assert_eq!(bench.owner().post(&path, body.clone()).await.problem(status), code, "{body}");
        }
        let now = bench.owner().get(&format!("/infrastructure-plans/{id}")).await.ok(200);
        assert_eq!((now["state"].as_str(), now["run_id"].is_null()), (Some("ready"), true), "nothing changed");
        assert_eq!(bench.owner().get(&format!("/projects/{project}")).await.ok(200)["last_run"], Value::Null);
    }

    async fn whatever_a_plan_was_made_from_makes_it_stale_and_setting_it_back_does_not_revive_it(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let api = bench.service(&project, "api").await;
        let changes: [(&str, Value); 2] = [
            ("variable GREETING of api was added", json!({ "vars": [{ "name": "GREETING", "value": "1" }] })),
            ("variable SECRET_KEY of api was added", json!({ "vars": [{ "name": "SECRET_KEY", "value": "secret" }] })),
        ];
        for (reason, body) in changes {
            let plan = bench.plan(&project).await;
            bench.owner().put(&format!("/services/{api}/env"), body).await.ok(200);
            let id = plan["id"].as_str().unwrap();
            let now = bench.owner().get(&format!("/infrastructure-plans/{id}")).await.ok(200);
            assert_eq!((now["state"].as_str(), &now["stale_reasons"]), (Some("stale"), &json!([reason])));
            let body = json!({ "digest": plan["digest"], "start": true, "provisioning_digests": digests(&plan) });
            let answer = bench.owner().post(&format!("/infrastructure-plans/{id}/approve"), body).await;
            assert_eq!((answer.problem(409), &answer.json["stale_reasons"]), ("stale_plan", &json!([reason])));
            assert_eq!(bench.owner().get("/approvals").await.ok(200)["items"], json!([]));
        }
        let plan = bench.plan(&project).await;
        bench.owner().post(&format!("/services/{api}/reject"), json!({})).await.ok(200);
        let now = bench.owner().get(&format!("/infrastructure-plans/{}", plan["id"].as_str().unwrap())).await.ok(200);
        assert_eq!(now["state"], "stale");
    }

    async fn an_edit_after_approval_voids_it_and_only_the_new_digest_counts(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        enroll(&world, "beta").await;
        let plan = bench.plan(&project).await;
        let id = plan["id"].as_str().unwrap();
        let part = plan["provisioning_plans"][0].clone();
        let ppl = part["id"].as_str().unwrap();
        bench.owner().post(&format!("/infrastructure-plans/{id}/approve"), json!({ "digest": plan["digest"] })).await.ok(200);
        let edit = json!({ "steps": [{ "index": 0, "title": "Docker, please", "timeout_s": 60 }] });
        let edited = bench.owner().patch(&format!("/provisioning-plans/{ppl}"), edit).await.ok(200);
        assert_ne!(edited["digest"], part["digest"]);
        assert_eq!((edited["state"].as_str(), edited["steps"][0]["title"].as_str()), (Some("ready"), Some("Docker, please")));
        let old = bench.owner().post(&format!("/provisioning-plans/{ppl}/approve"), json!({ "digest": part["digest"] })).await;
        assert_eq!(old.problem(409), "digest_mismatch");
        for (field, edit) in [
            ("steps[0].timeout_s", json!({ "index": 0, "timeout_s": 0 })),
            ("steps[0].title", json!({ "index": 0, "title": "a\nb" })),
            ("steps[999].index", json!({ "index": 999 })),
            ("steps[1].action", json!({ "index": 1, "action": { "kind": "network", "with": { "name": "x; id" } } })),
            ("steps[1].action", json!({ "index": 1, "action": { "kind": "network", "with": { "name": "hy-other" } } })),
            ("steps[1].action", json!({ "index": 1, "action": { "kind": "shell", "with": { "script": "id", "env": [], "expect": [0] } } })),
        ] {
            let answer = bench.owner().patch(&format!("/provisioning-plans/{ppl}"), json!({ "steps": [edit] })).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!(field)));
        }
        let done = bench.owner().post(&format!("/provisioning-plans/{ppl}/approve"), json!({ "digest": edited["digest"] })).await.ok(200);
        assert!(done["run"]["id"].is_string(), "{done}");
        let late = bench.owner().patch(&format!("/provisioning-plans/{ppl}"), json!({ "steps": [] })).await;
        assert_eq!(late.problem(409), "wrong_state", "what runs is not edited");
    }

    async fn services_are_placed_where_the_person_wants_them_and_not_torn_from_their_database(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let beta = enroll(&world, "beta").await;
        let plan = bench.plan(&project).await;
        let id = plan["id"].as_str().unwrap();
        let (web, api, postgres) = (
            bench.service(&project, "web").await,
            bench.service(&project, "api").await,
            bench.service(&project, "postgres").await,
        );
        let used = plan["servers"][0]["server_id"].as_str().unwrap().to_owned();
        let servers = world.coordinator.app.store.team(world.ours.team).servers().await.unwrap();
        let other = servers.iter().map(|server| server.id.to_string()).find(|id| *id != used).unwrap();
        let torn = json!({ "placement": { &api: used, &postgres: other } });
        let torn = bench.owner().patch(&format!("/infrastructure-plans/{id}"), torn).await;
        assert_eq!((torn.problem(422), &torn.json["field"]), ("invalid_field", &json!("placement")));
        let placed = bench.owner().patch(&format!("/infrastructure-plans/{id}"), json!({ "placement": { &web: other } })).await.ok(200);
        assert_eq!(placed["provisioning_plans"].as_array().unwrap().len(), 2);
        assert_ne!(placed["digest"], plan["digest"]);
        let stranger = json!({ "placement": { &web: format!("srv_{}", "0".repeat(32)) } });
        let stranger = bench.owner().patch(&format!("/infrastructure-plans/{id}"), stranger).await;
        assert_eq!(stranger.problem(422), "invalid_field");
        let body = json!({ "digest": plan["digest"] });
        assert_eq!(bench.owner().post(&format!("/infrastructure-plans/{id}/approve"), body).await.problem(409), "digest_mismatch");
        let run = bench.approve(&placed).await;
        assert!(run["run"]["id"].is_string(), "two servers, one run: {run} ({beta})");
    }

    async fn a_plan_needs_services_a_server_and_the_right_role(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let path = format!("/projects/{project}/infrastructure-plans");
        assert_eq!(bench.owner().post(&path, json!({})).await.problem(409), "no_services");
        bench.publish("main", |_| {});
        bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        bench.owner().post(&format!("/projects/{project}/services/accept-all"), json!({})).await.ok(200);
        assert_eq!(bench.owner().post(&path, json!({})).await.problem(409), "no_server");
        let nobody = json!({ "server_ids": [format!("srv_{}", "0".repeat(32))] });
        assert_eq!(bench.owner().post(&path, nobody).await.problem(404), "not_found");
        let viewer = world.ours.caller(Who::Session(Role::Viewer));
        assert_eq!(viewer.post(&path, json!({})).await.problem(403), "forbidden");
        enroll(&world, "alpha").await;
        let plan = bench.plan(&project).await;
        let body = json!({ "digest": plan["digest"], "start": true, "provisioning_digests": digests(&plan) });
        let approve = format!("/infrastructure-plans/{}/approve", plan["id"].as_str().unwrap());
        assert_eq!(viewer.post(&approve, body.clone()).await.problem(403), "forbidden");
        assert_eq!(world.theirs.caller(Who::Session(Role::Owner)).post(&approve, body.clone()).await.problem(404), "not_found");
        let run = world.developer().post(&approve, body).await.ok(200);
        assert!(run["run"]["id"].is_string(), "a developer approves up to R2");
    }

    async fn a_declined_or_old_question_cannot_be_answered_any_more(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let plan = bench.plan(&project).await;
        let pending = bench.owner().get("/approvals").await.ok(200);
        let approval = pending["items"][0]["id"].as_str().unwrap();
        bench.owner().post(&format!("/approvals/{approval}/decline"), json!({})).await.ok(200);
        let body = json!({ "digest": plan["digest"] });
        let late = bench.owner().post(&format!("/approvals/{approval}/approve"), body.clone()).await;
        assert_eq!(late.problem(409), "wrong_state");
        let plan = bench.plan(&project).await;
        let pending = bench.owner().get("/approvals").await.ok(200);
        let approval = pending["items"][0]["id"].as_str().unwrap().to_owned();
        world.coordinator.clock.advance(25 * 60 * 60 * 1000);
        let old = bench.owner().post(&format!("/approvals/{approval}/approve"), json!({ "digest": plan["digest"] })).await;
        assert_eq!(old.problem(409), "approval_expired");
    }
}
