//! A run that a person stops, at any of its steps, and two releases that are asked for at once.
//!
//! Rule: afterwards nothing is half: one release serves, the old one or the new one, and the next deployment works. A step that
//! runs is not torn (`run: stop` waits for its end); what tearing one leaves is `agent/tests/steps/release.rs`.

use std::time::{Duration, Instant};

use hydron_tests::stack::client::Client;
use hydron_tests::stack::pipeline::{steps, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::crashes;
use crate::docker::containers;
use crate::repository::Repository;
use crate::world::World;

use super::dice::{Dice, soaking};

const SEED: &str = "HYDRON_FAULT_SEED";
/// Steps of a first deployment among which the short form chooses.
const FIRST_STEPS: u64 = 8;
const NAME: &str = "halted";

#[tokio::test]
async fn a_redeployment_that_is_stopped_at_any_step_leaves_one_release_serving_and_the_next_one_works() {
    let mut world = World::start().await;
    let mut repository = Repository::answering(NAME, "version 0");
    let (project, _) = world.deploy(&repository, NAME).await;
    let visitor = world.visitor(&project).await;
    let (mut serving, mut version, mut stopped) = ("version 0".to_owned(), 0, 0);
    for at in 0.. {
        let new = next(&world, &mut repository, &mut version);
        let run = redeploy(&world.client, &project).await;
        let was_reached = stop_at(&world.client, &run, at).await;
        let ended = world.finished(&run).await;
        if released(&ended) {
            serving.clone_from(&new);
        }
        println!("stopped at {at}: {} {}", ended["state"], states(&ended));
        let well = ended["state"] == "stopped" || ended["state"] == "completed";
        assert!(well, "{ended:#}\n{}", world.logs());
        assert_eq!(visitor.get("/").await.unwrap(), (200, serving.clone()), "stopped at {at}");
        assert_eq!(containers(&project, NAME).len(), 1, "stopped at {at}");
        stopped += usize::from(was_reached);
        if !was_reached {
            break;
        }
    }
    assert!(stopped >= 3, "only {stopped} steps were reached");
    let new = next(&world, &mut repository, &mut version);
    assert_eq!(world.redeploy(&project).await["state"], "completed");
    assert_eq!(visitor.get("/").await.unwrap(), (200, new));
}

#[tokio::test]
async fn a_first_deployment_that_is_stopped_at_any_step_can_be_made_again() {
    let mut dice = Dice::seeded(SEED);
    let mut world = World::start().await;
    let chosen = if soaking() { None } else { Some(dice.below(FIRST_STEPS)) };
    for at in chosen.map_or(0..64, |at| at..at + 1) {
        let name = format!("first-{at}");
        let repository = Repository::answering(&name, "here at last");
        let url = world.publish(&repository);
        let project = world.project(&name).await;
        let run = crashes::start_run(&world.client, &project, &url).await;
        let was_reached = stop_at(&world.client, &run, at).await;
        let ended = world.finished(&run).await;
        println!("stopped at {at}: {} {}", ended["state"], states(&ended));
        let again = crashes::start_run(&world.client, &project, &url).await;
        let again = world.finished(&again).await;
        assert_eq!(again["state"], "completed", "after {at}: {again:#}\n{}", world.logs());
        let visitor = world.visitor(&project).await;
        assert_eq!(visitor.get("/").await.unwrap(), (200, "here at last".to_owned()));
        assert_eq!(containers(&project, &name).len(), 1, "after {at}");
        if !was_reached {
            return;
        }
    }
}

/// One is taken, the other one is refused with a reason; nothing of it is left, and it can be asked for again.
#[tokio::test]
async fn of_two_releases_at_once_one_runs_and_the_other_one_is_told_to_wait() {
    let mut world = World::start().await;
    let mut repository = Repository::answering(NAME, "version 0");
    let (project, _) = world.deploy(&repository, NAME).await;
    let visitor = world.visitor(&project).await;
    let mut version = 0;
    for _ in 0..if soaking() { 20 } else { 2 } {
        let new = next(&world, &mut repository, &mut version);
        let path = format!("/projects/{project}/runs");
        let ask = || world.client.call(Method::POST, &path, &REDEPLOY);
        let (one, other, third) = tokio::join!(ask(), ask(), ask());
        let answers = [one.unwrap(), other.unwrap(), third.unwrap()];
        let taken: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        for refused in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(refused.status.as_u16(), 409, "{refused:?}");
            assert!(refused.body["detail"].as_str().is_some_and(|words| !words.is_empty()), "{refused:?}");
        }
        let service = world.service(&project, NAME).await;
        let restart = format!("/services/{}/restart", service["id"].as_str().unwrap());
        let restart = world.client.call(Method::POST, &restart, &json!({})).await.unwrap();
        assert_eq!(restart.status.as_u16(), 409, "{restart:?}");
        let ended = world.finished(&text(&taken[0].body, "id").unwrap()).await;
        assert_eq!(ended["state"], "completed", "{ended:#}\n{}", world.logs());
        assert_eq!(visitor.get("/").await.unwrap(), (200, new));
        assert_eq!(containers(&project, NAME).len(), 1);
    }
}

static REDEPLOY: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!({ "kind": "redeploy" }));

/// A new commit; what it answers.
fn next(world: &World, repository: &mut Repository, version: &mut u32) -> String {
    let old = format!("version {version}");
    *version += 1;
    let new = format!("version {version}");
    repository.edit("app.py", &old, &new);
    world.publish(repository);
    new
}

/// Begins a run for the newest commit.
pub(super) async fn redeploy(client: &Client, project: &str) -> String {
    let run = client.post(&format!("/projects/{project}/runs"), REDEPLOY.clone()).await.unwrap();
    text(&run, "id").unwrap()
}

/// Stops a run while this step of it runs; false when the run was over before.
async fn stop_at(client: &Client, run: &str, step: u64) -> bool {
    let path = format!("/runs/{run}");
    let deadline = Instant::now() + Duration::from_mins(3);
    loop {
        assert!(Instant::now() < deadline, "{run} does not get to step {step}");
        let state = client.get(&path).await.unwrap();
        let over = ["completed", "failed", "stopped"].iter().any(|over| state["state"] == *over);
        let reached = steps(&state).any(|known| known["index"] == step && known["state"] != "pending");
        if over {
            return false;
        }
        if reached {
            let answer = client.call(Method::POST, &format!("{path}/stop"), &json!({})).await.unwrap();
            return answer.status.is_success();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether the run got its release through.
pub(super) fn released(run: &Value) -> bool {
    steps(run).any(|step| step["kind"] == "release" && step["state"] == "completed")
}

fn states(run: &Value) -> String {
    let state = |step: &Value| format!("{} {}", step["kind"], step["state"]).replace('"', "");
    steps(run).map(state).collect::<Vec<_>>().join(", ")
}
