//! How fast a coordinator takes journals in: 64 agents with one run each, every entry stored with its consequences and only
//! then acknowledged; beside 64 tasks that insert the same rows, one a statement, through a plain pool of connections.
//!
//! Rule: ours is timed from the first entry's frame to the last acknowledgement, over real links; the pool from its first
//! insert to its last. Both wait for the disk. On PostgreSQL too, where one is given.
//! Neighbours: `ingest/ground` and `producer` (agents that only report), `ingest/pool` (the peer).

mod ground;
mod pool;
mod producer;

use std::time::Duration;

pub(super) use self::ground::Ground;
use self::pool::Pool;
use super::Options;
use super::postgres::Postgres;
use super::report::{Bar, Finding, Measured, Ratio, say};
use super::samples::Samples;
use crate::stack::client::install_provider;

/// Agents that report at once, tasks that insert at once.
const PRODUCERS: usize = 64;
/// Steps of each run; an agent writes two entries a step, and four besides.
const STEPS: usize = 100;
/// Rows a task of the pool inserts.
const ROWS: usize = 50;
/// Rounds, unless asked otherwise.
const ROUNDS: usize = 5;
/// field/perf.md, 2e: five times the rate of a plain pool, and 20,000 entries a second.
const MOST_OF_POOL: f64 = 0.2;
const MOST_US: f64 = 50.0;

/// Runs the rounds on each engine.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    install_provider();
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut findings = vec![on(options, None, rounds).await?];
    match Postgres::start()? {
        Some(postgres) => findings.push(on(options, Some(&postgres), rounds).await?),
        None => say("  PostgreSQL is absent: it is not measured"),
    }
    Ok(findings)
}

async fn on(options: &Options, postgres: Option<&Postgres>, rounds: usize) -> anyhow::Result<Finding> {
    let engine = postgres.map_or("sqlite", |_| "postgres");
    let place = options.place.join(format!("ingest-{engine}"));
    let ours = database(postgres, "ours").await?;
    let mut ground = Ground::start(options, place.join("c"), ours, (PRODUCERS, STEPS)).await?;
    let pool = Pool::open(&place, database(postgres, "pool").await?).await?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..rounds {
        let mut producers = ground.ready().await?;
        for turn in 0..2 {
            if (round + turn).is_multiple_of(2) {
                let (entries, took) = Ground::report(std::mem::take(&mut producers)).await?;
                ours.push(microseconds(took, entries));
            } else {
                theirs.push(microseconds(pool.insert(PRODUCERS, ROWS).await?, PRODUCERS * ROWS));
            }
        }
    }
    pool.close().await;
    ground.coordinator.stop()?;
    Ok(finding(postgres.is_some(), ours, theirs))
}

async fn database(postgres: Option<&Postgres>, name: &str) -> anyhow::Result<Option<String>> {
    match postgres {
        Some(postgres) => postgres.database(name).await.map(Some),
        None => Ok(None),
    }
}

fn microseconds(took: Duration, count: usize) -> f64 {
    took.as_secs_f64() * 1e6 / count as f64
}

fn finding(postgres: bool, ours: Samples, theirs: Samples) -> Finding {
    let title = if postgres {
        "Entries of journals, 64 agents at once, durable and acknowledged: PostgreSQL"
    } else {
        "Entries of journals, 64 agents at once, durable and acknowledged: SQLite"
    };
    let ratio = Ratio::of("a plain pool with one insert a row", &ours, &theirs);
    let rate = |samples: &Samples| [1e6 / samples.median()].into_iter().collect::<Samples>();
    let measured = |who, unit, samples| Measured { who, unit, samples };
    Finding {
        title,
        bars: vec![
            Bar { what: "an entry to a row of a plain pool", is: ratio.value, most: MOST_OF_POOL },
            Bar { what: "µs an entry", is: ours.median(), most: MOST_US },
        ],
        curves: vec![],
        ratios: vec![ratio],
        measured: vec![
            measured("hydron, entries a second", "1/s", rate(&ours)),
            measured("a plain pool, rows a second", "1/s", rate(&theirs)),
            measured("hydron, an entry with its consequences", "µs", ours),
            measured("a plain pool, a row", "µs", theirs),
        ],
    }
}
