//! Bad input that only a real server can answer: a Dockerfile that fails, a port in use, private addresses by default.

use std::net::TcpListener;

use hydron_tests::stack::pipeline::{self, Quiet, steps, text};
use reqwest::Method;
use serde_json::json;

use crate::repository::Repository;
use crate::world::World;

#[tokio::test]
async fn a_dockerfile_that_fails_says_which_line_and_leaves_nothing_live() {
    let mut world = World::start().await;
    let mut repository = Repository::answering("broken", "never");
    repository.edit("Dockerfile", "USER 10001", "RUN echo about-to-fail && exit 7\nUSER 10001");
    let url = world.publish(&repository);
    let project = world.project("broken").await;
    let error = pipeline::deploy(&world.client, &project, &url, &mut Quiet).await.unwrap_err().to_string();
    assert!(error.contains("BUILD_FAILED"), "{error}");
    let runs = world.client.get(&format!("/projects/{project}/runs")).await.unwrap();
    let run = world.finished(&text(&pipeline::items(&runs)[0], "id").unwrap()).await;
    let failed = steps(&run).find(|step| step["state"] == "failed").unwrap();
    let log = world.log(&text(&run, "id").unwrap(), failed["index"].as_u64().unwrap(), 1).await;
    assert!(log.contains("about-to-fail"), "{log}");
    assert!(world.client.get(&format!("/projects/{project}")).await.unwrap()["url"].is_null());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let mut world = World::start().await;
    let taken = TcpListener::bind(("0.0.0.0", world.agent.options().ports.https)).unwrap();
    let url = world.publish(&Repository::answering("taken", "never"));
    let project = world.project("taken").await;
    let error = pipeline::deploy(&world.client, &project, &url, &mut Quiet).await.unwrap_err().to_string();
    let port = world.agent.options().ports.https.to_string();
    assert!(error.contains("PORT_IN_USE") && error.contains(&port), "{error}");
    drop(taken);
}

#[tokio::test]
async fn an_unreachable_or_malformed_source_changes_nothing() {
    let mut world = World::start().await;
    let project = world.project("nothing").await;
    let path = format!("/projects/{project}/analyses");
    for url in ["http://example.org/a/b", "--upload-pack=x", "https://example.org/a/$(id)", ""] {
        let answer = world.client.call(Method::POST, &path, &json!({ "url": url })).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.body["field"].as_str()),
            (422, Some("url")),
            "{url}: {}",
            answer.body
        );
    }
    let gone = world.git.url("not-there.git");
    let error = pipeline::analyse(&world.client, &project, &gone).await.unwrap_err().to_string();
    assert!(error.contains("code"), "{error}");
    assert!(
        pipeline::items(&world.client.get(&format!("/projects/{project}/services")).await.unwrap())
            .is_empty()
    );
}
