//! Releases inside a mandate: a bad one leaves the old one serving, a rollback restores image and environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hydron_tests::stack::pipeline::{items, steps, text};
use hydron_tests::stack::site::Visitor;
use serde_json::{Value, json};

use crate::docker::{container, variable};
use crate::repository::Repository;
use crate::world::World;

#[tokio::test]
async fn releases_swap_without_a_failed_request_and_a_bad_one_changes_nothing() {
    let mut world = World::start().await;
    let mut repository = Repository::answering("swap", "version one");
    let (project, _) = world.deploy(&repository, "swap").await;
    let visitor = world.visitor(&project).await;
    assert_eq!(visitor.get("/").await.unwrap(), (200, "version one".to_owned()));

    let load = Load::start(visitor.clone());
    repository.edit("app.py", "version one", "version two");
    world.publish(&repository);
    let run = world.redeploy(&project).await;
    assert_eq!(run["state"], "completed", "{run:#}\n{}", world.logs());
    assert_eq!(visitor.get("/").await.unwrap().1, "version two");

    repository.edit("app.py", "print(\"listening\", flush=True)", "sys.exit(\"broken on purpose\")");
    world.publish(&repository);
    let failed = world.redeploy(&project).await;
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let step = steps(&failed).find(|step| step["state"] == "failed").expect("a failed step");
    assert_eq!(step["kind"], "release");
    let log = world.log(&text(&failed, "id").unwrap(), step["index"].as_u64().unwrap(), 1).await;
    assert!(log.contains("broken on purpose"), "the container's last lines are in the log:\n{log}");
    assert_eq!(visitor.get("/").await.unwrap(), (200, "version two".to_owned()));
    load.finish().await;
}

#[tokio::test]
async fn a_rollback_restores_image_and_environment_and_operations_do_what_they_say() {
    let mut world = World::start().await;
    let mut repository = Repository::answering("back", "version one");
    let (project, _) = world.deploy(&repository, "back").await;
    let service = world.service(&project, "back").await;
    let id = text(&service, "id").unwrap();
    assert_eq!(variable(&container(&project, "back"), "COLOUR"), None);
    let first = live_release(&world, &id).await;

    repository.edit("app.py", "version one", "version two");
    world.publish(&repository);
    assert_eq!(world.redeploy(&project).await["state"], "completed");
    let old = text(&first, "id").unwrap();
    assert_ne!(text(&live_release(&world, &id).await, "id").unwrap(), old);

    let run = world.client.post(&format!("/releases/{old}/rollback"), json!({})).await.unwrap();
    let run = world.finished(&text(&run, "id").unwrap()).await;
    assert_eq!(run["state"], "completed", "{run:#}\n{}", world.logs());
    let visitor = world.visitor(&project).await;
    assert_eq!(visitor.get("/").await.unwrap().1, "version one");

    operate(&world, &id, "stop").await;
    assert_eq!(visitor.get("/").await.unwrap().0, 503);
    operate(&world, &id, "start").await;
    assert_eq!(visitor.get("/").await.unwrap(), (200, "version one".to_owned()));
    operate(&world, &id, "restart").await;
    assert_eq!(visitor.get("/").await.unwrap().0, 200);
    let logs = operate(&world, &id, "logs").await;
    let text = world.log(&text(&logs, "id").unwrap(), 0, 1).await;
    assert!(text.contains("listening"), "{text}");
}

async fn operate(world: &World, service: &str, operation: &str) -> Value {
    let run = world.client.post(&format!("/services/{service}/{operation}"), json!({})).await.unwrap();
    let run = world.finished(&text(&run, "id").unwrap()).await;
    assert_eq!(run["state"], "completed", "{operation}: {run:#}\n{}", world.logs());
    run
}

async fn live_release(world: &World, service: &str) -> Value {
    let releases = world.client.get(&format!("/services/{service}/releases")).await.unwrap();
    items(&releases).into_iter().find(|release| release["current"] == true).expect("a live release")
}

/// Requests on fresh connections, one after the other, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Load {
    fn start(visitor: Visitor) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let task = tokio::task::spawn({
            let (stop, sent) = (stop.clone(), sent.clone());
            async move {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match visitor.get("/").await {
                        Ok((200, _)) => {}
                        Ok((status, body)) => failures.push(format!("{status} {body}")),
                        Err(error) => failures.push(format!("{error:#}")),
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                failures
            }
        });
        Self { stop, sent, task }
    }

    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.task.await.unwrap();
        let sent = self.sent.load(Ordering::Relaxed);
        assert!(sent > 100, "only {sent} requests");
        assert!(failures.is_empty(), "{} of {sent} requests failed: {:?}", failures.len(), failures.first());
    }
}
