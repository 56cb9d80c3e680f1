//! The agent as a process of the simulation: link and executor, with a machine whose step hosts are simulated.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hydron_agent::clock::Clock;
use hydron_agent::config::{AgentConfig, LinkConfig, StepConfig};
use hydron_agent::exec::{self, Machine};
use hydron_agent::fault::Faults;
use hydron_agent::link;
use hydron_agent::root::Root;
use hydron_agent::run_dir::RunDir;
use hydron_proto::wire;
use tokio_util::task::AbortOnDropHandle;

use crate::way::Way;
use crate::world::{self, Node, World};

/// The supervisor's pause.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs until it dies.
pub(crate) async fn run(world: Arc<World>) -> turmoil::Result {
    world.enter(Node::Agent);
    let clock = Clock::from_fn(|| world::get().clock(Node::Agent));
    let executor = async {
        loop {
            let machine = Arc::new(Simulated(world.clone()));
            let never = std::future::pending();
            let root = world.root.clone();
            let running =
                tokio::task::spawn_local(exec::run_on(machine, root, AgentConfig::default(), clock, never));
            let ended = running.await;
            assert!(world.is_dead(Node::Agent), "the executor ended: {ended:?}");
            tokio::time::sleep(AGAIN).await;
        }
    };
    let link = async {
        let link =
            LinkConfig { retry_min_ms: 200, retry_max_ms: 3000, settle_ms: 1000, ..LinkConfig::default() };
        let config = Arc::new(AgentConfig { link, ..AgentConfig::default() });
        loop {
            let (way, root, config) = (Way(world.clone()), world.root.clone(), config.clone());
            let linked = tokio::task::spawn_local(async move {
                let chance = || world::get().dice().below(1 << 20) as f64 / f64::from(1 << 20);
                link::run_over(way, root, &config, (clock, chance), std::future::pending()).await
            });
            let ended = linked.await;
            assert!(world.is_dead(Node::Agent), "the link ended: {ended:?}");
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::join!(executor, link);
    Ok(())
}

#[derive(Debug)]
struct Simulated(Arc<World>);

impl Machine for Simulated {
    fn start_host<'a>(&'a self, _: &'a Root, directory: &'a RunDir) -> BoxFuture<'a, io::Result<()>> {
        self.0.launches.lock().unwrap().push(directory.run);
        Box::pin(async { Ok(()) })
    }

    fn end_orphans<'a>(&'a self, directory: &'a RunDir) -> BoxFuture<'a, ()> {
        self.0.kill_host(directory.run);
        Box::pin(async {})
    }

    fn look<'a>(&'a self, _: &'a Root, _: &'a AgentConfig) -> BoxFuture<'a, wire::Facts> {
        Box::pin(async { wire::Facts { hostname: "simulated".to_owned(), ..wire::Facts::default() } })
    }

    fn keep_edge(&self, _: Root, _: StepConfig, _: Clock) -> Option<AbortOnDropHandle<()>> {
        None
    }
}

/// What a power cut would take, and when it comes.
#[derive(Debug)]
pub(crate) struct Disk {
    world: Arc<World>,
    /// Files with bytes that are not synced: by inode, with the length that is.
    unsynced: Mutex<HashMap<u64, (File, u64)>>,
}

struct Died;

impl Disk {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world, unsynced: Mutex::default() }
    }

    /// How many bytes of this file a power cut would leave, if not all.
    pub(crate) fn synced(&self, inode: u64) -> Option<u64> {
        self.unsynced.lock().unwrap().get(&inode).map(|(_, synced)| *synced)
    }

    /// Takes what was not synced; of a torn write so many bytes stay.
    pub(crate) fn cut_power(&self, torn: u64) {
        for (_, (file, synced)) in self.unsynced.lock().unwrap().drain() {
            let length = file.metadata().unwrap().len();
            file.set_len(length.min(synced + torn)).unwrap();
        }
        // What step hosts note of attempts is never synced.
        for run in &self.world.template.runs {
            let path = RunDir::new(&self.world.root, *run).attempts_log();
            if let Ok(file) = File::options().write(true).open(path) {
                let length = file.metadata().unwrap().len();
                let kept = self.world.dice().below(2 * length + 1);
                file.set_len(kept.min(length)).unwrap();
            }
        }
    }

    /// A process that dies takes nothing with it that it wrote; a later power cut takes what nobody has synced since.
    pub(crate) fn keep(&self) {
        self.unsynced.lock().unwrap().retain(|_, (file, _)| file.metadata().unwrap().nlink() > 0);
    }
}

/// The disk, in the hands of whoever passes a point.
pub(crate) struct Hands(pub(crate) Arc<Disk>);

impl Faults for Hands {
    fn point(&self) {
        if self.0.world.current() == Some(Node::Agent) && self.0.world.dies(Node::Agent) {
            // The task that would have acted ends here; the process, at the end of this tick.
            std::panic::resume_unwind(Box::new(Died));
        }
    }

    fn written(&self, file: &File, before: u64) {
        let inode = file.metadata().unwrap().ino();
        self.0.unsynced.lock().unwrap().entry(inode).or_insert_with(|| (file.try_clone().unwrap(), before));
        self.point();
    }

    fn synced(&self, file: &File) {
        self.0.unsynced.lock().unwrap().remove(&file.metadata().unwrap().ino());
    }
}
