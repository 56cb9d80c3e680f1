//! Rolling releases: first deployment, swap under load, failures at every gate, stop-first, rollback of failures.

use std::time::Duration;

use hydron_proto::plan::{Action, EnvPart, EnvVar, Health, HealthKind, SecretRef, StepResult, Volume};
use zeroize::Zeroizing;

use crate::app::App;
use crate::client::{Crowd, get, version};
use crate::world::{World, docker, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_serves_and_a_second_apply_changes_nothing() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let release = app.release(&world, &[("VERSION", "one")]);
    let applied = world.apply(Action::Release(release.clone())).await.unwrap();
    assert!(!applied.already_done);
    let StepResult::Released { container, address, previous: None, .. } = &applied.result else {
        panic!("{:?}", applied.result)
    };
    world.publish(&[("/", app.service)]).await.unwrap();
    assert_eq!(version(&world).await, "200 one");
    let inspected = docker(&["inspect", container]).await;
    assert!(inspected.contains(address) && !inspected.contains("\"HostPort\""), "{inspected}");
    assert!(inspected.contains("no-new-privileges") && inspected.contains("\"Type\": \"local\""));
    let again = world.apply(Action::Release(release)).await.unwrap();
    assert!(again.already_done);
    assert!(world.publish(&[("/", app.service)]).await.unwrap().already_done);
    assert_eq!(world.running().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_docker_says_which_project_and_which_server_it_is_of() {
    let world = World::with_network().await;
    App::build(&world).await;
    world.apply(Action::Volume(Volume { name: world.name.parse().unwrap() })).await.unwrap();
    world.apply(Action::Release(App::new().release(&world, &[]))).await.unwrap();
    let project = format!("label=hydron.project={}", world.plan.project);
    let server = format!("label=hydron.server={}", world.plan.server);
    for (list, made) in
        [(&["ps", "--all"][..], 1), (&["network", "ls"], 2), (&["volume", "ls"], 1), (&["images"], 1)]
    {
        let filters = ["--quiet", "--filter", &project, "--filter", &server];
        let found = docker(&[list, &filters[..]].concat()).await;
        assert_eq!(found.lines().count(), made, "{list:?}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swaps_under_load_lose_no_request() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "0")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let crowd = Crowd::come(&world, 6, "/slow");
    for number in 1..=3 {
        let number = number.to_string();
        world.apply(Action::Release(app.release(&world, &[("VERSION", &number)]))).await.unwrap();
        assert_eq!(version(&world).await, format!("200 {number}"));
    }
    let (asked, failures) = crowd.leave().await;
    assert!(asked > 30, "only {asked} requests");
    assert!(failures.is_empty(), "{} of {asked} failed: {failures:?}", failures.len());
    assert_eq!(world.running().await.len(), 1);
    assert!(world.log().contains("has no connections left"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_never_gets_healthy_leaves_the_old_one_serving_and_shows_its_last_lines() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "old")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let crowd = Crowd::come(&world, 2, "/");
    let mut sick = app.release(&world, &[("VERSION", "new"), ("MODE", "sick")]);
    sick.health.deadline_s = 2;
    let failure = world.apply(Action::Release(sick)).await.unwrap_err();
    assert_eq!(failure.code, "UNHEALTHY");
    assert!(
        failure.message.contains("status 500") && failure.message.contains("version new starts"),
        "{failure:?}"
    );
    // Where nobody knows a health path, an error is still no answer; "not found" is one.
    let mut unknown = app.release(&world, &[("VERSION", "new"), ("MODE", "sick")]);
    unknown.health = Health { check: HealthKind::Answers { path: "/health".into() }, ..unknown.health };
    unknown.health.deadline_s = 2;
    assert_eq!(world.apply(Action::Release(unknown)).await.unwrap_err().code, "UNHEALTHY");
    let crash = app.release(&world, &[("VERSION", "newer"), ("MODE", "crash"), ("WHY", "no database")]);
    let failure = world.apply(Action::Release(crash)).await.unwrap_err();
    assert_eq!((failure.code, failure.exit_code), ("CONTAINER_ENDED", Some(3)));
    assert!(failure.message.contains("cannot go on: no database"), "{failure:?}");
    assert_eq!(version(&world).await, "200 old");
    let (asked, failures) = crowd.leave().await;
    assert!(asked > 0 && failures.is_empty(), "{failures:?}");
    let containers = world.containers().await;
    assert_eq!(containers.iter().filter(|(_, runs)| *runs).count(), 1);
    assert_eq!(containers.len(), 2, "one failed container is kept for inspection: {containers:?}");
    let mut good = app.release(&world, &[("VERSION", "good")]);
    good.health.check = HealthKind::Answers { path: "/nowhere".into() };
    world.apply(Action::Release(good)).await.unwrap();
    assert_eq!(version(&world).await, "200 good");
    assert_eq!(world.containers().await.len(), 1, "leftovers go with the next release");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_well_alone_but_not_through_the_proxy_is_taken_back() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "old")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let broken = app.release(&world, &[("VERSION", "new"), ("MODE", "proxied")]);
    let failure = world.apply(Action::Release(broken)).await.unwrap_err();
    assert_eq!(failure.code, "PROBE_FAILED");
    assert_eq!(version(&world).await, "200 old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_a_volume_stops_first_keeps_its_data_and_its_address() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let volume = format!("{}-data", world.name).parse().unwrap();
    world.apply(Action::Volume(Volume { name: volume })).await.unwrap();
    let first =
        world.apply(Action::Release(app.release_with_volume(&world, &[("VERSION", "one")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    assert_eq!(get(&world, "/data").await.unwrap().text(), "one 1\n");
    let second = app.release_with_volume(&world, &[("VERSION", "two")]);
    let second = world.apply(Action::Release(second)).await.unwrap();
    assert_eq!(get(&world, "/data").await.unwrap().text(), "two 2\n");
    assert_eq!(address(&first.result), address(&second.result));
    let mut sick = app.release_with_volume(&world, &[("VERSION", "three"), ("MODE", "sick")]);
    sick.health.deadline_s = 2;
    assert_eq!(world.apply(Action::Release(sick)).await.unwrap_err().code, "UNHEALTHY");
    assert_eq!(get(&world, "/data").await.unwrap().text(), "two 3\n");
    assert_eq!(world.running().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_find_each_other_by_name_and_only_healthy_ones_are_found() {
    let world = World::with_network().await;
    App::build(&world).await;
    let (app, other) = (App::new(), App::new());
    world.apply(Action::Release(app.release(&world, &[("VERSION", "one")]))).await.unwrap();
    let script = "import urllib.request,time\nfor _ in range(30):\n  print(urllib.request.urlopen('http://app:8000/').read().decode(), flush=True)\n  time.sleep(0.1)\nwhile True: time.sleep(1)";
    let mut asker = other.release(&world, &[]);
    asker.name = "asker".parse().unwrap();
    asker.command = Some(vec!["python3".into(), "-u".into(), "-c".into(), script.into()]);
    asker.port = None;
    asker.health = Health { check: HealthKind::Running {}, successes: 1, interval_ms: 200, deadline_s: 12 };
    let applied = world.apply(Action::Release(asker)).await.unwrap();
    let StepResult::Released { container, .. } = applied.result else { panic!() };
    eventually("the other service answers", async || docker(&["logs", &container]).await.contains("one"))
        .await;
    assert_eq!(docker(&["inspect", "-f", "{{.RestartCount}}", &container]).await, "0");
    let second = app.release(&world, &[("VERSION", "two")]);
    world.apply(Action::Release(second)).await.unwrap();
    let found = docker(&[
        "exec",
        &container,
        "python3",
        "-c",
        "import urllib.request as u; print(u.urlopen('http://app:8000/').read().decode())",
    ])
    .await;
    assert!(found.starts_with("two"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pre_deploy_command_runs_once_and_its_failure_changes_nothing() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    let volume: hydron_proto::names::ResourceName = format!("{}-data", world.name).parse().unwrap();
    world.apply(Action::Volume(Volume { name: volume })).await.unwrap();
    let mut release = app.release_with_volume(&world, &[("VERSION", "one")]);
    release.pre_deploy =
        Some(["sh", "-c", "echo migrating; echo x >> /data/migrations"].map(str::to_owned).to_vec());
    world.apply(Action::Release(release.clone())).await.unwrap();
    assert!(world.log().contains("migrating"));
    world.publish(&[("/", app.service)]).await.unwrap();
    let mut broken = app.release_with_volume(&world, &[("VERSION", "two")]);
    broken.pre_deploy = Some(["sh", "-c", "echo no; exit 4"].map(str::to_owned).to_vec());
    let failure = world.apply(Action::Release(broken)).await.unwrap_err();
    assert_eq!((failure.code, failure.exit_code), ("PRE_DEPLOY_FAILED", Some(4)));
    assert_eq!(version(&world).await, "200 one");
    let running = world.running().await;
    let migrations = docker(&["exec", &running[0], "cat", "/data/migrations"]).await;
    assert_eq!(migrations, "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_the_container_and_no_file_of_the_agent() {
    let mut world = World::with_network().await;
    App::build(&world).await;
    let secret = SecretRef { name: "app/word".parse().unwrap(), version: 1 };
    let app = App::new();
    let mut release = app.release(&world, &[("VERSION", "one")]);
    let part = vec![EnvPart::Text("pre-".into()), EnvPart::Secret(secret.clone())];
    release.env.push(EnvVar { name: "WORD".parse().unwrap(), value: part });
    let failure = world.apply(Action::Release(release.clone())).await.unwrap_err();
    assert_eq!(failure.code, "SECRET_MISSING");
    world.secrets.insert(secret, Zeroizing::new(b"canary-4711".to_vec()));
    world.apply(Action::Release(release)).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    assert_eq!(get(&world, "/").await.unwrap().text(), "one pre-canary-4711\n");
    let found =
        tokio::process::Command::new("grep").args(["-r", "canary-4711"]).arg(world.path()).output().await;
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_swap_is_taken_back() {
    let world = World::with_network().await;
    App::build(&world).await;
    let app = App::new();
    world.apply(Action::Release(app.release(&world, &[("VERSION", "old")]))).await.unwrap();
    world.publish(&[("/", app.service)]).await.unwrap();
    let mut sick = app.release(&world, &[("VERSION", "new"), ("MODE", "sick")]);
    sick.health.deadline_s = 60;
    let cancel = world.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cancel.cancel();
    });
    assert_eq!(world.apply(Action::Release(sick)).await.unwrap_err().code, "CANCELLED");
    assert_eq!(version(&world).await, "200 old");
    assert_eq!(world.running().await.len(), 1);
}

fn address(result: &StepResult) -> &str {
    let StepResult::Released { address, .. } = result else { panic!("{result:?}") };
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_image_runs_with_its_volume_and_without_the_dropped_capabilities() {
    let world = World::with_network().await;
    let database = App::new();
    let tag = format!("hydron/{}-app:1", world.name);
    let content = "FROM postgres:15\n".to_owned();
    world
        .apply(Action::ImageBuild(hydron_proto::plan::ImageBuild {
            service: "app".parse().unwrap(),
            checkout: None,
            context: hydron_proto::names::RelPath::root(),
            dockerfile: hydron_proto::plan::Dockerfile::Inline { content },
            args: vec![],
            tag: tag.parse().unwrap(),
            memory_mb: 512,
        }))
        .await
        .unwrap();
    let volume = format!("{}-data", world.name).parse().unwrap();
    world.apply(Action::Volume(Volume { name: volume })).await.unwrap();
    let release = |word: &str| {
        let env = [("POSTGRES_PASSWORD", "pass-word-1"), ("POSTGRES_USER", "app"), ("WORD", word)];
        let mut spec = database.release_with_volume(&world, &env);
        spec.port = Some(5432);
        spec.limits.memory_mb = 256;
        spec.volumes[0].path = "/var/lib/postgresql/data".parse().unwrap();
        spec.health = Health { check: HealthKind::Tcp {}, successes: 2, interval_ms: 250, deadline_s: 60 };
        spec.stop_grace_s = 30;
        spec
    };
    world.apply(Action::Release(release("one"))).await.unwrap();
    let psql = async |statement: &str| {
        let running = world.running().await;
        docker(&["exec", &running[0], "psql", "-U", "app", "-tAc", statement]).await
    };
    psql("create table t as select 42 as answer").await;
    world.apply(Action::Release(release("two"))).await.unwrap();
    assert_eq!(psql("select answer from t").await, "42");
}
