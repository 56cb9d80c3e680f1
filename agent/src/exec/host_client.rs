//! The executor's end of a step host: find it, start it, talk to it.
//!
//! Rule: a host is started only when none answers; the host's own lock makes sure that there is never a second.
//! Neighbours: `host` (the other end), `run_task` (which asks).

use std::io;
use std::time::Duration;

use hydron_proto::wire::{FromStepHost, HostStatus, QueryHost, ToStepHost, from_step_host, to_step_host};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep, timeout};

use super::machine::Machine;
use crate::local::{self, Incoming};
use crate::root::Root;
use crate::run_dir::RunDir;

/// A fresh host must answer within this time.
const START: Duration = Duration::from_secs(15);
/// A host that accepted a connection must answer within this time.
const ANSWER: Duration = Duration::from_secs(5);

/// A live connection to a step host.
#[derive(Debug)]
pub(super) struct HostClient {
    incoming: Incoming<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl HostClient {
    /// Connects to the run's host, if there is one.
    pub(super) async fn attach(directory: &RunDir) -> Option<(Self, HostStatus)> {
        let (read, writer) = local::connect(&directory.host_socket()).ok()?.into_split();
        let mut client = Self { incoming: Incoming::new(read), writer };
        client.send(to_step_host::Body::Query(QueryHost {})).await.ok()?;
        loop {
            let message = timeout(ANSWER, client.next()).await.ok()?;
            if let from_step_host::Body::Status(status) = message? {
                return Some((client, status));
            }
        }
    }

    /// Connects to the run's host; starts one when none answers.
    pub(super) async fn ensure(machine: &dyn Machine, root: &Root, directory: &RunDir) -> io::Result<Self> {
        if let Some((client, _)) = Self::attach(directory).await {
            return Ok(client);
        }
        machine.start_host(root, directory).await?;
        let deadline = Instant::now() + START;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some((client, _)) = Self::attach(directory).await {
                return Ok(client);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the step host does not answer"));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Says something.
    pub(super) async fn send(&mut self, body: to_step_host::Body) -> io::Result<()> {
        local::send(&mut self.writer, &ToStepHost { body: Some(body) }).await
    }

    /// The next message; `None` when the host is gone. May be dropped at any await.
    pub(super) async fn next(&mut self) -> Option<from_step_host::Body> {
        match self.incoming.next::<FromStepHost>().await {
            Ok(Some(message)) => message.body,
            Ok(None) | Err(_) => None,
        }
    }
}
