//! Services: decisions, edits, locks and variables; secrets go in and never come out.

use std::fmt::Write as _;

use hydron_proto::ids::ProjectId;
use serde_json::json;

use super::{Bench, plain_service};
use crate::in_a_world;

const CANARY: &str = "c4n4ry-value-nobody-may-see";

in_a_world! {
    async fn every_bad_field_of_a_service_is_named_and_nothing_changes(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let id = plain_service(&world, project.parse().unwrap(), "api").await;
        plain_service(&world, project.parse().unwrap(), "web").await;
        let before = bench.owner().get(&format!("/services/{id}")).await.ok(200);
        for (field, body) in [
            ("name", json!({ "name": "api; rm -rf /" })),
            ("name", json!({ "name": "$(id)" })),
            ("name", json!({ "name": "-x" })),
            ("port", json!({ "port": 0 })),
            ("port", json!({ "port": 70000 })),
            ("start", json!({ "start": "run && curl evil" })),
            ("start", json!({ "start": "run\nrm" })),
            ("health_path", json!({ "health_path": "no-slash" })),
            ("route_prefix", json!({ "route_prefix": "/a b" })),
            ("path", json!({ "path": "../../etc" })),
            ("depends_on", json!({ "depends_on": ["a;b"] })),
            ("dockerfile", json!({ "dockerfile": { "content": "RUN id" } })),
            ("kind", json!({ "kind": "dependency" })),
            ("nonsense", json!({ "nonsense": 1 })),
        ] {
            let answer = bench.owner().patch(&format!("/services/{id}"), body.clone()).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!(field)), "{body}");
        }
        for (status, code, field, body) in [
            (409, "taken", "name", json!({ "name": "web" })),
            (404, "not_found", "depends_on", json!({ "depends_on": ["nobody"] })),
        ] {
            let answer = bench.owner().patch(&format!("/services/{id}"), body).await;
            assert_eq!((answer.problem(status), &answer.json["field"]), (code, &json!(field)));
        }
        assert_eq!(bench.owner().get(&format!("/services/{id}")).await.ok(200), before);
        let edited = bench.owner().patch(&format!("/services/{id}"), json!({ "port": 3000, "name": "back" })).await.ok(200);
        assert_eq!((&edited["port"], &edited["name"]), (&json!(3000), &json!("back")));
    }

    async fn a_locked_service_refuses_edits_variables_and_rejection(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let id = plain_service(&world, project.parse().unwrap(), "api").await;
        bench.owner().post(&format!("/services/{id}/lock"), json!({})).await.ok(200);
        let refused = [
            bench.owner().patch(&format!("/services/{id}"), json!({ "port": 3000 })).await,
            bench.owner().put(&format!("/services/{id}/env"), json!({ "vars": [{ "name": "A", "value": "1" }] })).await,
            bench.owner().post(&format!("/services/{id}/reject"), json!({})).await,
        ];
        for answer in refused {
            assert_eq!(answer.problem(409), "locked");
        }
        bench.owner().post(&format!("/services/{id}/unlock"), json!({})).await.ok(200);
        bench.owner().patch(&format!("/services/{id}"), json!({ "port": 3000 })).await.ok(200);
    }

    async fn a_secret_goes_in_and_is_in_no_answer_event_audit_row_or_database_file(world: World) {
        let bench = Bench::start(&world).await;
        let project: ProjectId = bench.project().await.parse().unwrap();
        let id = plain_service(&world, project, "api").await;
        let vars = json!({ "vars": [
            { "name": "API_TOKEN", "value": CANARY },
            { "name": "GREETING", "value": "hello" },
            { "name": "HIDDEN", "value": CANARY, "secret": true },
        ]});
        let answer = bench.owner().put(&format!("/services/{id}/env"), vars).await.ok(200);
        let shown: Vec<(String, bool, Option<String>)> = answer["items"].as_array().unwrap().iter()
            .filter(|var| var["name"] != "PORT")
            .map(|var| (var["name"].as_str().unwrap().to_owned(), var["secret"] == true, var["value"].as_str().map(str::to_owned)))
            .collect();
        assert_eq!(shown, [
            ("API_TOKEN".to_owned(), true, None),
            ("GREETING".to_owned(), false, Some("hello".to_owned())),
            ("HIDDEN".to_owned(), true, None),
        ]);
        let team = world.coordinator.app.store.team(world.ours.team);
        let mut seen = answer.to_string();
        seen += &bench.owner().get(&format!("/projects/{project}/services")).await.ok(200).to_string();
        seen += &bench.owner().get("/audit").await.ok(200).to_string();
        for event in team.events_after(0, 1000).await.unwrap() {
            seen += &event.data.to_string();
        }
        for row in team.env_vars(project).await.unwrap() {
            write!(seen, "{row:?}").unwrap();
        }
        for (name, version, _) in team.secret_versions(project).await.unwrap() {
            let secret = hydron_proto::plan::SecretRef { name, version };
            let sealed = team.secret_value(project, &secret).await.unwrap().unwrap();
            let opened = hydron_coordinator::services::secrets::open(
                &world.coordinator.app.kek, world.ours.team, project, &secret, &sealed,
            ).unwrap();
            assert_eq!(opened.as_slice(), CANARY.as_bytes());
            let moved = hydron_proto::plan::SecretRef { version: version + 1, ..secret };
            assert!(hydron_coordinator::services::secrets::open(
                &world.coordinator.app.kek, world.ours.team, project, &moved, &sealed,
            ).is_err(), "a value that was moved to another row does not open");
            seen += &sealed;
        }
        assert!(!seen.contains(CANARY));
        for entry in std::fs::read_dir(world.coordinator.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
                assert!(!found, "{} holds the value in clear", path.display());
            }
        }
    }

    async fn bad_variables_are_named_by_their_place(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let id = plain_service(&world, project.parse().unwrap(), "api").await;
        for (name, value, field) in [
            ("A-B", "1", "vars[0].name"),
            ("$(id)", "1", "vars[0].name"),
            ("LD_PRELOAD", "x", "vars[0].name"),
            ("PATH", "x", "vars[0].name"),
            ("A", "a\0b", "vars[0].value"),
            // It could not be taken out of logs.
            ("A_TOKEN", "12345", "vars[0].value"),
        ] {
            let body = json!({ "vars": [{ "name": name, "value": value }] });
            let answer = bench.owner().put(&format!("/services/{id}/env"), body).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!(field)), "{name}");
        }
        let absent = bench.owner().delete(&format!("/services/{id}/env/NOT_THERE")).await;
        assert_eq!(absent.problem(404), "not_found");
    }

    async fn a_new_reading_leaves_alone_what_a_person_edited(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project = bench.project().await;
        bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        let api = bench.service(&project, "api").await;
        bench.owner().patch(&format!("/services/{api}"), json!({ "port": 9999 })).await.ok(200);
        let second = bench.publish("main", |copy| std::fs::write(copy.join("api/more.py"), "x = 1\n").unwrap());
        bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        let service = bench.owner().get(&format!("/services/{api}")).await.ok(200);
        assert_eq!((&service["port"], &service["source_commit"]), (&json!(9999), &json!(second)));
        assert_eq!(bench.services(&project).await.len(), 3, "known services are found again, not doubled");
    }
}
