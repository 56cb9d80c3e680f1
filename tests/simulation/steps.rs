//! Step hosts: what they say and write is real, and so is the redactor; what their steps do is simulated.
//!
//! Rule: they keep the host's promises (an attempt is noted before it begins, its end before it is told; the newest
//! connection is the executor's) and die without a word.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hydron_agent::attempts::Attempts;
use hydron_agent::local::{self, Incoming};
use hydron_agent::redact::{Needles, Redactor};
use hydron_agent::run_dir::RunDir;
use hydron_proto::ids::RunId;
use hydron_proto::plan::StepResult;
use hydron_proto::wire::{self, FromStepHost, StepExited, ToStepHost, from_step_host, to_step_host};
use sha2::{Digest as _, Sha256};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep, sleep_until};

use crate::dice::Dice;
use crate::needle;
use crate::world::World;

/// How soon a host that was asked for is there.
const START: Duration = Duration::from_millis(100);

/// Starts hosts as they are asked for. Nothing ends it: hosts belong to no process of the simulation.
pub(crate) async fn run(world: Arc<World>) -> turmoil::Result {
    loop {
        sleep(START).await;
        let wanted = std::mem::take(&mut *world.launches.lock().unwrap());
        for run in wanted {
            let mut hosts = world.hosts.lock().unwrap();
            if hosts.get(&run).is_none_or(tokio::task::AbortHandle::is_finished) {
                let host = tokio::task::spawn_local(serve(world.clone(), run));
                hosts.insert(run, host.abort_handle());
            }
        }
    }
}

struct Host {
    world: Arc<World>,
    directory: RunDir,
    attempts: Attempts,
    executor: Option<(Incoming<OwnedReadHalf>, OwnedWriteHalf)>,
    running: Option<Running>,
}

struct Running {
    step: u32,
    attempt: u32,
    /// What it says, piece by piece, the last one first.
    pieces: Vec<Vec<u8>>,
    redactor: Redactor,
    written: Vec<u8>,
    /// What it says at last if it fails.
    fails: Option<String>,
    next_at: Instant,
}

enum Turn {
    Attached(tokio::net::UnixStream),
    Heard(Option<to_step_host::Body>),
    Works,
}

async fn serve(world: Arc<World>, run: RunId) {
    let directory = RunDir::new(&world.root, run);
    // The run was forgotten meanwhile.
    let Ok(attempts) = Attempts::open(&directory.attempts_log()) else { return };
    let Ok(listener) = local::listen(&directory.host_socket(), 0o600) else { return };
    let mut host = Host { world, directory, attempts, executor: None, running: None };
    loop {
        let works_at = host.running.as_ref().map(|running| running.next_at);
        let turn = tokio::select! {
            biased;
            accepted = listener.accept() => Turn::Attached(accepted.unwrap().0),
            heard = hear(&mut host.executor) => Turn::Heard(heard),
            () = sleep_until(works_at.unwrap_or_else(Instant::now)), if works_at.is_some() => Turn::Works,
        };
        match turn {
            Turn::Attached(stream) => {
                let (read, write) = stream.into_split();
                host.executor = Some((Incoming::new(read), write));
            }
            Turn::Heard(None) => host.executor = None,
            Turn::Heard(Some(to_step_host::Body::Finish(_))) if host.running.is_none() => return,
            Turn::Heard(Some(body)) => host.heard(body).await,
            Turn::Works => host.work().await,
        }
    }
}

async fn hear(
    executor: &mut Option<(Incoming<OwnedReadHalf>, OwnedWriteHalf)>,
) -> Option<to_step_host::Body> {
    match executor {
        Some((incoming, _)) => match incoming.next::<ToStepHost>().await {
            Ok(Some(message)) => message.body,
            Ok(None) | Err(_) => None,
        },
        None => std::future::pending().await,
    }
}

impl Host {
    async fn heard(&mut self, body: to_step_host::Body) {
        match body {
            to_step_host::Body::Query(_) => {
                let running = self.running.as_ref();
                let step = running.map(|running| running.step);
                let attempt = running.map_or(0, |running| running.attempt);
                self.say(from_step_host::Body::Status(wire::HostStatus { step, attempt })).await;
            }
            to_step_host::Body::Start(start) => self.start(&start),
            to_step_host::Body::Cancel(cancel) => {
                let _seen = self.world.witness();
                panic!("I7: {} hears {cancel:?}, and no coordinator says such a thing", self.directory.run)
            }
            to_step_host::Body::Confirm(_) | to_step_host::Body::Finish(_) => {}
        }
    }

