//! The executor without processes: its tasks on a machine that starts no step host.

mod hosts;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_dalek::SigningKey;
use futures_util::future::BoxFuture;
use hydron_proto::envelope::{EnvelopeDraft, EnvelopeKind, PinnedSigner, VerifiedEnvelope, sign};
use hydron_proto::ids::RunId;
use hydron_proto::plan::{Action, Shell};
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, event};
use prost::Message as _;
use tokio_util::task::AbortOnDropHandle;

use super::journal::Journal;
use super::ledger::tests::{envelope, step};
use super::outbox::RunView;
use super::run_task::RunCommand;
use super::*;
use crate::config::StepConfig;
use crate::run_dir::RunDir;

const NOW: i64 = 1_000_000;

/// A machine on which no step host starts.
#[derive(Debug, Default)]
struct Barren {
    /// Runs whose orphans were ended.
    ended: Mutex<Vec<RunId>>,
    /// How often it was looked at.
    looks: AtomicUsize,
}

impl Machine for Barren {
    fn start_host<'a>(&'a self, _: &'a Root, _: &'a RunDir) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async { Err(io::Error::other("no more processes")) })
    }

    fn end_orphans<'a>(&'a self, directory: &'a RunDir) -> BoxFuture<'a, ()> {
        self.ended.lock().unwrap().push(directory.run);
        Box::pin(async {})
    }

    fn look<'a>(&'a self, _: &'a Root, _: &'a AgentConfig) -> BoxFuture<'a, wire::Facts> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { wire::Facts::default() })
    }

    fn keep_edge(&self, _: Root, _: StepConfig, _: Clock) -> Option<AbortOnDropHandle<()>> {
        None
    }
}

/// A server of its own, whose executor may be started again and again.
struct Server {
    directory: tempfile::TempDir,
    key: SigningKey,
}

/// An executor's tasks, and how they failed.
struct Executor {
    shared: Arc<Shared>,
    machine: Arc<Barren>,
    runs: Runs,
    _failed: mpsc::UnboundedReceiver<ExecError>,
}

impl Server {
    fn new() -> Self {
        let server = Self { directory: tempfile::tempdir().unwrap(), key: SigningKey::from_bytes(&[7; 32]) };
        runs::prepare(&server.root()).unwrap();
        server
    }

    fn root(&self) -> Root {
        Root::new(self.directory.path())
    }

    fn executor(&self) -> Executor {
        let (root, plan, machine) = (self.root(), envelope(1, vec![]).plan, Arc::new(Barren::default()));
        let signers = vec![PinnedSigner { key_id: "k1".into(), key: self.key.verifying_key() }];
        let identity = ExecIdentity { team: plan.team, server: plan.server, signers };
        let keys = (identity, identity::sealing_key(&root).unwrap());
        let ledger = Ledger::open(&root.exec().join("ledger.json")).unwrap();
        let records = (ledger, Audit::open(&audit_file(&root)).unwrap());
        let clock = Clock::from_fn(|| NOW);
        let shared = Arc::new(Shared::new((root, machine.clone()), clock, keys, records));
        let (failed, failures) = mpsc::unbounded_channel();
        Executor { runs: Runs::new(shared.clone(), failed), shared, machine, _failed: failures }
    }

    /// A signed plan of two steps that nobody runs.
    fn signed(&self, run: RunId) -> Vec<u8> {
        let mut plan = envelope(1, vec![]).plan;
        let nothing = Shell { script: "true".into(), env: vec![], expect: vec![0] };
        plan.steps = vec![step(Action::Shell(nothing)); 2];
        let draft = EnvelopeDraft {
            kind: EnvelopeKind::Run,
            team: plan.team,
            server: plan.server,
            run,
            not_before_unix_ms: 0,
            expires_unix_ms: NOW + 1,
            nonce: [1; 16],
            sequence: 1,
            plan: plan.to_bytes().unwrap(),
        };
        sign(draft, "k1", &self.key).encode_to_vec()
    }

    /// A run that a former executor accepted.
    async fn held(&self) -> RunDir {
        let run = RunId::new(1, [3; 10]);
        let executor = self.executor();
        assert_eq!(executor.runs.admit(&self.signed(run)).unwrap().outcome, Ok(run));
        let Executor { shared, runs, .. } = executor;
        drop(runs);
        while Arc::strong_count(&shared) > 1 {
            tokio::task::yield_now().await;
        }
        RunDir::new(&self.root(), run)
    }
}

impl Executor {
    fn refused(&self, run: RunId) -> Option<RejectCode> {
        let hold = wire::Hold { run_id: run.to_string(), epoch: 1 };
        self.runs.command(run, RunCommand::Hold(hold)).err()
    }

    async fn until(&self, run: RunId, done: impl Fn(&RunView) -> bool) {
        let mut changes = self.shared.outbox.changes();
        while !self.shared.outbox.with(|runs| runs.get(&run).is_some_and(&done)) {
            changes.changed().await.unwrap();
        }
    }

    fn events(&self, run: RunId) -> Vec<event::Body> {
        let events = self.shared.outbox.with(|runs| runs[&run].events.clone());
        events.into_iter().map(|event| event.body.unwrap()).collect()
    }
}

