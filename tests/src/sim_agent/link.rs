//! Serves a connection from the executor's journals and spools, as the real link does.

#![expect(clippy::wildcard_enum_match_arm, reason = "what a script does not care about is skipped")]
#![expect(clippy::single_match_else, reason = "the opening of a stream reads better as an arm")]

use std::collections::BTreeMap;
use std::sync::Arc;

use hydron_proto::frame::{MAX_DATA, STREAM_CREDIT, SendCredit};
use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, frame::Body};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::executor::Executor;
use super::raw::{LinkEnd, RawLink};

/// A served connection; cut when dropped.
#[derive(Debug)]
pub struct SimLink {
    cut: DropGuard,
    served: JoinHandle<LinkEnd>,
}

impl SimLink {
    pub(super) fn start(raw: RawLink, executor: Arc<Executor>) -> Self {
        let cut = CancellationToken::new();
        let mut serving = Serving {
            raw,
            executor,
            sent: BTreeMap::new(),
            logs: BTreeMap::new(),
            next_stream: 2,
            incoming: None,
            silenced: Vec::new(),
        };
        if let Some(welcome) = serving.raw.welcome.take() {
            serving.welcome(welcome);
        }
        let token = cut.clone();
        let served = tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => LinkEnd::Cut,
                end = serving.run() => end,
            }
        });
        Self { cut: cut.drop_guard(), served }
    }

    /// Whether the connection is still served.
    pub fn is_up(&self) -> bool {
        !self.served.is_finished()
    }

    /// Cuts the connection without a word.
    pub async fn cut(self) {
        drop(self.cut);
        let _ = self.served.await;
    }

    /// Waits until the coordinator ends the connection.
    pub async fn ended(self) -> LinkEnd {
        self.served.await.unwrap_or(LinkEnd::Cut)
    }
}

struct Serving {
    raw: RawLink,
    executor: Arc<Executor>,
    /// Events sent, by run.
    sent: BTreeMap<RunId, u64>,
    logs: BTreeMap<(RunId, u32, u32), LogOut>,
    next_stream: u32,
    incoming: Option<(u32, Vec<u8>)>,
    /// Runs that the coordinator does not know.
    silenced: Vec<RunId>,
}

struct LogOut {
    stream: Option<u32>,
    offset: u64,
    credit: SendCredit,
    done: bool,
}

