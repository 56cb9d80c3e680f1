//! A trivial step and a plan of a hundred over a way on which a round trip takes 30 ms, for ours and for the peers.
//!
//! Rule: one relay for each connection, the same for all; connections are warm. A plan of ours crosses the way a few times,
//! whatever its length; whoever asks step by step crosses it for every step. Neighbour: `delay`.

use std::time::Duration;

use super::Options;
use super::delay::Delay;
use super::durable_log::DurableLog;
use super::hydron::Hydron;
use super::peers::{Mitogen, SSHD, Ssh};
use super::plan::{self, STEPS};
use super::product::Product;
use super::report::{Bar, Finding, Measured, Ratio};
use super::samples::Samples;
use super::steps::milliseconds;
use crate::approved::shell_step;

const RTT: Duration = Duration::from_millis(30);
/// Rounds of a step, unless asked otherwise.
const STEP_ROUNDS: usize = 30;
/// A plan is measured in one round of so many: a hundred round trips take seconds.
const PLAN_EVERY: usize = 6;
/// field/perf.md, 2a: a round trip and 2 ms for a step; 0.25 s and a round trip for the plan.
const MOST_STEP_MS: f64 = 32.0;
const MOST_PLAN_MS: f64 = 280.0;

#[derive(Default)]
struct Times {
    hydron: Samples,
    ssh: Samples,
    mitogen: Samples,
}

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let rounds = options.rounds.unwrap_or(STEP_ROUNDS);
    let plans = rounds.div_ceil(PLAN_EVERY);
    let mut hydron = Hydron::start(&options.agent, &options.place.join("relay-agent"), RTT).await?;
    let mut product = Product::start(options, "relay", RTT).await?;
    let mut waiting = product.waiting(plans, &vec![shell_step("true"); STEPS]).await?.into_iter();
    let way = Delay::to(SSHD, RTT).await?;
    let mut ssh = Ssh::start(way.address().port()).await?;
    let mut mitogen = Mitogen::start(way.address().port()).await?;
    let mut log = DurableLog::create(&options.place.join("relay-results.log"))?;
    let script = plan::script();
    let (mut step, mut whole) = (Times::default(), Times::default());
    for round in 0..rounds {
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => step.hydron.push(milliseconds(hydron.step().await?)),
                1 => step.ssh.push(milliseconds(ssh.step(&mut log, round).await?)),
                _mitogen => step.mitogen.push(milliseconds(mitogen.step(&mut log, round).await?)),
            }
        }
        if round.is_multiple_of(PLAN_EVERY) {
            if let Some(run) = waiting.next() {
                whole.hydron.push(milliseconds(product.carry_out(run).await?));
            }
            whole.ssh.push(milliseconds(ssh.script(&mut log, &script, true).await?));
            let took = plan::hundred_of_mitogen(&mut mitogen, &mut log).await?;
            whole.mitogen.push(milliseconds(took));
        }
    }
    mitogen.stop().await?;
    ssh.stop().await?;
    hydron.stop()?;
    product.stop()?;
    Ok(vec![of_step(step), of_plan(whole)])
}

fn of_step(times: Times) -> Finding {
    let Times { hydron, ssh, mitogen } = times;
    let measured = |who, samples| Measured { who, unit: "ms", samples };
    Finding {
        title: "A trivial step over a way of 30 ms, from permit to durable result",
        bars: vec![Bar {
            what: "a step, ms (a round trip and 2 ms)",
            is: hydron.median(),
            most: MOST_STEP_MS,
        }],
        ratios: vec![Ratio::of("ssh ControlMaster", &hydron, &ssh), Ratio::of("Mitogen", &hydron, &mitogen)],
        measured: vec![
            measured("hydron, a permit a step", hydron),
            measured("ssh ControlMaster", ssh),
            measured("Mitogen", mitogen),
        ],
        curves: vec![],
    }
}

fn of_plan(times: Times) -> Finding {
    let Times { hydron, ssh, mitogen } = times;
    let measured = |who, samples| Measured { who, unit: "ms", samples };
    let one = "one ssh with a script of a hundred lines";
    Finding {
        title: "A plan of a hundred trivial steps over a way of 30 ms",
        bars: vec![Bar {
            what: "a plan, ms (0.25 s and a round trip)",
            is: hydron.median(),
            most: MOST_PLAN_MS,
        }],
        ratios: vec![Ratio::of(one, &hydron, &ssh), Ratio::of("Mitogen, a hundred times", &hydron, &mitogen)],
        measured: vec![
            measured("hydron, from the request to \"completed\"", hydron),
            measured("one ssh, a connection of its own, a script", ssh),
            measured("Mitogen, a hundred times", mitogen),
        ],
        curves: vec![],
    }
}