#[test]
fn only_the_executors_own_user_and_the_links_may_speak_to_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let (stream, _other_end) = UnixStream::pair().unwrap();
    let me = nix::unistd::geteuid().as_raw();
    let speaks = |own, link: Option<u32>| {
        let link = link.map(|uid| user::Account { uid, gid: uid });
        Peers { own, link }.may_speak(&stream)
    };
    assert!(speaks(me, None) && speaks(me, Some(me + 1)) && speaks(me + 1, Some(me)));
    assert!(!speaks(me + 1, None) && !speaks(me + 1, Some(me + 2)));
}

#[test]
fn a_journal_is_judged_by_what_is_whole_and_whether_it_fits_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.log");
    let event = |seq| {
        let body = Some(event::Body::EnvelopeAccepted(wire::EnvelopeAccepted::default()));
        let event = wire::Event { seq, body, ..wire::Event::default() };
        wire::JournalRecord { body: Some(wire::journal_record::Body::Event(event)) }
    };
    let mut journal = Journal::open(&path).unwrap().0;
    assert_eq!(judge_journal(&[]), Some((0, true)));
    journal.append(&[event(1), event(2)]).unwrap();
    let fitting = std::fs::read(&path).unwrap();
    assert_eq!(judge_journal(&fitting), Some((fitting.len(), true)));
    assert_eq!(judge_journal(&[fitting.as_slice(), &[0, 0, 0, 9, 1]].concat()), Some((fitting.len(), true)));
    journal.append(&[event(4)]).unwrap();
    let mut with_a_gap = std::fs::read(&path).unwrap();
    assert_eq!(judge_journal(&with_a_gap), Some((with_a_gap.len(), false)));
    with_a_gap[10] ^= 1;
    assert_eq!(judge_journal(&with_a_gap), None);
}

#[tokio::test]
async fn a_run_without_its_envelope_is_set_aside_and_named_until_the_coordinator_knows() {
    let server = Server::new();
    let directory = server.held().await;
    let run = directory.run;
    let aside = server.root().quarantine().join(run.to_string());
    std::fs::remove_file(directory.envelope()).unwrap();
    let first = server.executor();
    first.runs.recover().await.unwrap();
    assert_eq!(*first.machine.ended.lock().unwrap(), [run], "nothing of it may go on unseen");
    assert!(aside.exists() && !directory.path().exists());
    let second = server.executor();
    second.runs.recover().await.unwrap();
    for executor in [&first, &second] {
        assert_eq!(executor.runs.lost(), [run]);
        assert_eq!(executor.refused(run), Some(RejectCode::JournalLost));
    }
    assert!(second.runs.forget_lost(run) && !second.runs.forget_lost(run));
    assert_eq!(second.refused(run), Some(RejectCode::UnknownRun));
    assert!(aside.with_extension("reported").exists(), "what is left is for a person to look at");
    let third = server.executor();
    third.runs.recover().await.unwrap();
    assert_eq!(third.runs.lost(), []);
}

/// A crash came between the directory of a run and the ledger.
#[tokio::test]
async fn a_ledger_that_missed_a_run_knows_it_after_the_next_start() {
    let server = Server::new();
    let run = server.held().await.run;
    std::fs::remove_file(server.root().exec().join("ledger.json")).unwrap();
    let executor = server.executor();
    let same = VerifiedEnvelope { run, ..envelope(1, vec![]) };
    assert!(!executor.shared.ledger().is_replay(&same));
    executor.runs.recover().await.unwrap();
    for executor in [executor, server.executor()] {
        assert!(executor.shared.ledger().is_replay(&same));
    }
}

/// A disk that says no today may say yes tomorrow.
#[tokio::test]
async fn a_run_or_a_quarantine_that_cannot_be_read_stops_the_executor_and_loses_nothing() {
    let server = Server::new();
    let directory = server.held().await;
    let bytes = std::fs::read(directory.envelope()).unwrap();
    std::fs::remove_file(directory.envelope()).unwrap();
    std::fs::create_dir(directory.envelope()).unwrap();
    assert!(matches!(server.executor().runs.recover().await, Err(ExecError::Io(_))));
    std::fs::remove_dir(directory.envelope()).unwrap();
    std::fs::write(directory.envelope(), bytes).unwrap();
    std::fs::write(server.root().quarantine(), "no directory").unwrap();
    assert!(matches!(server.executor().runs.recover().await, Err(ExecError::Io(_))));
    std::fs::remove_file(server.root().quarantine()).unwrap();
    let executor = server.executor();
    executor.runs.recover().await.unwrap();
    assert_eq!(executor.refused(directory.run), None);
}

#[tokio::test(start_paused = true)]
async fn a_server_is_looked_at_when_something_has_ended_and_else_every_five_minutes() {
    let executor = Server::new().executor();
    let facts = FactsTask::start(executor.shared.clone(), AgentConfig::default());
    facts.first().await;
    let after = async |time| {
        tokio::time::sleep(time).await;
        executor.machine.looks.load(Ordering::Relaxed)
    };
    assert_eq!(after(Duration::from_mins(1)).await, 1);
    executor.shared.nudge_facts();
    assert_eq!(after(Duration::from_millis(10)).await, 2);
    // What comes meanwhile is kept, and waits for its second.
    executor.shared.nudge_facts();
    assert_eq!(after(Duration::from_millis(900)).await, 2);
    assert_eq!(after(Duration::from_millis(200)).await, 3);
    assert_eq!(after(Duration::from_mins(4)).await, 3);
    assert_eq!(after(Duration::from_mins(2)).await, 4);
}
