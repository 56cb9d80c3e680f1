//! The step host: one process a run, which outlives executor and link and runs the run's steps one after the other.
//!
//! Rule: it starts only what the executor tells it, only if the plan on disk has the digest it was told, and an attempt
//! at most once; how it ended is written down before anybody hears of it. Neighbours: `exec` (speaks to it), `attempt`.

mod attempt;
mod cgroup;
pub mod launch;
mod memory;
pub(crate) mod spawner;
mod spool;

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hydron_proto::envelope::PlanDigest;
use hydron_proto::plan::{PlanDocument, SecretRef};
use hydron_proto::wire::{self, FromStepHost, StepExited, ToStepHost, from_step_host, to_step_host};
use nix::fcntl::{Flock, FlockArg};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use self::attempt::{Attempt, Control};
use self::cgroup::Cgroup;
use self::spawner::Spawner;
use self::spool::Spool;
use crate::attempts::Attempts;
use crate::config::AgentConfig;
use crate::local::{self, Incoming};
use crate::redact::{Needles, Redactor};
use crate::root::Root;
use crate::run_dir::RunDir;
use crate::step_context::Secrets;

/// A host that has nothing to do and nobody to tell goes after this time.
const ALONE: Duration = Duration::from_mins(15);
/// News of a growing spool are at most this frequent; what a step is doing is told of steps that last longer.
const NEWS: Duration = Duration::from_millis(50);

/// Runs a step host until its run is over.
pub async fn run(root: Root, config: AgentConfig, directory: RunDir) -> io::Result<()> {
    // Already leading a session (a transient unit) is just as well.
    let _ = nix::unistd::setsid();
    let Some(_lock) = lock(&directory)? else { return Ok(()) };
    let cgroup = own_group(&directory);
    // Moving takes a while: done before a step waits for it. What is wrong is said by the step that cannot start.
    let spawner = Spawner::new(cgroup.as_ref()).ok().map(Arc::new);
    let attempts = Attempts::open(&directory.attempts_log())?;
    let listener = local::listen(&directory.host_socket(), 0o600)?;
    let mut host = Host {
        root,
        config,
        directory,
        cgroup,
        spawner,
        executor: None,
        running: None,
        plan: None,
        attempts,
    };
    host.serve(&listener).await
}

struct Host {
    root: Root,
    config: AgentConfig,
    directory: RunDir,
    cgroup: Option<Cgroup>,
    spawner: Option<Arc<Spawner>>,
    executor: Option<Executor>,
    running: Option<Running>,
    /// The plan of the digest that was told last.
    plan: Option<(PlanDigest, Arc<PlanDocument>)>,
    attempts: Attempts,
}

struct Executor {
    incoming: Incoming<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

struct Running {
    step: u32,
    attempt: u32,
    work: Pin<Box<dyn Future<Output = StepExited>>>,
    control: Control,
    grown: watch::Receiver<u64>,
    doing: watch::Receiver<String>,
    news_after: Instant,
    doing_after: Instant,
}

enum Turn {
    Attached(UnixStream),
    Message(Option<to_step_host::Body>),
    Running(News),
    Alone,
}

enum News {
    Exited(StepExited),
    Grew,
    Doing,
}

impl Host {
    async fn serve(&mut self, listener: &UnixListener) -> io::Result<()> {
        let mut alone_since = Instant::now();
        loop {
            if self.executor.is_some() || self.running.is_some() {
                alone_since = Instant::now();
            }
            let turn = tokio::select! {
                accepted = listener.accept() => Turn::Attached(accepted?.0),
                message = heard(&mut self.executor) => Turn::Message(message),
                news = self.running.as_mut().map_or_else(never, Running::news) => Turn::Running(news),
                () = sleep_until(alone_since + ALONE), if self.executor.is_none() && self.running.is_none() => Turn::Alone,
            };
            match turn {
                Turn::Attached(stream) => self.attach(stream),
                Turn::Message(None) => self.executor = None,
                Turn::Message(Some(to_step_host::Body::Finish(_))) if self.running.is_none() => return Ok(()),
                Turn::Message(Some(message)) => self.hear(message).await?,
                Turn::Running(news) => self.tell(news).await?,
                Turn::Alone => return Ok(()),
            }
        }
    }

