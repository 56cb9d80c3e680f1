//! The agent under systemd, from adoption to uninstalling, on a server of the lab: its units as they are installed.
//!
//! Rule: one server, because it costs half a minute; each function below asserts one promise and leaves the server as the
//! next one needs it. Neighbours: `adopted` (the server), `confinement` (what the processes may do), `crashes`.

use std::time::{Duration, Instant};

use hydron_tests::stack::pipeline;
use hydron_tests::stack::server::Server;

use crate::adopted::{Adopted, SUPERVISOR, Site};
use crate::repository::Repository;
use crate::{confinement, crashes};

const LINK: &str = "hydron-link.service";
const EXECUTOR: &str = "hydron-exec.service";
/// What the deployed application answers.
const ANSWER: &str = "slow but sure";

// Commands on the server block this thread; connections to the coordinator are looked after by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_adopted_server_survives_kills_and_a_reboot_without_its_coordinator_and_is_left_clean() {
    let mut adopted = Adopted::start("systemd").await;
    confinement::the_link_is_nobody(&adopted.server);
    confinement::the_executor_has_no_network(&adopted.server);
    let site = a_killed_link_and_executor_are_started_again_and_repeat_nothing(&adopted).await;
    certificates_are_renewed_by_a_unit_of_its_own(&adopted, &site).await;
    a_reboot_brings_the_site_back_without_a_coordinator(&mut adopted, &site).await;
    the_agent_comes_back_to_its_coordinator(&mut adopted).await;
    leaving_keeps_the_site_and_uninstalling_leaves_no_unit(&adopted, &site).await;
}

/// What the demo does on an ordinary machine: no units are installed, and systemd is there all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_run_in_a_directory_leaves_the_site_up_when_it_is_killed() {
    let adopted = Adopted::start_in_a_directory("beside", "/srv/hydron").await;
    let url = adopted.publish(&Repository::answering("beside", ANSWER));
    let project = pipeline::create_project(&adopted.client, "beside").await.unwrap();
    adopted.finished(&crashes::start_run(&adopted.client, &project, &url).await).await;
    let site = adopted.site(&project).await;
    adopted.serves(&site, ANSWER).await;
    adopted.server.run(&["systemctl", "kill", "--signal=KILL", SUPERVISOR]).unwrap();
    is_gone(&adopted.server, SUPERVISOR).await;
    assert_eq!(adopted.server.run(&["pgrep", "--list-full", "hydron-agent"]).unwrap_or_default(), "");
    adopted.serves(&site, ANSWER).await;
}

/// The step host is in a unit of its own: it goes on while both are down.
async fn a_killed_link_and_executor_are_started_again_and_repeat_nothing(adopted: &Adopted) -> Site {
    let server = &adopted.server;
    let url = adopted.publish(&crashes::slow_repository(&adopted.dir.display().to_string()));
    let project = pipeline::create_project(&adopted.client, "slow").await.unwrap();
    let run = crashes::start_run(&adopted.client, &project, &url).await;
    let build = crashes::wait_for_build(&adopted.client, &run, &adopted.id).await;
    let build = build.unwrap_or_else(|error| panic!("{error:#}\n{}", adopted.logs()));

    let host = format!("hydron-{run}.service");
    assert_ne!(server.unit(&host, "MainPID").unwrap(), "0", "the steps run in {host}");
    // A run's directory goes once the coordinator has all of it; this name of the spool stays.
    let spool = format!("/var/lib/hydron/exec/runs/{run}/steps/{build}.1/spool");
    server.run(&["ln", &spool, "/var/lib/spool-of-the-build"]).unwrap();
    for unit in [LINK, EXECUTOR] {
        kill(server, unit);
    }
    let state = adopted.finished(&run).await;

    crashes::every_step_at_the_first_attempt(&state);
    let log = pipeline::log(&adopted.client, &run, &adopted.id, (build, 1)).await.unwrap();
    crashes::every_tick_once(&log);
    let spool = server.run(&["cat", "/var/lib/spool-of-the-build"]).unwrap();
    assert_eq!(spool, log.trim(), "the stored log is the spool");
    for unit in [LINK, EXECUTOR] {
        assert_eq!(server.unit(unit, "NRestarts").unwrap(), "1", "{unit}\n{}", adopted.logs());
    }
    is_gone(server, &host).await;
    let site = adopted.site(&project).await;
    adopted.serves(&site, ANSWER).await;
    site
}