    fn start(&mut self, start: &wire::StartStep) {
        let (step, attempt) = (start.step, start.attempt);
        let first = self.attempts.begin(step, attempt).unwrap() && self.running.is_none();
        let mut witness = self.world.witness();
        witness.begins(&self.world, self.directory.run, (step, attempt), first);
        let secrets = start.secrets.iter().map(|secret| secret.value.as_slice());
        assert!(secrets.clone().eq([needle::SECRET.as_bytes()]), "{step}.{attempt} has another secret");
        let redactor = Redactor::new(Needles::of(secrets));
        let mut dice = self.world.dice();
        let mut output = said(&mut dice, &format!("{step}.{attempt} "), self.world.slow_line.is_some());
        let says_it = dice.permille(500);
        if says_it {
            witness.told.secrets += 1;
            let at = dice.below(output.len() as u64 + 1) as usize;
            output.splice(at..at, needle::printed(&mut dice));
        }
        let fails = (!self.world.is_calm() && dice.permille(30))
            .then(|| format!("it failed with {}", String::from_utf8_lossy(&needle::printed(&mut dice))));
        let pieces = pieces(&mut dice, output);
        let next_at = Instant::now() + Duration::from_millis(dice.below(700));
        self.running = Some(Running { step, attempt, pieces, redactor, written: Vec::new(), fails, next_at });
    }

    async fn work(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.next_at = Instant::now() + Duration::from_millis(self.world.dice().below(700));
        let Some(piece) = running.pieces.pop() else { return self.end().await };
        let clean = running.redactor.push(&piece);
        let (step, attempt, length) = (running.step, running.attempt, self.write(&clean));
        let command = Some(wire::CommandId { run_id: self.directory.run.to_string(), step, attempt });
        self.say(from_step_host::Body::LogGrew(wire::LogGrew { command, length, finished: false })).await;
    }

    /// How long the spool is now.
    fn write(&mut self, clean: &[u8]) -> u64 {
        let Some(running) = &mut self.running else { return 0 };
        if !clean.is_empty() {
            let spool = self.directory.spool(running.step, running.attempt);
            std::fs::create_dir_all(spool.parent().unwrap()).unwrap();
            let mut file = std::fs::File::options().create(true).append(true).open(spool).unwrap();
            file.write_all(clean).unwrap();
        }
        running.written.extend_from_slice(clean);
        running.written.len() as u64
    }

    async fn end(&mut self) {
        let rest = self.running.as_mut().map(|running| running.redactor.finish()).unwrap_or_default();
        self.write(&rest);
        let Some(running) = self.running.take() else { return };
        let (step, attempt) = (running.step, running.attempt);
        let exited = StepExited {
            step,
            attempt,
            log_length: running.written.len() as u64,
            log_sha256: Sha256::digest(&running.written).to_vec(),
            ..StepExited::default()
        };
        let exited = match &running.fails {
            None => StepExited {
                outcome: wire::StepOutcome::Succeeded.into(),
                result_json: serde_json::to_string(&StepResult::Done {}).unwrap(),
                ..exited
            },
            Some(why) => StepExited {
                outcome: wire::StepOutcome::Failed.into(),
                error_code: "EXIT".to_owned(),
                error_message: running.redactor.text(why),
                ..exited
            },
        };
        {
            let mut witness = self.world.witness();
            assert!(!needle::is_in(&running.written), "I5: {step}.{attempt}: the secret is in the spool");
            match running.fails {
                None => witness.worked(self.directory.run, (step, attempt), running.written),
                Some(_) => witness.ended(self.directory.run, (step, attempt)),
            }
        }
        self.attempts.end(&exited).unwrap();
        self.say(from_step_host::Body::Exited(exited)).await;
    }

    async fn say(&mut self, body: from_step_host::Body) {
        if let Some((_, writer)) = &mut self.executor
            && local::send(writer, &FromStepHost { body: Some(body) }).await.is_err()
        {
            self.executor = None;
        }
    }
}

/// Nothing, a little, or a lot.
fn said(dice: &mut Dice, word: &str, floods: bool) -> Vec<u8> {
    let size = match dice.below(10) {
        0 => dice.below(200_000),
        1 | 2 => 0,
        _ => dice.below(3000),
    };
    let size = if floods && dice.permille(250) { 200_000 + dice.below(400_000) } else { size };
    word.bytes().cycle().take(size as usize).collect()
}

/// Anywhere in two, or three, or four.
fn pieces(dice: &mut Dice, mut output: Vec<u8>) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = (0..dice.below(4))
        .map(|_| {
            let at = dice.below(output.len() as u64 + 1) as usize;
            output.split_off(at)
        })
        .collect();
    pieces.push(output);
    pieces
}
