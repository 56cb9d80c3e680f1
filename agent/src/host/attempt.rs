//! One attempt of one step, from its first look to its exit record's content.
//!
//! Rule: it ends in exactly one of four outcomes, and no process of it is left when it has ended.
//! Neighbours: `steps` (what is done), `spool` (what it says), `spawner` (its processes).

use std::sync::Arc;
use std::time::{Duration, Instant};

use hydron_proto::ids::RunId;
use hydron_proto::plan::{InterruptPolicy, PlanDocument, Step, StepResult, Undo};
use hydron_proto::wire::{self, StepExited, StepOutcome};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::memory::Kills;
use super::spawner::Spawner;
use super::spool::Spool;
use crate::config::StepConfig;
use crate::redact::Redactor;
use crate::root::Root;
use crate::step_context::{Check, DoingSender, LogWriter, Secrets, StepContext, StepFailure};
use crate::steps::{self, Applied};

/// Time between TERM and KILL, when nobody says otherwise.
const GRACE: Duration = Duration::from_secs(10);
/// Most of an error message that is passed on, bytes: its beginning says what failed, its end the last words of a program.
const MESSAGE_HEAD: usize = 2 * 1024;
const MESSAGE_TAIL: usize = 6 * 1024;
/// Most of an inventory that is passed on, bytes.
const INVENTORY: usize = 24 * 1024;
/// A guarded step reverts itself when nobody confirms it in time.
const CONFIRM: Duration = Duration::from_mins(1);

/// Everything one attempt owns.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Paths.
    pub root: Root,
    /// Ports, sockets, allowances.
    pub config: StepConfig,
    /// The verified plan.
    pub plan: Arc<PlanDocument>,
    /// The run.
    pub run: RunId,
    /// Which step.
    pub step: u32,
    /// Which attempt.
    pub number: u32,
    /// Its secrets in clear.
    pub secrets: Secrets,
    /// Takes secrets out of messages.
    pub redactor: Redactor,
    /// Its output.
    pub spool: Arc<Spool>,
    /// What it is doing.
    pub doing: watch::Sender<String>,
    /// Its processes.
    pub spawner: Arc<Spawner>,
    /// Asked from outside.
    pub control: Control,
}

/// How an attempt is spoken to while it runs.
#[derive(Debug, Clone)]
pub(super) struct Control {
    /// Fires once; the value is the time between TERM and KILL.
    pub cancel: watch::Sender<Option<Duration>>,
    /// A guarded step may stay.
    pub confirmed: CancellationToken,
}

impl Default for Control {
    fn default() -> Self {
        Self { cancel: watch::Sender::new(None), confirmed: CancellationToken::new() }
    }
}

/// How the step's own code ended.
enum End {
    Done(Applied),
    Failed(StepFailure),
    TimedOut,
    Cancelled,
}

impl Attempt {
    /// Runs it to its end.
    pub(super) async fn run(self) -> StepExited {
        let began = Instant::now();
        let end = match self.plan.steps.get(usize::try_from(self.step).unwrap_or(usize::MAX)) {
            None => End::Failed(StepFailure::new("NO_SUCH_STEP", "the plan has no such step")),
            Some(step) => self.run_in(step, &self.spawner).await,
        };
        self.exited(end, began.elapsed())
    }

    async fn run_in(&self, step: &Step, spawner: &Spawner) -> End {
        let token = CancellationToken::new();
        let context = StepContext {
            root: &self.root,
            plan: &self.plan,
            step_index: self.step,
            attempt: self.number,
            run: self.run,
            secrets: &self.secrets,
            log: LogWriter::new(self.spool.clone()),
            doing: DoingSender::new(self.doing.clone()),
            cgroup: spawner,
            cancel: token.clone(),
            config: &self.config,
        };
        let kills = Kills::here().and_then(|kills| Some((kills.count()?, kills)));
        let end = self.apply(step, &context, spawner).await;
        let end = match (end, kills) {
            (End::Failed(failure), Some((before, kills))) if kills.count() > Some(before) => {
                End::Failed(out_of_memory(failure))
            }
            (end, _) => end,
        };
        spawner.end().await;
        let undoes = (step.undo == Undo::Own || step.guarded) && !matches!(end, End::Done(..));
        if undoes {
            self.undo(step, &context, spawner).await;
        }
        end
    }

