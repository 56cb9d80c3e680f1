//! Reading a repository again: what a person edited stays, and what changed is told.

use serde_json::{Value, json};

use super::Bench;
use crate::in_a_world;

/// The change of a field of a service.
fn change<'v>(reading: &'v Value, service: &str, field: &str) -> Option<&'v Value> {
    let changes = reading["changes"].as_array().unwrap();
    changes.iter().find(|change| change["service"] == service && change["field"] == field)
}

in_a_world! {
    async fn what_a_person_edited_stays_in_the_reading_of_a_newer_commit_and_the_rest_is_told(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project = bench.project().await;
        let source = json!({ "url": bench.git.url("app.git") });
        let first = bench.analyse(&project, source.clone()).await;
        assert_eq!(first["changes"], Value::Null, "there is nothing to compare with");
        let api = bench.service(&project, "api").await;
        let edit = json!({ "name": "backend", "port": 9123 });
        bench.owner().patch(&format!("/services/{api}"), edit).await.ok(200);

        bench.publish("main", |copy| {
            let recipe = "FROM python:3.13-slim\nCOPY . .\nUSER 1000\nEXPOSE 7777\nCMD [\"python\", \"app.py\"]\n";
            std::fs::write(copy.join("api/Dockerfile"), recipe).unwrap();
        });
        let second = bench.analyse(&project, source).await;
        assert_eq!(second["state"], "done", "{second}");
        let port = change(&second, "api", "port").unwrap_or_else(|| panic!("{}", second["changes"]));
        assert_eq!((port["after"].as_str(), port["kept"].as_bool()), (Some("7777"), Some(true)));
        assert_eq!(port["service_id"], api, "the service is known under its new name");

        let services = bench.services(&project).await;
        let names: Vec<&str> = services.iter().map(|service| service["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"backend") && !names.contains(&"api"), "{names:?}");
        let backend = services.iter().find(|service| service["name"] == "backend").unwrap();
        assert_eq!(backend["id"], api, "it is the same service under its new name");
        assert_eq!(backend["port"], 9123);
        assert_eq!(backend["dockerfile"]["origin"], "repository", "what nobody edited follows the commit");
    }

    async fn why_a_file_of_the_repository_is_repaired_stands_at_the_service_until_a_person_writes_another(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |copy| {
            let recipe = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n\
                          EXPOSE 8000\n";
            std::fs::write(copy.join("api/Dockerfile"), recipe).unwrap();
        });
        let project = bench.project().await;
        bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        let api = bench.service(&project, "api").await;
        let read = bench.owner().get(&format!("/services/{api}")).await.ok(200);
        let recipe = &read["dockerfile"];
        assert_eq!((&recipe["verdict"], &recipe["path"]), (&json!("repair"), &json!("api/Dockerfile")), "{recipe}");
        assert!(recipe["diff"].as_str().is_some_and(|diff| diff.contains("\n+CMD [")), "{recipe}");
        assert!(recipe["notes"].as_array().is_some_and(|notes| !notes.is_empty()), "{recipe}");

        let edit = json!({ "dockerfile": { "content": "FROM python:3.11-slim\nCMD [\"python\"]\n" } });
        bench.owner().patch(&format!("/services/{api}"), edit).await.ok(200);
        let read = bench.owner().get(&format!("/services/{api}")).await.ok(200);
        let recipe = &read["dockerfile"];
        let about = (&recipe["verdict"], &recipe["diff"], &recipe["notes"]);
        assert_eq!(about, (&Value::Null, &Value::Null, &json!([])), "{recipe}");
    }

    async fn one_directory_can_be_read_again_and_the_other_services_stay(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project = bench.project().await;
        let url = bench.git.url("app.git");
        bench.analyse(&project, json!({ "url": url })).await;
        let before: Vec<Value> = bench.services(&project).await;
        let again = bench.analyse(&project, json!({ "url": url, "subdir": "/api" })).await;
        assert_eq!(again["state"], "done", "{again}");
        assert_eq!(again["changes"], json!([]));
        let after = bench.services(&project).await;
        let names = |list: &[Value]| -> Vec<Value> { list.iter().map(|s| s["name"].clone()).collect() };
        assert_eq!(names(&before), names(&after));
        let edges = |list: &[Value]| -> Vec<Value> { list.iter().map(|s| s["depends_on"].clone()).collect() };
        assert_eq!(edges(&before), edges(&after), "what a service depends on is known beyond its directory");
    }
}
