//! What all parts of one simulation share: clocks, chance, who is alive, and the witness.
//!
//! Rule: one thread, so locks are never waited for; they are there because the real code wants `Send`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hydron_agent::root::Root;
use hydron_coordinator::app::AppState;
use hydron_proto::ids::RunId;
use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

use crate::dice::Dice;
use crate::sweep::Fate;
use crate::template::Template;
use crate::witness::Witness;

/// When simulations begin, milliseconds since 1970.
pub(crate) const BEGIN_MS: i64 = 1_800_000_000_000;

/// A process that can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    A,
    B,
    Agent,
}

impl Node {
    pub(crate) const ALL: [Self; 3] = [Self::A, Self::B, Self::Agent];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::Agent => "agent",
        }
    }
}

/// Whether a process lives, and how many more of its durable acts it survives.
#[derive(Debug)]
struct Life {
    left: AtomicI64,
    dead: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) template: Template,
    /// Of this simulation alone.
    pub(crate) data: PathBuf,
    pub(crate) root: Root,
    pub(crate) witness: Mutex<Witness>,
    pub(crate) apps: Mutex<[Option<AppState>; 2]>,
    /// Step hosts that shall start, and those that run.
    pub(crate) launches: Mutex<Vec<RunId>>,
    pub(crate) hosts: Mutex<BTreeMap<RunId, AbortHandle>>,
    /// Faults are over: everything may come to its end.
    pub(crate) calm: AtomicBool,
    /// The one thing that goes wrong, in a story of the sweep; and whether it has.
    pub(crate) fate: Option<Fate>,
    pub(crate) fulfilled: AtomicBool,
    /// Bytes a second that the agent's line takes, and steps say a lot.
    pub(crate) slow_line: Option<u64>,
    dice: Mutex<Dice>,
    now: AtomicI64,
    jumps: [AtomicI64; 3],
    lives: [Life; 3],
    runtimes: Mutex<HashMap<Id, Node>>,
}

impl World {
    pub(crate) fn new(template: &Template, directory: &Path, mut dice: Dice, fate: Option<Fate>) -> Self {
        let life = || Life { left: AtomicI64::new(-1), dead: AtomicBool::new(false) };
        Self {
            template: template.clone(),
            data: directory.join("data"),
            root: Root::new(directory.join("agent")),
            witness: Mutex::default(),
            apps: Mutex::default(),
            launches: Mutex::default(),
            hosts: Mutex::default(),
            calm: AtomicBool::new(fate.is_some()),
            fate,
            fulfilled: AtomicBool::new(false),
            slow_line: (fate.is_none() && dice.permille(150)).then(|| 48 * 1024 + dice.below(80 * 1024)),
            dice: Mutex::new(dice),
            now: AtomicI64::new(0),
            jumps: Default::default(),
            lives: [life(), life(), life()],
            runtimes: Mutex::default(),
        }
    }

    pub(crate) fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap()
    }

    pub(crate) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap()
    }

    /// Milliseconds since the beginning.
    pub(crate) fn elapsed(&self) -> i64 {
        self.now.load(SeqCst)
    }

    pub(crate) fn tick(&self, elapsed: i64) {
        self.now.store(elapsed, SeqCst);
    }

    /// What a process's clock shows.
    pub(crate) fn clock(&self, node: Node) -> i64 {
        BEGIN_MS + self.elapsed() + self.jumps[node as usize].load(SeqCst)
    }

    pub(crate) fn jump(&self, node: Node, ms: i64) {
        self.jumps[node as usize].store(ms, SeqCst);
    }

    /// The process of this runtime begins.
    pub(crate) fn enter(&self, node: Node) {
        self.runtimes.lock().unwrap().insert(Handle::current().id(), node);
        let acts = match self.fate {
            Some(Fate::Death { acts, .. }) if node == Node::Agent && self.is_unfulfilled() => {
                self.fulfill();
                acts
            }
            Some(Fate::Death { .. } | Fate::Cut { .. }) | None => -1,
        };
        self.lives[node as usize].left.store(acts, SeqCst);
        self.lives[node as usize].dead.store(false, SeqCst);
    }

    /// The process dies after so many more durable acts.
    pub(crate) fn doom(&self, node: Node, acts: i64) {
        self.lives[node as usize].left.store(acts, SeqCst);
    }

    /// The process does a durable thing: is it dead before it does?
    pub(crate) fn dies(&self, node: Node) -> bool {
        let life = &self.lives[node as usize];
        match life.left.load(SeqCst) {
            -1 => {}
            0 => life.dead.store(true, SeqCst),
            left => life.left.store(left - 1, SeqCst),
        }
        self.is_dead(node)
    }

    pub(crate) fn is_dead(&self, node: Node) -> bool {
        self.lives[node as usize].dead.load(SeqCst)
    }

    /// Which process runs right now.
    pub(crate) fn current(&self) -> Option<Node> {
        let id = Handle::try_current().ok()?.id();
        self.runtimes.lock().unwrap().get(&id).copied()
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(SeqCst)
    }

    pub(crate) fn is_unfulfilled(&self) -> bool {
        !self.fulfilled.load(SeqCst)
    }

    /// The fate of this story was given to somebody.
    pub(crate) fn fulfill(&self) {
        self.fulfilled.store(true, SeqCst);
    }

    pub(crate) fn kill_host(&self, run: RunId) {
        if let Some(host) = self.hosts.lock().unwrap().remove(&run) {
            host.abort();
        }
        self.witness().host_gone(run);
    }
}

thread_local! {
    static WORLD: std::cell::RefCell<Option<Arc<World>>> = const { std::cell::RefCell::new(None) };
}

/// The world for code that takes functions without a world.
pub(crate) fn set(world: Option<Arc<World>>) {
    WORLD.with(|known| *known.borrow_mut() = world);
}

pub(crate) fn get() -> Arc<World> {
    WORLD.with(|known| known.borrow().clone()).expect("a simulation goes on")
}

/// The last frames of the story that failed on this thread.
pub(crate) fn print_history() {
    let world = WORLD.with(|known| known.borrow().clone());
    if let Some(world) = world {
        world.witness.lock().unwrap_or_else(PoisonError::into_inner).history.print();
    }
}