    async fn apply(&self, step: &Step, context: &StepContext<'_>, spawner: &Spawner) -> End {
        let mut cancel = self.control.cancel.subscribe();
        let timeout = Duration::from_secs(u64::from(step.timeout_s.max(1)));
        let work = self.work(step, context);
        tokio::pin!(work);
        let (early, grace) = tokio::select! {
            end = &mut work => return end,
            () = tokio::time::sleep(timeout) => (End::TimedOut, GRACE),
            grace = cancel.wait_for(Option::is_some) => {
                (End::Cancelled, grace.ok().and_then(|grace| *grace).unwrap_or(GRACE))
            }
        };
        context.cancel.cancel();
        spawner.terminate();
        let wound_up = async {
            let _ = (&mut work).await;
            while !spawner.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(grace, wound_up).await;
        early
    }

    async fn work(&self, step: &Step, context: &StepContext<'_>) -> End {
        if self.number > 1 && step.on_interrupt == InterruptPolicy::CheckThenRerun {
            match steps::check(step, context).await {
                Ok(Check::AlreadyDone(result)) => return End::Done(Applied { result, already_done: true }),
                Ok(Check::Needed) => {}
                Err(failure) => return End::Failed(failure),
            }
        }
        match steps::apply(step, context).await {
            Ok(applied) if !step.guarded => End::Done(applied),
            Ok(applied) => self.await_confirmation(context, applied).await,
            Err(failure) => End::Failed(failure),
        }
    }

    /// A step that can cut us off is taken back unless somebody says over a new connection that it did not.
    async fn await_confirmation(&self, context: &StepContext<'_>, applied: Applied) -> End {
        context.doing.set("Waiting for the coordinator to confirm that it still reaches this server");
        match tokio::time::timeout(CONFIRM, self.control.confirmed.cancelled()).await {
            Ok(()) => End::Done(applied),
            Err(_) => End::Failed(StepFailure::new(
                "NOT_CONFIRMED",
                "nobody confirmed the change within 60 s, so it is taken back",
            )),
        }
    }

    async fn undo(&self, step: &Step, context: &StepContext<'_>, spawner: &Spawner) {
        context.log.line("Taking back what this step made").await;
        let timeout = Duration::from_secs(u64::from(step.timeout_s.max(1)));
        let undone = tokio::time::timeout(timeout, steps::undo(step, context)).await;
        match undone {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                context.log.line(&format!("It could not be taken back: {}", failure.message)).await;
            }
            Err(_) => context.log.line("It could not be taken back in time").await,
        }
        spawner.end().await;
    }

    fn exited(&self, end: End, took: Duration) -> StepExited {
        let finished = self.spool.finish();
        let exited = StepExited {
            step: self.step,
            attempt: self.number,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            log_length: finished.length,
            log_sha256: finished.sha256.to_vec(),
            ..StepExited::default()
        };
        match end {
            End::Done(applied) => StepExited {
                outcome: StepOutcome::Succeeded.into(),
                result_json: serde_json::to_string(&fitting(applied.result)).unwrap_or_default(),
                already_done: applied.already_done,
                ..exited
            },
            End::Failed(failure) => self.failed(&failure, exited),
            End::TimedOut => StepExited {
                outcome: StepOutcome::TimedOut.into(),
                error_code: "TIMED_OUT".to_owned(),
                error_message: "the step did not end in time and was ended".to_owned(),
                ..exited
            },
            End::Cancelled => StepExited {
                outcome: StepOutcome::Cancelled.into(),
                error_code: "CANCELLED".to_owned(),
                error_message: "the step was cancelled".to_owned(),
                ..exited
            },
        }
    }

    fn failed(&self, failure: &StepFailure, exited: wire::StepExited) -> StepExited {
        StepExited {
            outcome: StepOutcome::Failed.into(),
            error_code: failure.code.to_owned(),
            error_message: shortened(self.redactor.text(&failure.message)),
            exit_code: failure.exit_code,
            signal: failure.signal,
            out_of_memory: failure.oom,
            ..exited
        }
    }
}

/// A process of the step was ended by the kernel meanwhile: an exit code of 137 alone would tell nobody why.
fn out_of_memory(failure: StepFailure) -> StepFailure {
    if failure.exit_code.is_none() && failure.signal.is_none() {
        return failure;
    }
    let why = "the kernel ended a process because memory ran out; give it more memory, or let it use less";
    StepFailure { message: format!("{}: {why}", failure.message), oom: true, ..failure }
}

