//! A trivial step, from permit to durable result: ours, ssh over a shared connection, Mitogen.
//!
//! Rule: every round has one step of each, in an order that turns, so that neither a busy minute nor a place in the
//! round favours anybody. A result is durable once: ours in the server's journal before the caller hears of it, the
//! peers' in a file that the caller syncs, since they keep none. Neighbours: `hydron`, `peers`.

use std::time::Duration;

use super::Options;
use super::durable_log::DurableLog;
use super::footprint;
use super::hydron::Hydron;
use super::peers::{Mitogen, SSHD, Ssh};
use super::report::{Bar, Finding, Measured, Ratio, say};
use super::samples::Samples;

/// Ours to ssh; the interim bar of the walking skeleton.
const MOST_OF_SSH: f64 = 0.25;
/// A range of steps is walked once in so many rounds.
const RANGE_EVERY: usize = 25;
/// Rounds, unless asked otherwise.
const ROUNDS: usize = 500;
/// Rounds before the watch runs.
const WARM_UP: usize = 10;

#[derive(Default)]
struct Times {
    hydron: Samples,
    ssh: Samples,
    mitogen: Samples,
    range: Samples,
}

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let mut hydron = Hydron::start(&options.agent, &options.place.join("steps"), Duration::ZERO).await?;
    let mut ssh = Ssh::start(SSHD.port()).await?;
    let mut mitogen = Mitogen::start(SSHD.port()).await?;
    let mut log = DurableLog::create(&options.place.join("results.log"))?;
    let mut times = Times::default();
    for round in 0..WARM_UP + options.rounds.unwrap_or(ROUNDS) {
        let warm = round >= WARM_UP;
        for turn in 0..3 {
            let (samples, took) = match (round + turn) % 3 {
                0 => (&mut times.hydron, hydron.step().await?),
                1 => (&mut times.ssh, ssh.step(&mut log, round).await?),
                _mitogen => (&mut times.mitogen, mitogen.step(&mut log, round).await?),
            };
            if warm {
                samples.push(milliseconds(took));
            }
        }
        if warm && round.is_multiple_of(RANGE_EVERY) {
            times.range.push(milliseconds(hydron.range().await?));
        }
    }
    let after = footprint::memory(&hydron.pids())?;
    say(&format!(
        "\nafter {} steps the agent's processes have PSS {:.2} MiB, private {:.2} MiB",
        times.hydron.count(),
        after.pss_kib / 1024.0,
        after.anonymous_kib / 1024.0
    ));
    mitogen.stop().await?;
    ssh.stop().await?;
    hydron.stop()?;
    Ok(findings(times))
}

fn findings(times: Times) -> Vec<Finding> {
    let Times { hydron, ssh, mitogen, range } = times;
    let to_ssh = Ratio::of("ssh ControlMaster", &hydron, &ssh);
    let bars = vec![Bar { what: "a step to ssh ControlMaster", is: to_ssh.value, most: MOST_OF_SSH }];
    let ratios = vec![
        to_ssh,
        Ratio::of("Mitogen", &hydron, &mitogen),
        Ratio::plain("Mitogen, in a range of steps under one permit", range.median(), mitogen.median()),
    ];
    let measured = |who, samples| Measured { who, unit: "ms", samples };
    vec![Finding {
        title: "A trivial step, from permit to durable result",
        ratios,
        measured: vec![
            measured("hydron, a permit a step", hydron),
            measured("hydron, in a range under one permit", range),
            measured("ssh ControlMaster, result written durably", ssh),
            measured("Mitogen, result written durably", mitogen),
        ],
        bars,
        curves: vec![],
    }]
}

pub(super) fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
