//! PostgreSQL stops in the middle of a run, as if its machine lost power, and comes back.
//!
//! Rule: meanwhile the coordinator says that it is not ready and answers nothing that it cannot know; afterwards the run goes
//! on by itself. The cluster is the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use hydron_store::Location;

use crate::counting_runs;
use crate::world::{Setup, World};

use super::dice::soaking;
use super::round::{Round, Struck};

/// The database goes when this step has counted itself.
const GONE_AFTER: u32 = 3;
/// Everybody is back so soon after a short outage.
const BACK: Duration = Duration::from_secs(15);

/// A PostgreSQL cluster that is removed with the value.
struct Cluster {
    dir: PathBuf,
    url: String,
}

impl Cluster {
    fn start(dir: PathBuf) -> Self {
        let url = lab_postgres("up", &dir);
        Self { dir, url }
    }

    fn stop(&self) {
        lab_postgres("stop", &self.dir);
    }

    fn start_again(&self) {
        assert_eq!(lab_postgres("up", &self.dir), self.url);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = lab().args(["down"]).arg(&self.dir).output();
    }
}

#[tokio::test]
async fn a_run_outlives_its_database_being_gone() {
    let gone = Duration::from_secs(if soaking() { 30 } else { 5 });
    let dir = crate::world::fresh_dir();
    let cluster = Cluster::start(dir.with_extension("pg"));
    let location = Location::Postgres(cluster.url.clone());
    let mut world = World::start_with(Setup { dir: Some(dir), ..Setup::on(location) }).await;
    let run = counting_runs::waiting(&mut world, 1).await.remove(0);
    let mut back = None;
    let mut round = Round::new(&mut world, run, "rerun");
    round
        .play(async |world, run| {
            if run.counted(GONE_AFTER) == 0 {
                return Struck::NotYet;
            }
            cluster.stop();
            let since = Instant::now();
            while since.elapsed() < gone {
                assert!(!world.client.ready().await, "ready without a database");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            cluster.start_again();
            back = Some(Instant::now());
            Struck::Yes
        })
        .await;
    println!("completed {:?} after the database was back", back.unwrap().elapsed());
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
    let world = round.world();
    let server = format!("/servers/{}", world.server);
    world.client.until(&server, BACK, |server| Ok(server["online"] == true)).await.unwrap();
}

fn lab() -> Command {
    Command::new(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lab/postgres")))
}

fn lab_postgres(command: &str, dir: &Path) -> String {
    let output = lab().arg(command).arg(dir).output().unwrap();
    assert!(output.status.success(), "postgres {command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
