//! What every simulation begins with: a team, a server that joined, and approved runs. Made once, copied for each seed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hydron_agent::identity::{self, ExecIdentity};
use hydron_agent::link::identity::LinkFiles;
use hydron_agent::root::Root;
use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::{Clock, Entropy};
use hydron_coordinator::config::{Config, Settings};
use hydron_coordinator::services::secrets;
use hydron_domain::identity::Actor;
use hydron_domain::project::{Project, ProjectType, Slug};
use hydron_domain::server::AgentFacts;
use hydron_proto::envelope::PinnedSigner;
use hydron_proto::ids::{DomainId, ProjectId, RunId, ServerId, TeamId};
use hydron_proto::plan::{Action, EnvPart, EnvVar, InterruptPolicy, SecretRef, Shell, Step};
use hydron_proto::wire;
use hydron_store::Store;
use hydron_store::teams::Team;
use hydron_tests::approved;
use rcgen::CertificateParams;

use crate::dice::Dice;
use crate::needle;
use crate::world::BEGIN_MS;

/// Steps of each run.
pub(crate) const STEPS: u32 = 4;

#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) team: TeamId,
    pub(crate) server: ServerId,
    pub(crate) runs: Vec<RunId>,
    directory: Arc<tempfile::TempDir>,
}

/// Chance by a seed, for ids and secrets.
#[derive(Debug)]
pub(crate) struct SeededEntropy(pub(crate) Mutex<Dice>);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap();
        for byte in bytes {
            *byte = dice.below(256) as u8;
        }
    }
}

#[derive(Debug)]
struct Beginning;

impl Clock for Beginning {
    fn now_ms(&self) -> i64 {
        BEGIN_MS
    }
}

impl Template {
    pub(crate) fn make(runs: u8) -> Self {
        let directory = scratch();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (team, server) = (TeamId::new(1, [1; 10]), ServerId::new(1, [2; 10]));
        let runs = runtime.block_on(filled(directory.path(), (team, server), runs));
        Self { team, server, runs, directory: Arc::new(directory) }
    }

    /// A copy to be ruined.
    pub(crate) fn copy(&self) -> tempfile::TempDir {
        let copy = scratch();
        copy_all(self.directory.path(), copy.path());
        copy
    }
}

/// Real files, but of memory where there is such a place: thousands of syncs a second.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn config(data: PathBuf) -> Config {
    Settings { data_dir: Some(data), ..Settings::default() }.check(None).unwrap()
}

async fn filled(directory: &Path, (team, server): (TeamId, ServerId), count: u8) -> Vec<RunId> {
    let config = config(directory.join("data"));
    let store = Store::open(&config.database).await.unwrap();
    store.migrate().await.unwrap();
    let entropy = Arc::new(SeededEntropy(Mutex::new(Dice::new(0))));
    let app = AppState::build(config, store, Arc::new(Beginning), entropy).unwrap();
    let sealing_key = joined(&app, &Root::new(directory.join("agent")), team, server);
    let actor = Actor::System { name: "test" };
    let mut tx = app.store.system().begin(BEGIN_MS).await.unwrap();
    tx.insert_team(&Team { id: team, name: "team".to_owned(), created_at: BEGIN_MS }).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = app.store.team(team).begin(&actor, BEGIN_MS).await.unwrap();
    tx.insert_server(server, "server").await.unwrap();
    let facts = AgentFacts::from(wire::Facts::default());
    tx.enroll_server(server, "key", &sealing_key, &facts, "simulated").await.unwrap();
    tx.commit().await.unwrap();
    let mut runs = Vec::new();
    for number in 0..count {
        runs.push(waiting(&app, &actor, team, server, number).await);
    }
    app.store.close().await;
    runs
}

/// What `join` leaves behind; the public half of the sealing key.
fn joined(app: &AppState, root: &Root, team: TeamId, server: ServerId) -> Vec<u8> {
    for directory in [root.exec(), root.etc(), root.link()] {
        std::fs::create_dir_all(directory).unwrap();
    }
    let signer = app.signer.public();
    let signers = vec![PinnedSigner::from_bytes(&signer.key_id, &signer.public_key).unwrap()];
    ExecIdentity { team, server, signers }.store(root).unwrap();
    let files = LinkFiles::new(root.link());
    let key = files.key().unwrap();
    let certificate = CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
    files.store_chain(&[certificate.der().to_vec()]).unwrap();
    files.store_ca(certificate.der()).unwrap();
    identity::sealing_key(root).unwrap().public_bytes()
}

async fn waiting(app: &AppState, actor: &Actor, team: TeamId, server: ServerId, number: u8) -> RunId {
    let project = ProjectId::new(1, [number + 1; 10]);
    let mut tx = app.store.team(team).begin(actor, BEGIN_MS).await.unwrap();
    let name = format!("app {number}");
    let made = Project {
        id: project,
        slug: Slug::of(&name),
        name,
        kind: ProjectType::WebApp,
        host: format!("app-{number}.localhost").parse().unwrap(),
        created_at: BEGIN_MS,
        updated_at: BEGIN_MS,
    };
    tx.insert_project(&made, DomainId::new(1, [number + 1; 10])).await.unwrap();
    let sealed =
        secrets::seal(&app.kek, app.ids.entropy(), team, project, &secret(), needle::SECRET.as_bytes())
            .unwrap();
    tx.insert_secret(project, &secret(), &sealed, false).await.unwrap();
    tx.commit().await.unwrap();
    let plan = approved::plan(team, project, server, (0..STEPS).map(step).collect());
    approved::run(app, actor, (team, project), ("Simulate", vec![plan])).await.unwrap()
}

/// Every step has it, so every permit carries it, sealed.
fn secret() -> SecretRef {
    SecretRef { name: "app/KEY".parse().unwrap(), version: 1 }
}

/// Whether a person decides about this step when its outcome is unknown: a range begins with it.
pub(crate) fn asks(step: u32) -> bool {
    !step.is_multiple_of(2)
}

fn step(index: u32) -> Step {
    let env = EnvVar { name: "KEY".parse().unwrap(), value: vec![EnvPart::Secret(secret())] };
    let action = Action::Shell(Shell { script: "true".to_owned(), env: vec![env], expect: vec![0] });
    let on_interrupt = if asks(index) { InterruptPolicy::Ask } else { InterruptPolicy::Rerun };
    Step { title: format!("Step {index}"), action, timeout_s: 60, on_interrupt, ..approved::shell_step("") }
}