fn kill(server: &Server, unit: &str) {
    let pid = server.unit(unit, "MainPID").unwrap();
    assert_ne!(pid, "0", "{unit} runs");
    server.run(&["kill", "-KILL", &pid]).unwrap();
}

/// The unit of a run ends with the run, and systemd forgets it.
async fn is_gone(server: &Server, unit: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.unit(unit, "LoadState").unwrap() != "not-found" {
        assert!(Instant::now() < deadline, "{unit} is still there");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The executor may not: it has no network, and the proxy's own check opens sockets.
async fn certificates_are_renewed_by_a_unit_of_its_own(adopted: &Adopted, site: &Site) {
    let server = &adopted.server;
    let generation = || server.run(&["readlink", "/var/lib/hydron/edge/current"]).unwrap();
    let before = generation();
    server.run(&["find", "/var/lib/hydron/certs", "-mindepth", "2", "-name", "*.json", "-delete"]).unwrap();
    server
        .run(&["systemctl", "start", "hydron-renew.service"])
        .unwrap_or_else(|error| panic!("{error:#}\n{}", server.journal("hydron-renew.service")));
    assert_ne!(generation(), before, "a new certificate is a new generation");
    adopted.serves(site, ANSWER).await;
    assert_eq!(server.unit("hydron-renew.timer", "ActiveState").unwrap(), "active");
}

async fn a_reboot_brings_the_site_back_without_a_coordinator(adopted: &mut Adopted, site: &Site) {
    adopted.coordinator.stop().unwrap();
    let before = adopted.server.unit(EXECUTOR, "InvocationID").unwrap();
    adopted.server.reboot().unwrap();
    adopted.serves(site, ANSWER).await;
    assert_ne!(adopted.server.unit(EXECUTOR, "InvocationID").unwrap(), before);
    assert_eq!(adopted.server.run(&["systemctl", "--failed", "--plain", "--no-legend"]).unwrap(), "");
}

async fn the_agent_comes_back_to_its_coordinator(adopted: &mut Adopted) {
    adopted.coordinator.restart().await.unwrap();
    adopted.online().await;
}

async fn leaving_keeps_the_site_and_uninstalling_leaves_no_unit(adopted: &Adopted, site: &Site) {
    let server = &adopted.server;
    server.run(&["hydron-agent", "leave"]).unwrap();
    for unit in [LINK, EXECUTOR] {
        assert_eq!(server.unit(unit, "ActiveState").unwrap(), "inactive", "{unit}");
    }
    assert!(!server.succeeds(&["test", "-e", "/var/lib/hydron/link/tls.key"]), "the key is gone");
    adopted.serves(site, ANSWER).await;

    server.run(&["hydron-agent", "uninstall"]).unwrap();
    let units = ["list-units", "list-unit-files"]
        .map(|list| server.run(&["systemctl", list, "--all", "--plain", "--no-legend", "hydron*"]));
    // `list-unit-files` fails where nothing matches.
    assert_eq!(units.map(Result::unwrap_or_default), ["", ""]);
    for path in ["/usr/local/bin/hydron-agent", "/opt/hydron", "/run/hydron"] {
        assert!(!server.succeeds(&["test", "-e", path]), "{path} is still there");
    }
    assert!(!server.succeeds(&["id", "hydron"]), "the user is gone");
    assert_eq!(server.run(&["pgrep", "--list-full", "hydron|nginx"]).unwrap_or_default(), "");
    let containers = server.run(&["docker", "ps", "--quiet"]).unwrap();
    assert_eq!(containers.lines().count(), 1, "the application keeps running");
}
