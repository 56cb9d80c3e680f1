//! The link's end of the executor's socket.
//!
//! Rule: whatever the coordinator sends waits here until the executor takes it; the session never waits for it.
//! Neighbours: `exec/connection` (the other end), `session`.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hydron_proto::wire::{Attach, ExecutorStatus, FromExecutor, ToExecutor, from_executor, to_executor};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::local::{self, Incoming};

/// The executor looks at its engine once before it answers.
const ANSWER: Duration = Duration::from_secs(20);

/// Reads from the executor.
pub(super) type FromExec = Incoming<OwnedReadHalf>;

/// What waits for the executor.
#[derive(Debug, Default)]
pub(super) struct ToExec {
    queue: Mutex<VecDeque<to_executor::Body>>,
    filled: Notify,
}

impl ToExec {
    /// Queues a message.
    pub(super) fn push(&self, body: to_executor::Body) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(body);
        self.filled.notify_one();
    }

    /// Writes messages as they come, until the executor is gone.
    pub(super) async fn write(&self, mut writer: OwnedWriteHalf) -> io::Error {
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                None => self.filled.notified().await,
                Some(body) => {
                    if let Err(error) = local::send(&mut writer, &ToExecutor { body: Some(body) }).await {
                        return error;
                    }
                }
            }
        }
    }
}

/// Asks for the executor's status.
pub(super) fn hello() -> Attach {
    Attach { link_version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// Connects and asks what the executor holds.
pub(super) async fn attach(
    socket: &Path,
) -> io::Result<(FromExec, OwnedWriteHalf, Vec<from_executor::Body>, ExecutorStatus)> {
    let (read, mut writer) = local::connect(socket)?.into_split();
    local::send(&mut writer, &ToExecutor { body: Some(to_executor::Body::Attach(hello())) }).await?;
    let mut incoming = Incoming::new(read);
    let status = timeout(ANSWER, first_status(&mut incoming)).await;
    let (early, status) = status.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok((incoming, writer, early, status))
}

/// Answers to others may come first; they are kept.
async fn first_status(incoming: &mut FromExec) -> io::Result<(Vec<from_executor::Body>, ExecutorStatus)> {
    let mut early = Vec::new();
    loop {
        let message = incoming.next::<FromExecutor>().await?;
        match message.ok_or(io::ErrorKind::UnexpectedEof)?.body {
            Some(from_executor::Body::Status(status)) => return Ok((early, status)),
            Some(other) => early.push(other),
            None => {}
        }
    }
}
