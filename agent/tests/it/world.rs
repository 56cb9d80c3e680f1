//! A server of its own for every test: root directory, identity, signer, executor process, and a link that is the test.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use hydron_agent::identity::{self, ExecIdentity};
use hydron_agent::local::{self, Incoming};
use hydron_agent::root::Root;
use hydron_proto::envelope::{EnvelopeDraft, EnvelopeKind, PinnedSigner, PlanDigest, sign};
use hydron_proto::ids::{ProjectId, RunId, ServerId, TeamId};
use hydron_proto::plan::{
    Action, EnvPart, EnvVar, InterruptPolicy, Phase, PlanDocument, PlanKind, RepairBounds, Risk, SecretRef,
    Shell, Step, Undo,
};
use hydron_proto::seal::{SealContext, seal};
use hydron_proto::wire::{self, event, from_executor, to_executor};
use prost::Message as _;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use zeroize::Zeroizing;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_hydron-agent");
/// Long enough for a busy machine; reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) signer: SigningKey,
    pub(crate) team: TeamId,
    pub(crate) server: ServerId,
    sequence: u64,
    executor: Option<Child>,
}

pub(crate) struct Signed {
    pub(crate) run: RunId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Vec<u8>,
}

impl World {
    /// A joined server whose executor does not run yet.
    pub(crate) fn joined() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = Self {
            directory,
            signer: SigningKey::from_bytes(&[7; 32]),
            team: TeamId::new(1, [1; 10]),
            server: ServerId::new(1, [2; 10]),
            sequence: 0,
            executor: None,
        };
        std::fs::create_dir_all(world.root().exec()).unwrap();
        std::fs::create_dir_all(world.root().etc()).unwrap();
        let signers = vec![PinnedSigner { key_id: "k1".into(), key: world.signer.verifying_key() }];
        ExecIdentity { team: world.team, server: world.server, signers }.store(&world.root()).unwrap();
        std::fs::write(world.root().agent_toml(), "[steps]\ndocker_socket = '/nonexistent'\n").unwrap();
        world
    }

    /// A joined server with a running executor.
    pub(crate) fn running() -> Self {
        let mut world = Self::joined();
        world.start_executor();
        world
    }

    pub(crate) fn root(&self) -> Root {
        Root::new(self.directory.path())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn start_executor(&mut self) {
        self.start_executor_finding(&std::env::var("PATH").unwrap());
    }

    /// Starts an executor that looks for programs in these directories.
    pub(crate) fn start_executor_finding(&mut self, programs: &str) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("exec.log")).unwrap();
        let child = Command::new(BINARY)
            .arg("--root")
            .arg(self.directory.path())
            .arg("exec")
            .env("PATH", programs)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.executor = Some(child);
    }

    /// Starts an executor under strace with these options; it is this executor that [`Self::executor_is_gone`] speaks of.
    pub(crate) fn start_traced_executor(&mut self, options: &[&str]) {
        let child = Command::new("strace")
            .args(["-q", "-s", "0", "-o"])
            .arg(self.path("trace"))
            .args(options)
            .arg(BINARY)
            .arg("--root")
            .arg(self.directory.path())
            .arg("exec")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace is installed (tests/lab/install)");
        self.executor = Some(child);
    }

    /// Whether the executor that was started last has ended by itself.
    pub(crate) fn executor_is_gone(&mut self) -> bool {
        self.executor.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Ends the executor that strace started, and strace with it.
    pub(crate) fn end_traced_executor(&mut self) {
        for pid in pids_with(&[self.directory.path().to_str().unwrap(), "exec"]) {
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.executor.take().unwrap().wait();
    }

    /// Whether the run's journal holds the end of its range.
    pub(crate) fn range_has_ended(&self, signed: &Signed) -> bool {
        let bytes = std::fs::read(self.journal(signed.run)).unwrap_or_default();
        let mut rest = bytes.as_slice();
        while let Some((head, payload)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
            let Some(record) =
                payload.get(..length).and_then(|payload| wire::JournalRecord::decode(payload).ok())
            else {
                return false;
            };
            if let Some(wire::journal_record::Body::Event(event)) = record.body
                && matches!(event.body, Some(event::Body::RangeEnded(_)))
            {
                return true;
            }
            rest = &payload[length..];
        }
        false
    }

    pub(crate) fn kill_executor(&mut self) {
        let mut child = self.executor.take().unwrap();
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    /// Pids of the step hosts of this world.
    pub(crate) fn hosts(&self) -> Vec<i32> {
        pids_with(&[self.directory.path().to_str().unwrap(), "step-host"])
    }

    pub(crate) fn kill_hosts(&self) {
        for pid in self.hosts() {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
                .unwrap();
        }
    }

    pub(crate) async fn link(&self) -> FakeLink {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(stream) = local::connect(&self.root().exec_socket()) {
                let (read, writer) = stream.into_split();
                let mut link = FakeLink { incoming: Incoming::new(read), writer, kept: Vec::new() };
                // A process that the dead executor was just forking may hold its listener for a moment longer.
                if link.attach().await.is_ok() {
                    return link;
                }
            }
            assert!(Instant::now() < deadline, "no executor: {}", self.executor_log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A link, if the executor answers right now.
    pub(crate) async fn try_link(&self) -> Option<FakeLink> {
        let (read, writer) = local::connect(&self.root().exec_socket()).ok()?.into_split();
        let mut link = FakeLink { incoming: Incoming::new(read), writer, kept: Vec::new() };
        link.attach().await.ok().map(|()| link)
    }

    pub(crate) fn executor_log(&self) -> String {
        std::fs::read_to_string(self.path("exec.log")).unwrap_or_default()
    }

    pub(crate) fn policy(&self, text: &str) {
        std::fs::write(self.root().policy_toml(), text).unwrap();
    }

    pub(crate) fn plan(&self, kind: PlanKind, steps: Vec<Step>) -> PlanDocument {
        PlanDocument {
            version: 1,
            kind,
            team: self.team,
            project: ProjectId::new(1, [1; 10]),
            server: self.server,
            steps,
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        }
    }

    /// A draft as the coordinator's signer would make it next.
    pub(crate) fn draft(&mut self, plan: &PlanDocument) -> EnvelopeDraft {
        self.sequence += 1;
        let now = now_ms();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.sequence.to_be_bytes());
        EnvelopeDraft {
            kind: plan.kind.envelope(),
            team: self.team,
            server: self.server,
            run: RunId::new(u64::try_from(now).unwrap(), rand::random()),
            not_before_unix_ms: now - 1000,
            expires_unix_ms: now + 3_600_000,
            nonce,
            sequence: self.sequence,
            plan: plan.to_bytes().unwrap(),
        }
    }

    pub(crate) fn sign_draft(&self, draft: EnvelopeDraft) -> Signed {
        let run = draft.run;
        let digest = PlanDigest::of(&draft.plan).0.to_vec();
        let bytes = sign(draft, "k1", &self.signer).encode_to_vec();
        Signed { run, bytes, digest }
    }

    pub(crate) fn sign(&mut self, plan: &PlanDocument) -> Signed {
        let draft = self.draft(plan);
        self.sign_draft(draft)
    }

    /// A provisioning plan of shell steps, signed.
    pub(crate) fn shell_run(&mut self, scripts: &[&str]) -> Signed {
        let steps = scripts.iter().map(|script| shell(script)).collect();
        let plan = self.plan(PlanKind::Provisioning, steps);
        assert_eq!(plan.kind.envelope(), EnvelopeKind::Run);
        self.sign(&plan)
    }

    pub(crate) fn sealed(&self, run: RunId, secret: &SecretRef, value: &str) -> wire::SealedSecret {
        let key = identity::sealing_key(&self.root()).unwrap();
        let place = SealContext {
            team: self.team,
            server: self.server,
            run,
            name: &secret.name,
            version: secret.version,
        };
        seal(&key.public_bytes(), &place, &Zeroizing::new(value.as_bytes().to_vec())).unwrap()
    }

    pub(crate) fn spool(&self, run: RunId, step: u32, attempt: u32) -> Vec<u8> {
        std::fs::read(self.root().run(run).join(format!("steps/{step}.{attempt}/spool"))).unwrap()
    }

    pub(crate) fn journal(&self, run: RunId) -> PathBuf {
        self.root().run(run).join("journal.log")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.executor_log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            for line in tail.iter().rev() {
                println!("exec: {line}");
            }
        }
        if let Some(mut child) = self.executor.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // strace that is killed lets its executor live.
        let executors = pids_with(&[self.directory.path().to_str().unwrap_or_default(), "exec"]);
        for pid in executors.into_iter().chain(self.hosts()) {
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// The test as link.
pub(crate) struct FakeLink {
    incoming: Incoming<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    kept: Vec<from_executor::Body>,
}

impl FakeLink {
    pub(crate) async fn try_send(&mut self, body: to_executor::Body) -> std::io::Result<()> {
        local::send(&mut self.writer, &wire::ToExecutor { body: Some(body) }).await
    }

    async fn attach(&mut self) -> std::io::Result<()> {
        self.try_send(to_executor::Body::Attach(wire::Attach::default())).await?;
        loop {
            let message = self.incoming.next::<wire::FromExecutor>().await?;
            let body = message.and_then(|message| message.body).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            let attached = matches!(body, from_executor::Body::Status(_));
            self.kept.push(body);
            if attached {
                return Ok(());
            }
        }
    }

    pub(crate) async fn send(&mut self, body: to_executor::Body) {
        self.try_send(body).await.unwrap();
    }

    /// The next message that `take` wants; others are kept for later calls.
    pub(crate) async fn want<T>(&mut self, mut take: impl FnMut(&from_executor::Body) -> Option<T>) -> T {
        for at in 0..self.kept.len() {
            if let Some(found) = take(&self.kept[at]) {
                self.kept.remove(at);
                return found;
            }
        }
        loop {
            let next = tokio::time::timeout(PATIENCE, self.incoming.next::<wire::FromExecutor>()).await;
            let body = next.expect("an answer in time").unwrap().expect("an executor").body.unwrap();
            match take(&body) {
                Some(found) => return found,
                None => self.kept.push(body),
            }
        }
    }

    pub(crate) async fn status(&mut self) -> wire::ExecutorStatus {
        self.want(|body| match body {
            from_executor::Body::Status(status) => Some(status.clone()),
            _other => None,
        })
        .await
    }

    pub(crate) async fn decision(&mut self) -> wire::Decision {
        self.want(|body| match body {
            from_executor::Body::Decision(decision) => Some(decision.clone()),
            _other => None,
        })
        .await
    }

    /// The next event with a sequence.
    pub(crate) async fn event(&mut self) -> wire::Event {
        self.want(|body| match body {
            from_executor::Body::Event(event) if event.seq > 0 => Some(event.clone()),
            _other => None,
        })
        .await
    }

    /// Events until one that `last` accepts, that one included.
    pub(crate) async fn events_until(&mut self, last: impl Fn(&event::Body) -> bool) -> Vec<wire::Event> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let done = last(event.body.as_ref().unwrap());
            events.push(event);
            if done {
                return events;
            }
        }
    }

    pub(crate) async fn events_until_range_end(&mut self) -> (Vec<wire::Event>, wire::RangeEnded) {
        let events = self.events_until(|body| matches!(body, event::Body::RangeEnded(_))).await;
        match &events.last().unwrap().body {
            Some(event::Body::RangeEnded(ended)) => (events.clone(), *ended),
            _other => unreachable!(),
        }
    }

    pub(crate) async fn until_started(&mut self, step: u32) {
        self.events_until(|body| matches!(body, event::Body::StepStarting(s) if s.step == step)).await;
    }

    pub(crate) async fn offer(&mut self, signed: &Signed) -> wire::Decision {
        self.send(to_executor::Body::SignedEnvelope(signed.bytes.clone())).await;
        self.decision().await
    }

    /// Offers an envelope that must be accepted.
    pub(crate) async fn accepted(&mut self, signed: &Signed) {
        let decision = self.offer(signed).await;
        assert_eq!(decision.code, "");
        assert_eq!(decision.run_id, signed.run.to_string());
        let first = self.event().await;
        assert_eq!(first.seq, 1);
        assert!(matches!(first.body, Some(event::Body::EnvelopeAccepted(_))));
    }

    pub(crate) async fn permit(&mut self, permit: wire::Permit) {
        self.send(to_executor::Body::Permit(permit)).await;
    }

    pub(crate) async fn follow(&mut self, run: RunId, seq: u64) {
        self.send(to_executor::Body::FollowFrom(wire::EventAck { run_id: run.to_string(), seq })).await;
    }
}

/// A permit for a range, epoch 1.
pub(crate) fn permit(signed: &Signed, first: u32, last: u32) -> wire::Permit {
    wire::Permit {
        run_id: signed.run.to_string(),
        envelope_digest: signed.digest.clone(),
        first_step: first,
        last_step: last,
        attempt: 1,
        epoch: 1,
        secrets: vec![],
    }
}

pub(crate) fn command(signed: &Signed, step: u32, attempt: u32) -> wire::CommandId {
    wire::CommandId { run_id: signed.run.to_string(), step, attempt }
}

pub(crate) fn step(action: Action) -> Step {
    Step {
        title: "A step".into(),
        phase: Phase::Provisioning,
        service: None,
        risk: action.risk().max(Risk::R1),
        action,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::Ask,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}

pub(crate) fn shell(script: &str) -> Step {
    step(Action::Shell(Shell { script: script.into(), env: vec![], expect: vec![0] }))
}

pub(crate) fn shell_with_secret(script: &str, variable: &str, secret: &SecretRef) -> Step {
    let value = vec![EnvPart::Secret(secret.clone())];
    let env = vec![EnvVar { name: variable.parse().unwrap(), value }];
    step(Action::Shell(Shell { script: script.into(), env, expect: vec![0] }))
}

pub(crate) fn secret(name: &str) -> SecretRef {
    SecretRef { name: name.parse().unwrap(), version: 1 }
}

/// Every result in a list of events: step, attempt, outcome.
pub(crate) fn results(events: &[wire::Event]) -> Vec<(u32, u32, wire::StepOutcome)> {
    events
        .iter()
        .filter_map(|event| match &event.body {
            Some(event::Body::StepExited(exited)) => Some((exited.step, exited.attempt, exited.outcome())),
            _other => None,
        })
        .collect()
}

pub(crate) fn exited(events: &[wire::Event], step: u32) -> wire::StepExited {
    events
        .iter()
        .find_map(|event| match &event.body {
            Some(event::Body::StepExited(exited)) if exited.step == step => Some(exited.clone()),
            _other => None,
        })
        .expect("a result of the step")
}

pub(crate) fn now_ms() -> i64 {
    hydron_agent::clock::Clock::system().unix_ms()
}

pub(crate) fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

/// Waits for a condition of the world outside.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Processes whose argv has all these words.
pub(crate) fn pids_with(words: &[&str]) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            words.iter().all(|word| line.split('\0').any(|argument| argument == *word))
        })
        .collect()
}
