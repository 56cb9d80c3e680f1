//! What an executor reaches for beside its own files: step hosts, the engine, the proxy.
//!
//! Rule: nothing is decided here. There is one machine, and whatever a simulation puts in its place.
//! Neighbours: `host::launch`, `facts`, `edge_task`.

use std::fmt;
use std::io;

use futures_util::future::BoxFuture;
use hydron_proto::wire;
use tokio_util::task::AbortOnDropHandle;

use super::{edge_task, facts};
use crate::clock::Clock;
use crate::config::{AgentConfig, StepConfig};
use crate::host::launch;
use crate::root::Root;
use crate::run_dir::RunDir;

/// The machine below an executor.
pub trait Machine: Send + Sync + fmt::Debug {
    /// Starts the step host of a run. It answers on its socket a little later.
    fn start_host<'a>(&'a self, root: &'a Root, directory: &'a RunDir) -> BoxFuture<'a, io::Result<()>>;
    /// Ends what a dead host of a run left behind; done when nothing is left.
    fn end_orphans<'a>(&'a self, directory: &'a RunDir) -> BoxFuture<'a, ()>;
    /// Looks at this server.
    fn look<'a>(&'a self, root: &'a Root, config: &'a AgentConfig) -> BoxFuture<'a, wire::Facts>;
    /// Keeps the public side up as long as the handle is there.
    fn keep_edge(&self, root: Root, config: StepConfig, clock: Clock) -> Option<AbortOnDropHandle<()>>;
}

/// This machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn start_host<'a>(&'a self, root: &'a Root, directory: &'a RunDir) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(launch::start(root, directory))
    }

    fn end_orphans<'a>(&'a self, directory: &'a RunDir) -> BoxFuture<'a, ()> {
        Box::pin(launch::end_orphans(directory))
    }

    fn look<'a>(&'a self, root: &'a Root, config: &'a AgentConfig) -> BoxFuture<'a, wire::Facts> {
        Box::pin(facts::look(root, config))
    }

    fn keep_edge(&self, root: Root, config: StepConfig, clock: Clock) -> Option<AbortOnDropHandle<()>> {
        Some(edge_task::start(root, config, clock))
    }
}