/// A message that fits a frame of the link, whatever a program wrote into it. All of it is in the log.
fn shortened(message: String) -> String {
    let Some(left_out) = message.len().checked_sub(MESSAGE_HEAD + MESSAGE_TAIL).filter(|left| *left > 0)
    else {
        return message;
    };
    let head = message.floor_char_boundary(MESSAGE_HEAD);
    let tail = message.ceil_char_boundary(message.len() - MESSAGE_TAIL);
    let (head, tail) = (message.get(..head).unwrap_or_default(), message.get(tail..).unwrap_or_default());
    format!("{head}\n[hydron: {left_out} bytes left out here; the log has them]\n{tail}")
}

/// A result that fits a frame of the link: only an inventory grows with what the server holds.
fn fitting(result: StepResult) -> StepResult {
    let StepResult::Inventory { mut items } = result else { return result };
    let mut room = INVENTORY;
    let mut fits = |item: &String| {
        let left = room.checked_sub(item.len() + 4);
        room = left.unwrap_or(0);
        left.is_some()
    };
    let kept = items.iter().map_while(|item| fits(item).then_some(())).count();
    let left_out = items.len() - kept;
    if left_out > 0 {
        items.truncate(kept);
        items.push(format!("{left_out} more are not listed"));
    }
    StepResult::Inventory { items }
}

#[cfg(test)]
mod tests {
    use hydron_proto::ids::{ProjectId, ServerId, TeamId};
    use hydron_proto::plan::{PlanKind, RepairBounds};

    use super::*;
    use crate::redact::Needles;

    #[test]
    fn a_message_of_any_length_and_script_keeps_its_beginning_and_its_end() {
        for filler in ["x", "ä", "\u{FFFD}", "🦀"] {
            for pad in 0..4 {
                let long = format!("{}begin{}end", "y".repeat(pad), filler.repeat(40_000));
                let short = shortened(long.clone());
                assert!(short.len() < MESSAGE_HEAD + MESSAGE_TAIL + 100, "{}", short.len());
                assert!(short[pad..].starts_with("begin") && short.ends_with("end"));
                assert!(short.contains("bytes left out here"));
            }
        }
        assert_eq!(shortened("short".to_owned()), "short");
    }

    #[test]
    fn an_inventory_of_thousands_says_how_many_it_leaves_out() {
        let items: Vec<String> = (0..5000).map(|n| format!("container {n} running")).collect();
        let StepResult::Inventory { items: kept } = fitting(StepResult::Inventory { items: items.clone() })
        else {
            panic!("another kind")
        };
        assert!(kept.iter().map(String::len).sum::<usize>() < INVENTORY);
        assert_eq!(kept.last().unwrap(), &format!("{} more are not listed", items.len() - kept.len() + 1));
        let few = StepResult::Inventory { items: items[..3].to_vec() };
        assert_eq!(fitting(few.clone()), few);
    }

    /// The last lines of a container that failed stand in the message, and an app may print its password before it ends.
    #[test]
    fn the_words_of_a_failure_are_told_without_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let redactor = Redactor::new(Needles::of([&b"canary-4711"[..]]));
        let plan = PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: TeamId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            server: ServerId::new(1, [1; 10]),
            steps: Vec::new(),
            mandates: Vec::new(),
            repair: RepairBounds { per_step: 0, per_run: 0 },
        };
        let attempt = Attempt {
            root: Root::new(directory.path()),
            config: StepConfig::default(),
            plan: Arc::new(plan),
            run: RunId::new(1, [1; 10]),
            step: 0,
            number: 1,
            secrets: Secrets::new(),
            spool: Arc::new(Spool::new(directory.path().join("spool"), redactor.fresh(), directory.path())),
            redactor,
            doing: watch::Sender::new(String::new()),
            spawner: Arc::new(Spawner::new(None).unwrap()),
            control: Control::default(),
        };
        let failure = StepFailure::new("UNHEALTHY", "it ended; its last lines:\ndb://app:canary-4711@db");
        let exited = attempt.exited(End::Failed(failure), Duration::ZERO);
        assert_eq!(exited.error_message, "it ended; its last lines:\ndb://app:[redacted]@db");
    }
}
