//! How one thing of every kind is made, so that every operation can be tried with a real id of another team; and a body
//! with which every operation gets as far as looking at that id.
//!
//! An area adds its rows here. The matrix fails, and names what is missing, when an operation has none.

use std::pin::Pin;

use serde_json::{Value, json};

use super::World;
use crate::pipeline::{enroll, plain_service};

/// Makes a thing of our team; its id.
pub(crate) type Maker = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// Writes a body.
pub(crate) type Body = fn() -> Value;

/// By the prefix of the id.
pub(crate) const MAKERS: &[(&str, Maker)] = &[
    ("team", |world| Box::pin(async { world.ours.team.to_string() })),
    ("tok", |world| {
        Box::pin(async {
            let made = world.owner().post("/tokens", json!({ "name": "thing" })).await.ok(201);
            made["id"].as_str().unwrap().to_owned()
        })
    }),
    ("prj", |world| Box::pin(project(world))),
    ("anl", |world| {
        Box::pin(async {
            let path = format!("/projects/{}/analyses", project(world).await);
            let made = world.owner().post(&path, json!({ "url": NOWHERE })).await.ok(202);
            made["id"].as_str().unwrap().to_owned()
        })
    }),
    ("svc", |world| {
        Box::pin(async {
            let project = project(world).await;
            let id = plain_service(world, project.parse().unwrap(), "api").await;
            let vars = json!({ "vars": [{ "name": "A_NAME", "value": "1" }] });
            world.owner().put(&format!("/services/{id}/env"), vars).await.ok(200);
            id.to_string()
        })
    }),
    ("cht", |world| {
        Box::pin(async {
            let path = format!("/projects/{}/chats", project(world).await);
            let made = world.owner().post(&path, json!({})).await.ok(201);
            made["id"].as_str().unwrap().to_owned()
        })
    }),
    ("ipl", |world| Box::pin(async { plan(world).await["id"].as_str().unwrap().to_owned() })),
    ("ppl", |world| {
        Box::pin(async { plan(world).await["provisioning_plans"][0]["id"].as_str().unwrap().to_owned() })
    }),
    ("apr", |world| {
        Box::pin(async {
            let plan = plan(world).await;
            let pending = world.owner().get("/approvals").await.ok(200);
            let found = pending["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["subject_id"] == plan["id"])
                .cloned();
            found.unwrap()["id"].as_str().unwrap().to_owned()
        })
    }),
    ("srv", |world| Box::pin(async { enroll(world, "thing").await.to_string() })),
    ("enr", |world| {
        Box::pin(async {
            let server = enroll(world, "thing").await;
            let made = world.owner().post("/enrollment-tokens", json!({ "server_id": server })).await.ok(201);
            made["id"].as_str().unwrap().to_owned()
        })
    }),
    ("run", |world| Box::pin(async { run(world).await.0 })),
    ("rel", |world| Box::pin(async { run(world).await.1 })),
];

/// A run that waits for its server, and the release it would make.
async fn run(world: &World) -> (String, String) {
    let plan = plan(world).await;
    let id = plan["id"].as_str().unwrap();
    let digests: serde_json::Map<String, Value> = plan["provisioning_plans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["id"].as_str().unwrap().to_owned(), part["digest"].clone()))
        .collect();
    let body = json!({ "digest": plan["digest"], "start": true, "provisioning_digests": digests });
    let approved = world.owner().post(&format!("/infrastructure-plans/{id}/approve"), body).await.ok(200);
    let run = approved["run"]["id"].as_str().unwrap().to_owned();
    let services = world
        .owner()
        .get(&format!("/projects/{}/services", plan["project_id"].as_str().unwrap()))
        .await
        .ok(200);
    let service = services["items"][0]["id"].as_str().unwrap();
    let releases = world.owner().get(&format!("/services/{service}/releases")).await.ok(200);
    (run, releases["items"][0]["id"].as_str().unwrap().to_owned())
}

/// A repository that nobody serves.
const NOWHERE: &str = "https://localhost:9/a/b";

async fn project(world: &World) -> String {
    let made = world.owner().post("/projects", json!({ "name": "Thing" })).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

/// A plan for one small service on a server of its own.
async fn plan(world: &World) -> Value {
    let project = project(world).await;
    plain_service(world, project.parse().unwrap(), "api").await;
    world.owner().post(&format!("/projects/{project}/services/accept-all"), json!({})).await.ok(200);
    let server = enroll(world, "thing").await;
    let body = json!({ "server_ids": [server] });
    world.owner().post(&format!("/projects/{project}/infrastructure-plans"), body).await.ok(201)
}

/// By the operation's id: a valid body. Operations without a body need none.
pub(crate) const BODIES: &[(&str, Body)] = &[
    ("create_token", || json!({ "name": "thing" })),
    ("create_project", || json!({ "name": "Thing" })),
    ("start_analysis", || json!({ "url": NOWHERE })),
    ("create_chat", || json!({ "title": "thing" })),
    ("send_message", || json!({ "text": "help" })),
    ("put_service_env", || json!({ "vars": [{ "name": "A_NAME", "value": "2" }] })),
    ("place_infrastructure_plan", || json!({ "placement": {} })),
    ("approve_infrastructure_plan", || json!({ "digest": "0".repeat(64) })),
    ("edit_provisioning_plan", || json!({ "steps": [] })),
    ("approve_provisioning_plan", || json!({ "digest": "0".repeat(64) })),
    (
        "adopt_server",
        || json!({ "name": format!("thing-{}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()) }),
    ),
    ("rename_server", || json!({ "name": "Renamed" })),
    ("start_run", || json!({ "kind": "redeploy" })),
    (
        "resolve_run",
        || json!({ "server_id": "srv_00000000000000000000000000000000", "step": 0, "decision": "rerun" }),
    ),
    ("approve_approval", || json!({ "digest": "0".repeat(64) })),
];

/// Parameters of paths that are not ids, by their name.
pub(crate) const PARAMETERS: &[(&str, &str)] = &[("name", "A_NAME")];
