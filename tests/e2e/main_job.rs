//! The main job: a repository of two services and a database becomes a live site, and its secret stays where it belongs.

use std::path::Path;

use hydron_tests::stack::pipeline::steps;
use serde_json::json;

use crate::canary::Canary;
use crate::docker::{container, docker, published, variable};
use crate::repository::Repository;
use crate::world::World;

/// The sample with an odd port, a name with dashes and another default branch.
fn odd_sample() -> Repository {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/guestbook");
    Repository::of_folder("my-odd--app-7", "trunk", &sample)
}

#[tokio::test]
async fn a_repository_becomes_a_live_site_with_its_database_and_nothing_is_published() {
    let mut world = World::start().await;
    let mut repository = odd_sample();
    let (project, run) = world.deploy(&repository, "My odd  app 7").await;
    let visitor = world.visitor(&project).await;

    let (status, page) = visitor.get("/").await.unwrap();
    assert_eq!(status, 200, "{page}");
    let entry = json!({ "name": "Ada", "message": "first <b>entry</b>" });
    let (status, body) = visitor.post("/api/entries", &entry).await.unwrap();
    assert!((200..300).contains(&status), "{status} {body}");
    let (_, entries) = visitor.get("/api/entries").await.unwrap();
    assert!(entries.contains("first <b>entry</b>"), "{entries}");

    let names = ["api", "web", "postgres"].map(|name| (name, container(&project, name)));
    for (name, id) in &names {
        assert_eq!(published(id), "", "{name} publishes a port");
        assert_ne!(docker(&["inspect", "--format", "{{.HostConfig.Privileged}}", id]), "true");
    }
    let rows = docker(&[
        "exec",
        &names[2].1,
        "sh",
        "-c",
        "psql -U \"$POSTGRES_USER\" \"$POSTGRES_DB\" -Atc 'select count(*) from entries'",
    ]);
    assert_eq!(rows, "1");

    the_generated_password_is_nowhere_else(&world, &project, &run, &names[2].1).await;
    a_redeploy_replaces_only_what_changed(&world, &project, &mut repository, &names).await;
}

/// In clear only in the environment of the two containers.
async fn the_generated_password_is_nowhere_else(
    world: &World,
    project: &str,
    run: &serde_json::Value,
    database: &str,
) {
    let password = variable(database, "POSTGRES_PASSWORD").expect("a generated password");
    let api = container(project, "api");
    assert!(variable(&api, "DATABASE_URL").is_some_and(|url| url.contains(&password)));
    let canary = Canary::new(&password);
    canary.is_in_no_image_of(project, &[&api, database]);
    canary.is_in_no_process_but_of(&[&api, database]);
    its_own_output_is_read_without_it(world, project, &api).await;
    canary.is_in_no_answer(world, project, run).await;
    // Last: what the questions above left behind is searched too.
    canary.is_in_no_file_of(world);
}

/// An application that prints its configuration, as some do.
async fn its_own_output_is_read_without_it(world: &World, project: &str, api: &str) {
    docker(&["exec", api, "sh", "-c", "echo \"connects to $DATABASE_URL\" > /proc/1/fd/1"]);
    let service = world.service(project, "api").await;
    let path = format!("/services/{}/logs", service["id"].as_str().unwrap());
    let started = world.client.post(&path, json!({})).await.unwrap();
    let run = started["id"].as_str().unwrap();
    assert_eq!(world.finished(run).await["state"], "completed");
    let log = world.log(run, 0, 1).await;
    let line = log.lines().find(|line| line.contains("connects to")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("[redacted]@"), "{line}");
}

async fn a_redeploy_replaces_only_what_changed(
    world: &World,
    project: &str,
    repository: &mut Repository,
    before: &[(&str, String); 3],
) {
    repository.edit("web/site/index.html", "<body", "<!-- second commit --><body");
    world.publish(repository);
    let run = world.redeploy(project).await;
    assert_eq!(run["state"], "completed", "{run:#}");
    assert_eq!(container(project, "api"), before[0].1);
    assert_ne!(container(project, "web"), before[1].1);
    assert_eq!(container(project, "postgres"), before[2].1);
    let visitor = world.visitor(project).await;
    assert!(visitor.get("/").await.unwrap().1.contains("second commit"));
    assert!(visitor.get("/api/entries").await.unwrap().1.contains("first <b>entry</b>"));

    let again = world.redeploy(project).await;
    assert_eq!(again["state"], "completed", "{again:#}");
    assert!(steps(&again).all(|step| step["kind"] == "probe"), "nothing changed: only probes");
}
