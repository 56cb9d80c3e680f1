//! Redeploying: what changed, inside what was approved; everything else asks a person.

use hydron_domain::release::ReleaseState;
use hydron_domain::run::RunState;
use hydron_proto::ids::{ProjectId, RunId};
use serde_json::{Value, json};

use super::Bench;
use crate::harness::{ACTOR, World};
use crate::in_a_world;

/// What the agents would have reported of a run: everything it announced is live, and it is over.
pub(crate) async fn pretend_it_ran(world: &World, project: &str, run: &Value) {
    let (app, project) = (&world.coordinator.app, project.parse::<ProjectId>().unwrap());
    let team = app.store.team(world.ours.team);
    let mut tx = team.begin(&ACTOR, app.now()).await.unwrap();
    for service in team.services(project).await.unwrap() {
        for release in team.releases(service.id).await.unwrap() {
            if release.state == ReleaseState::Building {
                tx.make_release_live(service.id, release.server, release.id, "sha256:0", app.now())
                    .await
                    .unwrap();
            }
        }
    }
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    let before = tx.run_for_update(id).await.unwrap().unwrap();
    let mut after = before.clone();
    after.run.head.state = RunState::Completed;
    after.run.finished_at = Some(app.now());
    tx.save_run(&before, &after).await.unwrap();
    tx.commit().await.unwrap();
    world.coordinator.clock.advance(1000);
}

/// A project with everything live.
async fn deployed(bench: &Bench<'_>) -> String {
    let project = bench.accepted().await;
    let plan = bench.plan(&project).await;
    let approved = bench.approve(&plan).await;
    pretend_it_ran(bench.world, &project, &approved["run"]).await;
    project
}

async fn redeploy(bench: &Bench<'_>, project: &str, body: Value) -> crate::harness::Answer {
    bench.owner().post(&format!("/projects/{project}/runs"), body).await
}

async fn titles(bench: &Bench<'_>, run: &Value) -> Vec<String> {
    let id = run["id"].as_str().unwrap();
    let run = bench.owner().get(&format!("/runs/{id}")).await.ok(200);
    let servers = run["servers"].as_array().unwrap();
    let steps = servers.iter().flat_map(|server| server["steps"].as_array().unwrap());
    steps.map(|step| step["title"].as_str().unwrap().to_owned()).collect()
}

in_a_world! {
    async fn a_project_without_anything_live_is_not_redeployed(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.accepted().await;
        let answer = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await;
        assert_eq!(answer.problem(409), "wrong_state");
    }

    async fn only_the_releases_that_a_server_keeps_are_offered_to_go_back_to(world: World) {
        let bench = Bench::start(&world).await;
        let project = deployed(&bench).await;
        for version in 1..=4 {
            let text = format!("version {version}");
            bench.publish("main", |copy| std::fs::write(copy.join("web/site/new.txt"), &text).unwrap());
            let run = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await.ok(201);
            pretend_it_ran(&world, &project, &run).await;
        }
        let services = bench.owner().get(&format!("/projects/{project}/services")).await.ok(200);
        let web = services["items"].as_array().unwrap().iter().find(|service| service["name"] == "web").unwrap();
        let releases = bench.owner().get(&format!("/services/{}/releases", web["id"].as_str().unwrap())).await.ok(200);
        let mut releases = releases["items"].as_array().unwrap().clone();
        releases.sort_by_key(|release| release["created_at"].as_i64());
        let possible: Vec<bool> = releases.iter().map(|one| one["rollback_possible"] == true).collect();
        assert_eq!(possible, [false, true, true, true, false], "the first is too old, the last is live");
        let oldest = releases[0]["id"].as_str().unwrap();
        let answer = bench.owner().post(&format!("/releases/{oldest}/rollback"), json!({})).await;
        assert_eq!(answer.problem(409), "wrong_state");
    }

    async fn only_what_changed_is_built_and_swapped_and_nothing_new_is_asked(world: World) {
        let bench = Bench::start(&world).await;
        let project = deployed(&bench).await;
        let live = bench.owner().get(&format!("/projects/{project}")).await.ok(200);
        assert_eq!(live["status"], "live");
        assert!(live["url"].as_str().unwrap().starts_with("https://guest-rm-rf-"), "{}", live["url"]);

        let commit = bench.publish("main", |copy| std::fs::write(copy.join("web/site/new.txt"), "new").unwrap());
        let run = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await.ok(201);
        let steps = titles(&bench, &run).await;
        assert_eq!(steps, [
            format!("Source code at {}", &commit[..12]),
            "Build image web".to_owned(),
            "Release web".to_owned(),
            "Probe web through the public URL".to_owned(),
            "Probe api through the public URL".to_owned(),
        ]);
        let busy = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await;
        assert_eq!(busy.problem(409), "wrong_state", "one run at a time");
        pretend_it_ran(&world, &project, &run).await;

        let again = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await.ok(201);
        let steps = titles(&bench, &again).await;
        assert!(steps.iter().all(|title| title.starts_with("Probe")), "nothing changed: {steps:?}");
    }

    async fn an_older_commit_is_redeployed_by_its_name(world: World) {
        let bench = Bench::start(&world).await;
        let project = deployed(&bench).await;
        let older = bench.publish("main", |copy| std::fs::write(copy.join("web/site/a.txt"), "a").unwrap());
        bench.publish("main", |copy| std::fs::write(copy.join("web/site/b.txt"), "b").unwrap());
        let run = redeploy(&bench, &project, json!({ "kind": "redeploy", "commit": older })).await.ok(201);
        assert_eq!(titles(&bench, &run).await[0], format!("Source code at {}", &older[..12]));
        let odd = redeploy(&bench, &project, json!({ "kind": "redeploy", "commit": "HEAD; id" })).await;
        assert_eq!((odd.problem(422), &odd.json["field"]), ("invalid_field", &json!("commit")));
    }

    async fn what_goes_beyond_the_mandate_becomes_a_plan_that_waits_for_a_person(world: World) {
        let bench = Bench::start(&world).await;
        let project = deployed(&bench).await;
        let api = bench.service(&project, "api").await;
        let vars = json!({ "vars": [{ "name": "BRAND_NEW", "value": "1" }] });
        bench.owner().put(&format!("/services/{api}/env"), vars).await.ok(200);
        let answer = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await;
        assert_eq!(answer.problem(409), "needs_approval");
        let plan = answer.json["plan_id"].as_str().unwrap();
        let plan = bench.owner().get(&format!("/infrastructure-plans/{plan}")).await.ok(200);
        assert_eq!(plan["state"], "ready");
        let run = bench.approve(&plan).await;
        let steps = titles(&bench, &run["run"]).await;
        assert!(steps.contains(&"Release api".to_owned()) && !steps.contains(&"Release postgres".to_owned()), "{steps:?}");
    }

    async fn a_source_that_cannot_be_read_starts_nothing(world: World) {
        let bench = Bench::start(&world).await;
        let project = deployed(&bench).await;
        std::fs::remove_dir_all(bench.root().join("app.git")).unwrap();
        let answer = redeploy(&bench, &project, json!({ "kind": "redeploy" })).await;
        assert_eq!((answer.problem(409), &answer.json["reason"]), ("source_unreadable", &json!("source_not_found")));
        let gone = bench.owner().delete(&format!("/projects/{project}")).await;
        assert_eq!(gone.problem(409), "wrong_state", "something of it is live");
    }
}