impl Serving {
    async fn run(&mut self) -> LinkEnd {
        let executor = self.executor.clone();
        loop {
            let grew = executor.grew.notified();
            tokio::pin!(grew);
            grew.as_mut().enable();
            if self.raw.welcome.is_some()
                && let Err(end) = self.pump().await
            {
                return end;
            }
            let frame = tokio::select! {
                () = &mut grew => continue,
                frame = self.raw.next_ever() => frame,
            };
            let handled = match frame {
                Ok((stream, body)) => self.frame(stream, body).await,
                Err(end) => return end,
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    async fn frame(&mut self, stream: u32, body: Body) -> Result<(), LinkEnd> {
        match body {
            Body::Welcome(welcome) => self.welcome(welcome),
            Body::Ping(ping) => self.raw.send(0, Body::Pong(wire::Pong { nonce: ping.nonce })).await?,
            Body::StreamOpen(_) => self.incoming = Some((stream, Vec::new())),
            Body::StreamData(data) => {
                let size = u32::try_from(data.data.len()).unwrap_or(u32::MAX);
                if let Some((open, bytes)) = &mut self.incoming
                    && *open == stream
                {
                    bytes.extend_from_slice(&data.data);
                }
                self.raw.send(stream, Body::WindowUpdate(wire::WindowUpdate { bytes: size })).await?;
            }
            Body::StreamClose(_) => {
                if let Some((_, bytes)) = self.incoming.take_if(|(open, _)| *open == stream) {
                    self.executor.envelope(&bytes);
                }
                self.logs
                    .values_mut()
                    .filter(|log| log.stream == Some(stream))
                    .for_each(|log| log.stream = None);
            }
            Body::Permit(permit) => self.executor.permit(permit),
            Body::Hold(hold) => self.executor.hold(&hold),
            Body::WindowUpdate(update) => {
                let log = self.logs.values_mut().find(|log| log.stream == Some(stream));
                if let Some(log) = log {
                    log.credit.grant(update.bytes);
                }
            }
            Body::LogAck(ack) => self.acknowledged(&ack),
            Body::GoAway(away) => {
                return Err(LinkEnd::Away { after_ms: away.after_ms, spread_ms: away.spread_ms });
            }
            _other_frames => {}
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: wire::Welcome) {
        for run in welcome.forget.iter().filter_map(|run| run.parse().ok()) {
            self.executor.forget(run);
        }
        let mut known = Vec::new();
        for resume in &welcome.resume {
            let Ok(run) = resume.run_id.parse::<RunId>() else { continue };
            known.push(run);
            self.sent.insert(run, resume.acknowledged_seq);
            for log in &resume.logs {
                let command = log.command.clone().unwrap_or_default();
                let out = LogOut {
                    stream: None,
                    offset: log.length,
                    credit: SendCredit::new(STREAM_CREDIT),
                    done: log.finished,
                };
                self.logs.insert((run, command.step, command.attempt), out);
            }
        }
        self.silenced = self.executor.runs().into_iter().filter(|run| !known.contains(run)).collect();
        self.raw.welcome = Some(welcome);
    }

    /// An offset other than where we are is where to go on.
    fn acknowledged(&mut self, ack: &wire::LogAck) {
        let command = ack.command.clone().unwrap_or_default();
        let Ok(run) = command.run_id.parse() else { return };
        if let Some(log) = self.logs.get_mut(&(run, command.step, command.attempt))
            && log.stream.is_none()
        {
            log.offset = ack.offset;
        }
    }

    async fn pump(&mut self) -> Result<(), LinkEnd> {
        for decision in self.executor.take_decisions() {
            self.raw.send(0, Body::Decision(decision)).await?;
        }
        for event in self.executor.take_doing() {
            self.raw.send(0, Body::Event(event)).await?;
        }
        let runs: Vec<RunId> =
            self.executor.runs().into_iter().filter(|run| !self.silenced.contains(run)).collect();
        for run in &runs {
            let from = self.sent.get(run).copied().unwrap_or(0);
            for event in self.executor.events_after(*run, from) {
                self.sent.insert(*run, event.seq);
                self.raw.send(0, Body::Event(event)).await?;
            }
        }
        for (run, step, attempt, spool) in self.executor.spools() {
            if runs.contains(&run) {
                self.send_log((run, step, attempt), &spool.bytes, spool.finished).await?;
            }
        }
        Ok(())
    }

    async fn send_log(
        &mut self,
        key: (RunId, u32, u32),
        bytes: &[u8],
        finished: bool,
    ) -> Result<(), LinkEnd> {
        let log = self.logs.entry(key).or_insert_with(|| LogOut {
            stream: None,
            offset: 0,
            credit: SendCredit::new(STREAM_CREDIT),
            done: false,
        });
        while !log.done {
            let rest = bytes.get(usize::try_from(log.offset).unwrap_or(usize::MAX)..).unwrap_or_default();
            if rest.is_empty() && !finished {
                return Ok(());
            }
            let stream = match log.stream {
                Some(stream) => stream,
                None => {
                    let stream = self.next_stream;
                    self.next_stream += 2;
                    let command = wire::CommandId { run_id: key.0.to_string(), step: key.1, attempt: key.2 };
                    let open = wire::LogStream { command: Some(command), offset: log.offset };
                    let kind = Some(wire::stream_open::Kind::Log(open));
                    self.raw.send(stream, Body::StreamOpen(wire::StreamOpen { kind })).await?;
                    (log.stream, log.credit) = (Some(stream), SendCredit::new(STREAM_CREDIT));
                    stream
                }
            };
            if rest.is_empty() {
                log.done = true;
                return self.raw.send(stream, Body::StreamClose(wire::StreamClose::default())).await;
            }
            let size = rest.len().min(MAX_DATA).min(log.credit.available());
            if size == 0 || !log.credit.take(size) {
                return Ok(());
            }
            let data = rest.get(..size).unwrap_or_default().to_vec();
            log.offset += size as u64;
            self.raw.send(stream, Body::StreamData(wire::StreamData { data: data.into() })).await?;
        }
        Ok(())
    }
}
