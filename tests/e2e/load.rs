//! Releases and rollbacks while visitors of every kind are at the site: nobody who comes anew is turned away.
//!
//! Rule: the campaign is counted, not timed. `HYDRON_LOAD_CAMPAIGN=10,3,3` asks for so many good releases, failing ones
//! and rollbacks; the short form has one of each.

#![expect(clippy::print_stderr, reason = "what was noticed is said")]

use hydron_tests::load::{Load, Noticed, Rates, Site};
use hydron_tests::stack::pipeline::{items, text};
use serde_json::{Value, json};

use crate::repository::Repository;
use crate::world::World;

/// 200 requests a second, and visitors that stay. Slow ones take longer than a new release is watched (3 s) and the
/// old container is spared (5 s), so that they are still there when only the drain waits for them.
const RATES: Rates = Rates { fresh: 100, posts: 40, slow: 4, kept: 50, events: 3, sockets: 3 };

/// How many of each.
struct Campaign {
    good: usize,
    failing: usize,
    rollbacks: usize,
}

impl Campaign {
    fn of(text: Option<&str>) -> Self {
        let mut counts =
            text.unwrap_or("1,1,1").split(',').map(|count| count.trim().parse().expect("a count"));
        let mut next = || counts.next().expect("three counts: good,failing,rollbacks");
        Self { good: next(), failing: next(), rollbacks: next() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_comes_anew_is_turned_away_while_releases_come_and_go() {
    let campaign = Campaign::of(std::env::var("HYDRON_LOAD_CAMPAIGN").ok().as_deref());
    let mut world = World::start().await;
    let mut repository = Repository::busy("busy", "version 0");
    let (project, _) = world.deploy(&repository, "busy").await;
    let load = Load::start(site(&world, &project).await, RATES).unwrap();

    let mut version = 0;
    for _ in 0..campaign.good {
        repository.edit("app.py", &format!("version {version}"), &format!("version {}", version + 1));
        version += 1;
        world.publish(&repository);
        released(&world, &project, "completed").await;
        shows(&world, &project, version).await;
    }
    for _ in 0..campaign.failing {
        let good = repository.clone();
        repository.edit("app.py", "print(\"listening\", flush=True)", "sys.exit(\"broken on purpose\")");
        world.publish(&repository);
        released(&world, &project, "failed").await;
        shows(&world, &project, version).await;
        repository = good;
    }
    for _ in 0..campaign.rollbacks {
        version = roll_back(&world, &project, version).await;
        shows(&world, &project, version).await;
    }
    judge(&load.end().await);
}

/// To the release that was live before the one that is.
async fn roll_back(world: &World, project: &str, version: usize) -> usize {
    let service = text(&world.service(project, "busy").await, "id").unwrap();
    let releases = items(&world.client.get(&format!("/services/{service}/releases")).await.unwrap());
    let before = releases.iter().filter(|one| one["current"] != true && one["state"] == "retired");
    let to =
        text(before.max_by_key(|one| one["retired_at"].as_i64()).expect("an earlier release"), "id").unwrap();
    let run = world.client.post(&format!("/releases/{to}/rollback"), json!({})).await.unwrap();
    let run = world.finished(&text(&run, "id").unwrap()).await;
    assert_eq!(run["state"], "completed", "{run:#}\n{}", world.logs());
    let body = world.visitor(project).await.get("/").await.unwrap().1;
    let now = body.trim_start_matches("version ").parse().unwrap();
    assert_ne!(now, version, "an earlier version serves");
    now
}

async fn released(world: &World, project: &str, state: &str) -> Value {
    let run = world.redeploy(project).await;
    assert_eq!(run["state"], state, "{run:#}\n{}", world.logs());
    run
}

async fn shows(world: &World, project: &str, version: usize) {
    let answer = world.visitor(project).await.get("/").await.unwrap();
    assert_eq!(answer, (200, format!("version {version}")));
}

async fn site(world: &World, project: &str) -> Site {
    let project = world.client.get(&format!("/projects/{project}")).await.unwrap();
    let server = world.client.get(&format!("/servers/{}", world.server)).await.unwrap();
    Site { url: text(&project, "url").unwrap(), ca_pem: text(&server, "site_ca_pem").unwrap() }
}

fn judge(noticed: &Noticed) {
    eprintln!(
        "answered {:?}, broken {:?}, failed {}",
        noticed.answered,
        noticed.broken,
        noticed.failed.len()
    );
    assert!(noticed.total() > 2000, "only {} answers", noticed.total());
    for kind in ["fresh", "post", "slow", "kept", "events", "socket"] {
        assert!(
            noticed.answered.get(kind).is_some_and(|count| *count > 20),
            "hardly any {kind}: {noticed:?}"
        );
    }
    assert!(noticed.failed.is_empty(), "{} failed, first {:?}", noticed.failed.len(), noticed.failed.first());
}
