//! A whole server's faults, on one of the lab with its own Docker Engine and systemd: the engine is restarted in the middle of
//! a build and of a release, the proxy is killed, and somebody else's nginx has a broken site.
//!
//! Rule: a run ends completed or failed with a reason, the old release or the new one serves, a retry works, nothing is there
//! twice. One server, because it costs half a minute. Neighbours: `systemd` (kills, reboot), `proxy` (no systemd).

use std::time::{Duration, Instant};

use hydron_tests::stack::pipeline::{self, Quiet, steps};
use hydron_tests::stack::server::Server;
use serde_json::{Value, json};

use crate::adopted::{Adopted, Site};
use crate::crashes;
use crate::repository::Repository;

use super::dice::soaking;
use super::stops::{redeploy, released};

const EDGE: &str = "hydron-edge.service";
const NAME: &str = "afloat";
/// A site that somebody else broke. The distribution's nginx reads this directory.
const FOREIGN: &str = "/etc/nginx/conf.d/somebodys-shop.conf";
const BROKEN: &[u8] = b"server { listen 80; server_name shop.example; proxy_pas http://nowhere; }\n";

struct Afloat {
    adopted: Adopted,
    repository: Repository,
    project: String,
    site: Site,
    version: u32,
}

// Commands on the server block this thread; connections to the coordinator are looked after by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_whose_engine_and_proxy_fail_during_releases_keeps_its_site_and_nothing_twice() {
    let mut afloat = Afloat::start().await;
    afloat.a_killed_proxy_is_started_again_by_systemd().await;
    afloat.somebody_elses_broken_site_stops_neither_site_nor_release().await;
    let stages: &[&str] = if soaking() {
        &[
            "image_build",
            "release",
            "release+1",
            "release+2",
            "release+3",
            "release+4",
            "release+5",
            "release+7",
        ]
    } else {
        &[]
    };
    for stage in stages {
        afloat.the_engine_is_restarted_during(stage, &["systemctl", "restart", "docker"]).await;
    }
    afloat
        .the_engine_is_restarted_during("release+1", &["systemctl", "kill", "--signal=KILL", "docker"])
        .await;
}

impl Afloat {
    async fn start() -> Self {
        let adopted = Adopted::start("afloat").await;
        let mut repository = Repository::answering(NAME, "version 0");
        // Long enough to be met.
        repository.edit("Dockerfile", "COPY app.py .\n", "COPY app.py .\nRUN sleep 3\n");
        let url = adopted.publish(&repository);
        let project = pipeline::create_project(&adopted.client, NAME).await.unwrap();
        adopted.finished(&crashes::start_run(&adopted.client, &project, &url).await).await;
        let site = adopted.site(&project).await;
        adopted.serves(&site, "version 0").await;
        Self { adopted, repository, project, site, version: 0 }
    }

    fn server(&self) -> &Server {
        &self.adopted.server
    }

    fn answer(&self) -> String {
        format!("version {}", self.version)
    }

    async fn a_killed_proxy_is_started_again_by_systemd(&self) {
        let before = self.server().unit(EDGE, "MainPID").unwrap();
        self.server().run(&["systemctl", "kill", "--kill-who=all", "--signal=KILL", EDGE]).unwrap();
        let since = Instant::now();
        self.adopted.serves(&self.site, &self.answer()).await;
        println!("the site was back after {:?}", since.elapsed());
        assert_ne!(self.server().unit(EDGE, "MainPID").unwrap(), before);
    }

    /// Our proxy reads nothing of anybody else's: neither it nor the release notices, and the file stays as it is.
    async fn somebody_elses_broken_site_stops_neither_site_nor_release(&mut self) {
        self.server().write(FOREIGN, BROKEN, "644").unwrap();
        let check = self.server().run(&["nginx", "-t"]).unwrap_err().to_string();
        assert!(check.contains(FOREIGN), "the distribution's nginx is broken by it: {check}");
        let run = self.release().await;
        self.adopted.finished(&run).await;
        self.adopted.serves(&self.site, &self.answer()).await;
        self.server().run(&["systemctl", "restart", EDGE]).unwrap();
        self.adopted.serves(&self.site, &self.answer()).await;
        assert_eq!(self.server().run(&["cat", FOREIGN]).unwrap().as_bytes(), BROKEN.trim_ascii_end());
        self.server().run(&["rm", FOREIGN]).unwrap();
    }

    /// `stage` is a kind of step, and how many seconds after its beginning.
    async fn the_engine_is_restarted_during(&mut self, stage: &str, restart: &[&str]) {
        let (kind, later) = stage.split_once('+').unwrap_or((stage, "0"));
        let old = self.answer();
        let run = self.release().await;
        let path = format!("/runs/{run}");
        let running = |step: &Value| step["kind"] == kind && step["state"] == "running";
        let begun = |run: &Value| Ok(steps(run).any(running));
        let client = &self.adopted.client;
        client.until(&path, Duration::from_mins(2), begun).await.unwrap();
        tokio::time::sleep(Duration::from_secs(later.parse().unwrap())).await;
        // systemd gives up on what starts three times in a minute; this is about one fault at a time.
        self.server().run(&["systemctl", "reset-failed", "docker"]).unwrap();
        self.server().run(restart).unwrap();

        let mut ended = self.ended(&run).await;
        println!("{restart:?} during {stage}: {} {}", ended["state"], why(&ended));
        let serving = if released(&ended) { self.answer() } else { old };
        self.adopted.serves(&self.site, &serving).await;
        self.one_container();
        if ended["state"] == "failed" {
            assert!(why(&ended).len() > 20, "no reason: {ended:#}");
            client.post(&format!("{path}/retry"), json!({})).await.unwrap();
            ended = self.ended(&run).await;
        }
        assert_eq!(ended["state"], "completed", "{ended:#}\n{}", self.adopted.logs());
        self.adopted.serves(&self.site, &self.answer()).await;
        self.one_container();
    }

    /// A new commit, and a run for it.
    async fn release(&mut self) -> String {
        let old = self.answer();
        self.version += 1;
        self.repository.edit("app.py", &old, &self.answer());
        self.adopted.publish(&self.repository);
        redeploy(&self.adopted.client, &self.project).await
    }

    async fn ended(&self, run: &str) -> Value {
        let ended = pipeline::follow(&self.adopted.client, run, Duration::from_mins(4), &mut Quiet).await;
        ended.unwrap_or_else(|error| panic!("{error:#}\n{}", self.adopted.logs()))
    }

    fn one_container(&self) {
        let label = format!("label=hydron.project={}", self.project);
        let running = self.server().run(&["docker", "ps", "--quiet", "--filter", &label]).unwrap();
        assert_eq!(running.lines().count(), 1, "{running}\n{}", self.adopted.logs());
    }
}

/// What the step that did not succeed says.
fn why(run: &Value) -> String {
    let failed = steps(run).find(|step| step["state"] == "failed");
    failed.map_or_else(String::new, |step| format!("{}: {}", step["kind"], step["error"]))
}
