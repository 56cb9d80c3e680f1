//! The output of one step, 39 MB in 5 million lines: from the agent to the coordinator, durable there, and on to a reader;
//! beside ssh over a shared connection, which keeps nothing.
//!
//! Rule: both sides' output is digested by whoever reads it, and the digests must be the one of the same bytes made here.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use hydron_proto::ids::RunId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::Options;
use super::event_stream::EventStream;
use super::peers::{SSHD, Ssh};
use super::product::Product;
use super::report::{Bar, Finding, Measured, Ratio};
use super::samples::Samples;
use crate::approved::shell_step;

const LINES: u32 = 5_000_000;
/// Rounds, unless asked otherwise.
const ROUNDS: usize = 5;
/// field/perf.md, 2a: 50 MB a second, kept and passed on to one reader.
const LEAST_MB_S: f64 = 50.0;
/// For all of the output.
const PATIENCE: Duration = Duration::from_mins(3);

type Digest = [u8; 32];

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let (bytes, digest) = expected();
    let mut product = Product::start(options, "stream", Duration::ZERO).await?;
    let mut waiting = product.waiting(rounds, &[shell_step(&format!("seq 1 {LINES}"))]).await?.into_iter();
    let ssh = Ssh::start(SSHD.port()).await?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..rounds {
        let run = waiting.next().context("fewer runs than rounds")?;
        for turn in 0..2 {
            if (round + turn).is_multiple_of(2) {
                ours.push(through_product(&product, run, &digest).await?.as_secs_f64());
            } else {
                theirs.push(through_ssh(&ssh, &digest).await?.as_secs_f64());
            }
        }
    }
    ssh.stop().await?;
    product.stop()?;
    Ok(findings(bytes, ours, theirs))
}

/// Length and digest of the output, made here.
fn expected() -> (u64, Digest) {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    for thousand in 0..LINES / 1000 {
        let lines = (thousand * 1000 + 1..=thousand * 1000 + 1000).map(|line| format!("{line}\n"));
        let lines = lines.collect::<Vec<_>>().concat();
        bytes += lines.len() as u64;
        hasher.update(lines);
    }
    (bytes, hasher.finalize().into())
}

/// From the request to go on until a reader, who listens already, has all of it.
async fn through_product(product: &Product, run: RunId, digest: &Digest) -> anyhow::Result<Duration> {
    let path = format!("/runs/{run}/logs/stream?step=0&attempt=1");
    let mut events = EventStream::open(product.client(), &path).await?;
    let began = Instant::now();
    product.resume(run).await?;
    let read = async {
        let mut hasher = Sha256::new();
        while let Some(piece) = events.next().await? {
            hasher.update(piece.get("text").and_then(Value::as_str).context("a piece without text")?);
        }
        anyhow::Ok(hasher.finalize())
    };
    let heard = tokio::time::timeout(PATIENCE, read).await.context("the output takes too long")??;
    anyhow::ensure!(heard.as_slice() == digest, "a reader got other bytes than the step wrote");
    Ok(began.elapsed())
}

async fn through_ssh(ssh: &Ssh, digest: &Digest) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut child = ssh.reading(&["seq", "1", &LINES.to_string()])?;
    let mut output = child.stdout.take().context("its output")?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let count = output.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    let status = child.wait().await?;
    anyhow::ensure!(status.success(), "ssh: {status}");
    anyhow::ensure!(hasher.finalize().as_slice() == digest, "ssh gave other bytes than were written");
    Ok(began.elapsed())
}

fn findings(bytes: u64, ours: Samples, theirs: Samples) -> Vec<Finding> {
    let megabytes = bytes as f64 / 1e6;
    let rate = |samples: &Samples| megabytes / samples.median();
    let ratio = Ratio::of("ssh ControlMaster, which keeps nothing", &ours, &theirs);
    let single = |who, value: f64| Measured { who, unit: "MB/s", samples: [value].into_iter().collect() };
    vec![Finding {
        title: "The output of one step, 39 MB: to the coordinator, durable, and on to a reader (seconds)",
        bars: vec![Bar { what: "seconds at 50 MB/s", is: ours.median(), most: megabytes / LEAST_MB_S }],
        curves: vec![],
        ratios: vec![ratio],
        measured: vec![
            single("hydron", rate(&ours)),
            single("ssh ControlMaster", rate(&theirs)),
            Measured { who: "hydron, until the reader has all", unit: "s", samples: ours },
            Measured { who: "ssh ControlMaster, the same bytes", unit: "s", samples: theirs },
        ],
    }]
}
