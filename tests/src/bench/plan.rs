//! A plan of a hundred trivial steps: ours by one permit with a status, a log and a durable event a step; ssh with a script
//! of as many lines, ssh a hundred times over a shared connection, Mitogen a hundred times, pyinfra with as many operations.
//!
//! Rule: every round has one plan of each, in an order that turns. Ours is timed twice: through the whole product (from a
//! person's request to the moment at which the person reads "completed"), and at the agent alone (from the signed plan to
//! the end of the last step's output). The peers' results are written durably, one a step where they know of single steps.

use std::time::Duration;

use super::Options;
use super::durable_log::DurableLog;
use super::hydron::{Hydron, trivial};
use super::peers::{self, Mitogen, SSHD, Ssh};
use super::product::Product;
use super::report::{Bar, Finding, Measured, Ratio, say};
use super::samples::Samples;
use super::steps::milliseconds;
use crate::approved::shell_step;

/// Steps of the plan.
pub(super) const STEPS: usize = 100;
/// Rounds, unless asked otherwise.
const ROUNDS: usize = 12;
/// pyinfra takes seconds; it runs in one round of so many.
const PYINFRA_EVERY: usize = 4;
/// field/perf.md, 2a: a hundred steps with status, logs and durable events.
const MOST_MS: f64 = 200.0;
/// Ours to Mitogen, which makes a hundred round trips.
const MOST_OF_MITOGEN: f64 = 0.2;

#[derive(Default)]
struct Times {
    product: Samples,
    agent: Samples,
    fresh_script: Samples,
    warm_script: Samples,
    ssh: Samples,
    mitogen: Samples,
    pyinfra: Samples,
}

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut hydron = Hydron::start(&options.agent, &options.place.join("plan-agent"), Duration::ZERO).await?;
    let mut product = Product::start(options, "plan", Duration::ZERO).await?;
    // One more each: the first is not measured.
    let mut waiting = product.waiting(rounds + 1, &vec![shell_step("true"); STEPS]).await?.into_iter();
    let mut ssh = Ssh::start(SSHD.port()).await?;
    let mut mitogen = Mitogen::start(SSHD.port()).await?;
    let mut log = DurableLog::create(&options.place.join("plan-results.log"))?;
    let script = script();
    let mut times = Times::default();
    for round in 0..=rounds {
        for turn in 0..6 {
            let (samples, took) = match (round + turn) % 6 {
                0 => (&mut times.product, product.carry_out(next(&mut waiting)?).await?),
                1 => (&mut times.agent, hydron.whole(vec![trivial(); STEPS]).await?),
                2 => (&mut times.fresh_script, ssh.script(&mut log, &script, true).await?),
                3 => (&mut times.warm_script, ssh.script(&mut log, &script, false).await?),
                4 => (&mut times.ssh, hundred_of_ssh(&mut ssh, &mut log).await?),
                _mitogen => (&mut times.mitogen, hundred_of_mitogen(&mut mitogen, &mut log).await?),
            };
            if round > 0 {
                samples.push(milliseconds(took));
            }
        }
        if round % PYINFRA_EVERY == 1 {
            match peers::pyinfra(&mut log, SSHD.port()).await? {
                Some(took) => times.pyinfra.push(milliseconds(took)),
                None => say("  pyinfra is absent: it is not measured"),
            }
        }
    }
    mitogen.stop().await?;
    ssh.stop().await?;
    hydron.stop()?;
    product.stop()?;
    Ok(findings(times))
}

/// The same steps as lines; each says how it ended.
pub(super) fn script() -> String {
    (0..STEPS).map(|step| format!("/bin/sh -c true; echo step {step} $?\n")).collect::<Vec<_>>().concat()
}

fn next<T>(waiting: &mut impl Iterator<Item = T>) -> anyhow::Result<T> {
    waiting.next().ok_or_else(|| anyhow::anyhow!("fewer runs than rounds"))
}

async fn hundred_of_ssh(ssh: &mut Ssh, log: &mut DurableLog) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for step in 0..STEPS {
        sum += ssh.step(log, step).await?;
    }
    Ok(sum)
}

/// Also over a long way.
pub(super) async fn hundred_of_mitogen(
    mitogen: &mut Mitogen,
    log: &mut DurableLog,
) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for step in 0..STEPS {
        sum += mitogen.step(log, step).await?;
    }
    Ok(sum)
}

fn findings(times: Times) -> Vec<Finding> {
    let Times { product, agent, fresh_script, warm_script, ssh, mitogen, pyinfra } = times;
    let to_mitogen = Ratio::of("Mitogen, a hundred times", &product, &mitogen);
    let to_script = Ratio::of("one ssh with a script of a hundred lines", &product, &fresh_script);
    let bars = vec![
        Bar { what: "a plan of a hundred steps, ms", is: product.median(), most: MOST_MS },
        Bar { what: "it to Mitogen", is: to_mitogen.value, most: MOST_OF_MITOGEN },
        Bar { what: "it to one ssh with a script", is: to_script.value, most: 1.0 },
    ];
    let mut ratios =
        vec![to_script, to_mitogen, Ratio::of("ssh ControlMaster, a hundred times", &product, &ssh)];
    let measured = |who, samples| Measured { who, unit: "ms", samples };
    let mut all = vec![
        measured("hydron, from the request to \"completed\"", product.clone()),
        measured("hydron, at the agent alone", agent),
        measured("one ssh, a connection of its own, a script", fresh_script),
        measured("one ssh over a shared connection, a script", warm_script.clone()),
        measured("ssh ControlMaster, a hundred times", ssh),
        measured("Mitogen, a hundred times", mitogen),
    ];
    if pyinfra.count() > 0 {
        ratios.push(Ratio::plain("pyinfra, a hundred operations", product.median(), pyinfra.median()));
        all.push(measured("pyinfra, a hundred operations", pyinfra));
    }
    let warm = "a script over a shared connection (no status, log or event of a step)";
    ratios.push(Ratio::of(warm, &product, &warm_script));
    vec![Finding { title: "A plan of a hundred trivial steps", ratios, measured: all, bars, curves: vec![] }]
}
