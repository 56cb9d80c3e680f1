//! An agent that only reports: it takes a plan and a permit as an agent does, and then tells all of its journal as fast as
//! the link takes it.
//!
//! Rule: entries are those of a real journal, in its order; it is done when the last one is acknowledged.

use hydron_proto::plan::StepResult;
use hydron_proto::wire::{self, event, frame::Body};
use sha2::{Digest as _, Sha256};

use crate::sim_agent::{LinkEnd, RawLink, SimAgent};

/// A connected agent that holds a permit.
pub(in crate::bench) struct Producer {
    link: RawLink,
    permit: wire::Permit,
    seq: u64,
}

impl Producer {
    /// Connects, accepts the plan that comes, and waits for its permit.
    pub(in crate::bench) async fn connect(agent: &SimAgent) -> anyhow::Result<Self> {
        let mut link = agent.connect_raw().await?.welcomed().await?;
        let mut seq = 0;
        let mut run = String::new();
        loop {
            match link.next().await? {
                (_, Body::StreamOpen(open)) => {
                    if let Some(wire::stream_open::Kind::Envelope(envelope)) = open.kind {
                        run = envelope.run_id;
                    }
                }
                (stream, Body::StreamData(data)) => {
                    let bytes = u32::try_from(data.data.len())?;
                    link.send(stream, Body::WindowUpdate(wire::WindowUpdate { bytes })).await?;
                }
                (_, Body::StreamClose(_)) => {
                    seq += 1;
                    let accepted = event::Body::EnvelopeAccepted(wire::EnvelopeAccepted { digest: vec![] });
                    link.send(0, entry(&run, seq, accepted)).await?;
                }
                (_, Body::Permit(permit)) => return Ok(Self { link, permit, seq }),
                _other_frames => {}
            }
        }
    }

    /// Tells the rest of the journal; how many entries that were.
    pub(in crate::bench) async fn report(mut self) -> anyhow::Result<usize> {
        let run = self.permit.run_id.clone();
        let first = self.seq;
        for body in journal(&self.permit)? {
            self.seq += 1;
            self.link.send(0, entry(&run, self.seq, body)).await?;
        }
        loop {
            match self.link.next().await? {
                (_, Body::EventAck(ack)) if ack.run_id == run && ack.seq >= self.seq => break,
                (_, Body::Ping(ping)) => self.pong(ping.nonce).await?,
                _other_frames => {}
            }
        }
        Ok(usize::try_from(self.seq - first)?)
    }

    async fn pong(&mut self, nonce: u64) -> Result<(), LinkEnd> {
        self.link.send(0, Body::Pong(wire::Pong { nonce })).await
    }
}

/// A permit's entries, from its acceptance to the end of its range.
fn journal(permit: &wire::Permit) -> anyhow::Result<Vec<event::Body>> {
    let attempt = permit.attempt;
    let accepted = wire::PermitAccepted {
        first_step: permit.first_step,
        last_step: permit.last_step,
        attempt,
        epoch: permit.epoch,
    };
    let mut entries = vec![event::Body::PermitAccepted(accepted)];
    let result_json = serde_json::to_string(&StepResult::Done {})?;
    for step in permit.first_step..=permit.last_step {
        entries.push(event::Body::StepStarting(wire::StepStarting { step, attempt }));
        entries.push(event::Body::StepExited(wire::StepExited {
            step,
            attempt,
            outcome: wire::StepOutcome::Succeeded.into(),
            exit_code: Some(0),
            log_sha256: Sha256::digest([]).to_vec(),
            result_json: result_json.clone(),
            ..wire::StepExited::default()
        }));
    }
    let next_step = permit.last_step + 1;
    let ended = wire::RangeEnded { next_step, end: wire::RangeEnd::Completed.into() };
    entries.push(event::Body::RangeEnded(ended));
    Ok(entries)
}

fn entry(run: &str, seq: u64, body: event::Body) -> Body {
    let at_unix_ms =
        i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis()).unwrap_or(0);
    Body::Event(wire::Event { run_id: run.to_owned(), seq, at_unix_ms, body: Some(body) })
}
