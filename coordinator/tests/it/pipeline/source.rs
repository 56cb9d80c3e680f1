//! Where code comes from: what is refused at once, what fails with a reason, and what is read.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hydron_coordinator::clients::git::{GitClient, Request};
use hydron_domain::analysis_run::{AnalysisRun, AnalysisState, SourceSpec, pending_steps};
use hydron_domain::identity::Role;
use hydron_proto::ids::{AnalysisId, ProjectId};
use hydron_proto::names::{GitUrl, RelPath};
use hydron_proto::source::{CAPS, Caps};
use hydron_tests::git_host::publish_blob;
use serde_json::json;

use super::Bench;
use crate::harness::{ACTOR, TestCoordinator, Who, World};
use crate::in_a_world;

in_a_world! {
    async fn a_repository_is_read_in_eight_steps_and_its_services_wait_for_a_decision(world: World) {
        let bench = Bench::start(&world).await;
        let commit = bench.publish("trunk", |_| {});
        let project = bench.project().await;
        let found = bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        assert_eq!(found["state"], "done", "{found}");
        let steps = found["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 8);
        assert!(steps.iter().all(|step| step["state"] == "completed"), "{steps:?}");
        assert_eq!(found["source"]["ref"], "refs/heads/trunk", "the default branch is found by itself");
        assert_eq!(found["source"]["commit"], commit);
        let services = bench.services(&project).await;
        let names: Vec<&str> = services.iter().map(|service| service["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["api", "postgres", "web"]);
        assert!(services.iter().all(|service| service["state"] == "pending"));
        let status = bench.owner().get(&format!("/projects/{project}")).await.ok(200);
        assert_eq!((status["status"].as_str(), status["url"].is_null()), (Some("planned"), true));
    }

    async fn a_malformed_url_is_refused_with_its_field_and_nothing_is_stored(world: World) {
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        for url in [
            "", "x", "http://a.example/b", "git@a.example:b/c", "ssh://a.example/b", "ext::sh -c id", "file:///etc",
            "--upload-pack=touch /tmp/x", "https://u:p@a.example/b", "https://a.example/$(id)", "https://a.example/a b",
            "https://a.example/../b", "https://a.example/a?x=1", "https://a.example:0/b", "https://a.example/-b",
        ] {
            let answer = bench.owner().post(&format!("/projects/{project}/analyses"), json!({ "url": url })).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!("url")), "{url}");
        }
        for (field, body) in [
            ("ref", json!({ "url": "https://localhost/a/b", "ref": "--upload-pack=x" })),
            ("ref", json!({ "url": "https://localhost/a/b", "ref": "a;id" })),
            ("subdir", json!({ "url": "https://localhost/a/b", "subdir": "../etc" })),
        ] {
            let answer = bench.owner().post(&format!("/projects/{project}/analyses"), body).await;
            assert_eq!((answer.problem(422), &answer.json["field"]), ("invalid_field", &json!(field)));
        }
        let listed = bench.owner().get(&format!("/projects/{project}/analyses")).await.ok(200);
        assert_eq!(listed["items"], json!([]));
    }

    async fn a_private_address_is_refused_unless_the_configuration_allows_it(world: World) {
        let mut config = world.coordinator.config.clone();
        config.sources.allow_private = false;
        config.data_dir = world.coordinator.dir.path().join("strict");
        config.database = hydron_store::Location::Sqlite(config.data_dir.clone());
        std::fs::create_dir_all(&config.data_dir).unwrap();
        let strict = GitClient::new(config.sources.clone(), &config.data_dir).unwrap();
        for (url, code) in [
            ("https://127.0.0.1/a/b", "private_address"),
            ("https://localhost/a/b", "private_address"),
            ("https://[::1]:8443/a/b", "private_address"),
            ("https://10.0.0.1/a/b", "private_address"),
            ("https://192.168.7.7/a/b", "private_address"),
            ("https://169.254.169.254/latest/meta-data", "private_address"),
            ("https://100.64.1.1/a/b", "private_address"),
            ("https://[::ffff:127.0.0.1]/a/b", "private_address"),
            ("https://2130706433/a/b", "malformed_url"),
            ("https://0x7f.1/a/b", "malformed_url"),
            ("https://127.1/a/b", "malformed_url"),
            ("https://does-not-exist.invalid/a/b", "source_unreachable"),
        ] {
            let url: GitUrl = url.parse().unwrap();
            assert_eq!(strict.check(&url).await.unwrap_err().code(), code, "{url}");
        }
        let started = TestCoordinator::start_with(config, world.coordinator.clock.clone(), world.coordinator.dir.clone());
        drop(started.await);
        let bench = Bench::start(&world).await;
        let project = bench.project().await;
        let answer = bench.owner().post(&format!("/projects/{project}/analyses"), json!({ "url": "https://0x7f.1/a" })).await;
        assert_eq!((answer.problem(422), &answer.json["field"]), ("malformed_url", &json!("url")));
    }

    async fn what_a_host_does_wrong_is_said_in_words_with_the_field(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let empty = bench.root().join("empty.git");
        git(&["init", "--quiet", "--bare", empty.to_str().unwrap()]);
        let closed = {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("https://localhost:{}/a/b", socket.local_addr().unwrap().port())
        };
        for (body, code, field) in [
            (json!({ "url": closed }), "source_unreachable", "url"),
            (json!({ "url": bench.git.url("nothing-here.git") }), "source_not_found", "url"),
            (json!({ "url": bench.git.url("~garbage/app.git") }), "source_not_git", "url"),
            (json!({ "url": bench.git.url("~redirect/app.git") }), "source_redirect", "url"),
            (json!({ "url": bench.git.url("empty.git") }), "source_empty", "url"),
            (json!({ "url": bench.git.url("app.git"), "ref": "no-such-branch" }), "source_no_such_ref", "ref"),
        ] {
            let project = bench.project().await;
            let found = bench.analyse(&project, body).await;
            assert_eq!(found["state"], "failed");
            let error = &found["error"];
            assert_eq!((error["code"].as_str(), error["field"].as_str()), (Some(code), Some(field)), "{error}");
            assert!(bench.services(&project).await.is_empty());
            assert!(found["steps"].as_array().unwrap().iter().any(|step| step["state"] == "failed"));
        }
    }

    async fn a_team_whose_repositories_never_answer_waits_alone(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let theirs = world.theirs.caller(Who::Session(Role::Owner));
        for number in 0..4 {
            let project = theirs.post("/projects", json!({ "name": format!("tarpit {number}") })).await.ok(201);
            let path = format!("/projects/{}/analyses", project["id"].as_str().unwrap());
            theirs.post(&path, json!({ "url": bench.git.url("~silent/app.git") })).await.ok(202);
        }
        let project = bench.project().await;
        let found = bench.analyse(&project, json!({ "url": bench.git.url("app.git") })).await;
        assert_eq!(found["state"], "done", "{found}");
        let waiting = theirs.get("/projects").await.ok(200);
        let status = |project: &serde_json::Value| project["status"] == "analyzing";
        assert!(waiting["items"].as_array().unwrap().iter().all(status), "theirs are still waited for: {waiting}");
    }

    async fn a_reading_that_was_cut_off_is_begun_again_and_after_a_few_times_it_fails(world: World) {
        let bench = Bench::start(&world).await;
        bench.publish("main", |_| {});
        let project: ProjectId = bench.project().await.parse().unwrap();
        let app = &world.coordinator.app;
        let team = app.store.team(world.ours.team);
        let mut made = Vec::new();
        for dead in [1, 4] {
            let mut tx = team.begin(&ACTOR, app.now()).await.unwrap();
            let mut run = AnalysisRun {
                id: app.ids.next(AnalysisId::new),
                project,
                source: SourceSpec {
                    url: bench.git.url("app.git").parse().unwrap(),
                    reference: None,
                    commit: None,
                    subdir: RelPath::root(),
                },
                commit: None,
                reference: None,
                state: AnalysisState::Queued,
                steps: pending_steps(),
                error: None,
                attempts: dead,
                created_at: app.now(),
                finished_at: None,
            };
            tx.insert_analysis(&run).await.unwrap();
            for _ in 0..dead {
                tx.hold_analysis(run.id, 1).await.unwrap();
            }
            run.state = AnalysisState::Reading;
            tx.save_analysis(&run, 1).await.unwrap();
            tx.commit().await.unwrap();
            made.push(run.id.to_string());
            let ended = bench.until_over(made.last().unwrap()).await;
            let expected = if dead == 1 { ("done", None) } else { ("failed", Some("interrupted")) };
            assert_eq!((ended["state"].as_str().unwrap(), ended["error"]["code"].as_str()), expected, "{ended}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_over_the_caps_is_refused_and_its_directory_is_gone() {
    let world = World::start(hydron_store::testing::Engine::Sqlite).await.unwrap();
    let bench = Bench::start(&world).await;
    publish_blob(&bench.root().join("big.git"), "main", 4 << 20).unwrap();
    bench.publish("main", |_| {});
    let data = tempfile::tempdir().unwrap();
    let client = GitClient::new(world.coordinator.config.sources.clone(), data.path()).unwrap();
    let over = |caps: Caps| {
        let client = client.clone().with_caps(caps);
        async move {
            move |url: String| async move {
                let url: GitUrl = url.parse().unwrap();
                let request = Request { url: &url, reference: None, commit: None };
                let resolved = client.resolve(&request).await?;
                client.fetch(&url, &resolved).await
            }
        }
    };
    let too_big = over(Caps { disk_bytes: 1 << 20, blob_bytes: 64 << 20, ..CAPS }).await;
    assert_eq!(too_big(bench.git.url("big.git")).await.unwrap_err().code(), "source_over_limits");
    let too_many = over(Caps { entries: 3, ..CAPS }).await;
    assert_eq!(too_many(bench.git.url("app.git")).await.unwrap_err().code(), "source_over_limits");
    let too_slow = over(Caps { wall_s: 2, ..CAPS }).await;
    let started = std::time::Instant::now();
    assert_eq!(too_slow(bench.git.url("~silent/app.git")).await.unwrap_err().code(), "source_unreachable");
    assert!(started.elapsed() < Duration::from_secs(10));
    let left = std::fs::read_dir(data.path().join("fetch")).unwrap().count();
    assert_eq!(left, 0, "what a fetch wrote is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_submodules_are_listed_and_never_followed() {
    use hydron_analysis::{EntryKind, FileTree as _};
    let world = World::start(hydron_store::testing::Engine::Sqlite).await.unwrap();
    let bench = Bench::start(&world).await;
    let work = tempfile::tempdir().unwrap();
    let path = work.path();
    std::os::unix::fs::symlink("/etc/passwd", path.join("Dockerfile")).unwrap();
    std::os::unix::fs::symlink("../../..", path.join("up")).unwrap();
    std::fs::write(path.join("README.md"), "hello").unwrap();
    let bare = bench.root().join("links.git");
    git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let inside = |args: &[&str]| git(&[&["-C", path.to_str().unwrap()], args].concat());
    inside(&["init", "--quiet", "-b", "main"]);
    inside(&["add", "."]);
    inside(&["update-index", "--add", "--cacheinfo", &format!("160000,{},vendor", "1".repeat(40))]);
    inside(&["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "x"]);
    inside(&["push", "--quiet", bare.to_str().unwrap(), "main"]);
    git(&["-C", bare.to_str().unwrap(), "symbolic-ref", "HEAD", "refs/heads/main"]);
    let url: GitUrl = bench.git.url("links.git").parse().unwrap();
    let client = &world.coordinator.app.git;
    let resolved = client.resolve(&Request { url: &url, reference: None, commit: None }).await.unwrap();
    let checkout = Arc::new(client.fetch(&url, &resolved).await.unwrap());
    let kept = checkout.clone();
    tokio::task::spawn_blocking(move || {
        let tree = kept.tree("").unwrap();
        let kinds: Vec<_> =
            tree.entries().unwrap().into_iter().map(|entry| (entry.path, entry.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("Dockerfile".to_owned(), EntryKind::Link),
                ("README.md".to_owned(), EntryKind::File),
                ("up".to_owned(), EntryKind::Link),
                ("vendor".to_owned(), EntryKind::Submodule),
            ]
        );
        assert_eq!(
            tree.read("Dockerfile", 100).unwrap(),
            b"/etc/passwd",
            "the target's text, never its content"
        );
        assert_eq!(tree.read("README.md", 3).unwrap(), b"hel");
        assert!(tree.read("vendor", 100).is_err());
    })
    .await
    .unwrap();
}

#[test]
fn the_fetch_child_can_write_only_its_own_directory_and_read_no_keys() {
    let own = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("secret"), "[x]\n\ty = canary\n").unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydron"));
        command.args(["fetch-child", own.path().to_str().unwrap(), "0", "1000000", "2000000000", "10", "--"]);
        command.args(args).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", own.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
    };
    assert!(run(&["--version"]).status.success());
    let inside = own.path().join("a.git");
    assert!(run(&["init", "--quiet", "--bare", inside.to_str().unwrap()]).status.success());
    let outside = other.path().join("b.git");
    assert!(!run(&["init", "--quiet", "--bare", outside.to_str().unwrap()]).status.success());
    let secret = other.path().join("secret");
    let read = run(&["config", "--file", secret.to_str().unwrap(), "--list"]);
    assert!(!read.status.success() && !String::from_utf8_lossy(&read.stdout).contains("canary"), "{read:?}");
}

fn git(args: &[&str]) {
    let output = Command::new("git").args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