    /// Only processes of the same user may speak; the newest connection is the executor's.
    fn attach(&mut self, stream: UnixStream) {
        let own = nix::unistd::geteuid().as_raw();
        if stream.peer_cred().is_ok_and(|peer| peer.uid() == own) {
            let (read, writer) = stream.into_split();
            self.executor = Some(Executor { incoming: Incoming::new(read), writer });
        }
    }

    async fn hear(&mut self, message: to_step_host::Body) -> io::Result<()> {
        match message {
            to_step_host::Body::Query(_) => {
                let running = self.running.as_ref();
                let status = wire::HostStatus {
                    step: running.map(|running| running.step),
                    attempt: running.map_or(0, |running| running.attempt),
                };
                self.say(from_step_host::Body::Status(status)).await;
            }
            to_step_host::Body::Start(start) => {
                if let Some(exited) = self.start(start)? {
                    self.attempts.end(&exited)?;
                    self.say(from_step_host::Body::Exited(exited)).await;
                }
            }
            to_step_host::Body::Cancel(cancel) => {
                if let Some(running) = self.running_step(cancel.step, cancel.attempt) {
                    let grace = Duration::from_millis(u64::from(cancel.grace_ms));
                    running.control.cancel.send_replace(Some(grace));
                }
            }
            to_step_host::Body::Confirm(confirm) => {
                if let Some(running) = self.running_step(confirm.step, confirm.attempt) {
                    running.control.confirmed.cancel();
                }
            }
            // While a step runs the run is not over.
            to_step_host::Body::Finish(_) => {}
        }
        Ok(())
    }

    /// Starts an attempt; or says why it cannot be started. An attempt that was started before is left alone.
    fn start(&mut self, start: wire::StartStep) -> io::Result<Option<StepExited>> {
        let (step, attempt) = (start.step, start.attempt);
        if !self.attempts.begin(step, attempt)? {
            return Ok(None);
        }
        let refused = |code: &str, message: &str| StepExited {
            step,
            attempt,
            outcome: wire::StepOutcome::Failed.into(),
            error_code: code.to_owned(),
            error_message: message.to_owned(),
            ..StepExited::default()
        };
        if self.running.is_some() {
            return Ok(Some(refused("HOST_BUSY", "another step of this run is still running")));
        }
        let Some(plan) = self.plan(&start.plan_digest)? else {
            return Ok(Some(refused("PLAN_CHANGED", "the plan on disk is not the one that was verified")));
        };
        let spawner = match self.spawner() {
            Ok(spawner) => spawner,
            Err(error) => return Ok(Some(refused("CGROUP", &format!("no control group: {error}")))),
        };
        let Some(secrets) = clear_secrets(start.secrets) else {
            return Ok(Some(refused("SECRET", "a secret has a malformed name")));
        };
        let redactor = Redactor::new(Needles::of(secrets.values().map(|value| value.as_slice())));
        let spool =
            Arc::new(Spool::new(self.directory.spool(step, attempt), redactor.fresh(), &self.root.runs()));
        let doing = watch::Sender::new(String::new());
        let control = Control::default();
        let (grown, heard_doing) = (spool.grown(), doing.subscribe());
        let work = Attempt {
            root: self.root.clone(),
            config: self.config.steps.clone(),
            plan,
            run: self.directory.run,
            step,
            number: attempt,
            secrets,
            redactor,
            spool,
            doing,
            spawner,
            control: control.clone(),
        };
        self.running = Some(Running {
            step,
            attempt,
            work: Box::pin(work.run()),
            control,
            grown,
            doing: heard_doing,
            news_after: Instant::now(),
            doing_after: Instant::now() + NEWS,
        });
        Ok(None)
    }

    fn spawner(&mut self) -> io::Result<Arc<Spawner>> {
        let spawner = match self.spawner.take() {
            Some(spawner) => spawner,
            None => Arc::new(Spawner::new(self.cgroup.as_ref())?),
        };
        Ok(self.spawner.insert(spawner).clone())
    }

    /// The plan on disk, if it is the one that the executor verified; what was read once is not read again.
    fn plan(&mut self, digest: &[u8]) -> io::Result<Option<Arc<PlanDocument>>> {
        if let Some((known, plan)) = &self.plan
            && known.0 == digest
        {
            return Ok(Some(plan.clone()));
        }
        let bytes = self.directory.plan_bytes()?;
        let found = PlanDigest::of(&bytes);
        if found.0 != digest {
            return Ok(None);
        }
        let Ok(plan) = PlanDocument::from_bytes(&bytes) else { return Ok(None) };
        let plan = Arc::new(plan);
        self.plan = Some((found, plan.clone()));
        Ok(Some(plan))
    }

    async fn tell(&mut self, news: News) -> io::Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let (step, attempt) = (running.step, running.attempt);
        match news {
            News::Exited(exited) => {
                self.running = None;
                self.attempts.end(&exited)?;
                self.say(from_step_host::Body::Exited(exited)).await;
            }
            News::Grew => {
                running.news_after = Instant::now() + NEWS;
                let length = *running.grown.borrow_and_update();
                let command = Some(wire::CommandId { run_id: self.directory.run.to_string(), step, attempt });
                self.say(from_step_host::Body::LogGrew(wire::LogGrew { command, length, finished: false }))
                    .await;
            }
            News::Doing => {
                let text = running.doing.borrow_and_update().clone();
                self.say(from_step_host::Body::Doing(wire::StepDoing { step, attempt, text })).await;
            }
        }
        Ok(())
    }

    fn running_step(&self, step: u32, attempt: u32) -> Option<&Running> {
        self.running.as_ref().filter(|running| running.step == step && running.attempt == attempt)
    }

    /// Nobody there is no error: what matters is on disk.
    async fn say(&mut self, body: from_step_host::Body) {
        if let Some(executor) = &mut self.executor
            && local::send(&mut executor.writer, &FromStepHost { body: Some(body) }).await.is_err()
        {
            self.executor = None;
        }
    }
}

impl Running {
    fn news(&mut self) -> Pin<Box<dyn Future<Output = News> + '_>> {
        let (news_after, doing_after) = (self.news_after, self.doing_after);
        let (work, grown, doing) = (&mut self.work, &mut self.grown, &mut self.doing);
        Box::pin(async move {
            let grew = async {
                sleep_until(news_after).await;
                if grown.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let said = async {
                sleep_until(doing_after).await;
                if doing.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                exited = work => News::Exited(exited),
                () = said => News::Doing,
                () = grew => News::Grew,
            }
        })
    }
}

fn never<'a>() -> Pin<Box<dyn Future<Output = News> + 'a>> {
    Box::pin(std::future::pending())
}

async fn heard(executor: &mut Option<Executor>) -> Option<to_step_host::Body> {
    match executor {
        Some(executor) => match executor.incoming.next::<ToStepHost>().await {
            Ok(Some(message)) => message.body,
            Ok(None) | Err(_) => None,
        },
        None => std::future::pending().await,
    }
}

fn clear_secrets(secrets: Vec<wire::ClearSecret>) -> Option<Secrets> {
    let parse = |secret: wire::ClearSecret| {
        let name = secret.name.parse().ok()?;
        Some((SecretRef { name, version: secret.version }, Zeroizing::new(secret.value)))
    };
    secrets.into_iter().map(parse).collect::<Option<BTreeMap<_, _>>>()
}

/// Held until the process ends; `None` when another host has it.
fn lock(directory: &RunDir) -> io::Result<Option<Flock<std::fs::File>>> {
    let file =
        std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(directory.host_lock())?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

/// The group in which this host and its steps live, written down for whoever finds the host dead. A transient unit has
/// one already; elsewhere the host makes its own.
fn own_group(directory: &RunDir) -> Option<Cgroup> {
    let own = Cgroup::own()?;
    let name = format!("hydron-{}", directory.run);
    let group = if launch::has_systemd() { own } else { own.child(&name).ok()? };
    let entered = launch::has_systemd() || group.enter().is_ok();
    let noted = std::fs::write(directory.host_cgroup(), group.path().as_os_str().as_encoded_bytes()).is_ok();
    (entered && noted).then_some(group)
}
