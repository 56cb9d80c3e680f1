//! One database, more and more history: how fast journals are taken in, how long a run's page takes to open, and its size.
//!
//! Rule: history is put in as rows of the two tables that grow for ever, the agents' journals and the team's events, by the
//! store itself; what is measured are requests and reports of real processes on top of it.

use std::time::{Duration, Instant};

use hydron_domain::identity::Actor;
use hydron_proto::ids::{RunId, ServerId};
use hydron_store::events::EventDraft;
use hydron_store::runs::JournalEntry;
use serde_json::json;

use super::{Curve, Growth};
use crate::bench::Options;
use crate::bench::event_stream::EventStream;
use crate::bench::ingest::Ground;
use crate::bench::report::Bar;
use crate::bench::samples::Samples;
use crate::stack::client::{Client, install_provider};

const SIZES: [usize; 5] = [10, 1_000, 10_000, 100_000, 1_000_000];
/// Rows a transaction puts in.
const BATCH: usize = 2000;
/// Agents that report, and steps of their runs.
const REPORTING: (usize, usize) = (16, 100);
/// Times all of them report; once takes a twentieth of a second, and one such moment is not like the next.
const REPORTS: usize = 7;
/// Times a page is opened.
const LOOKS: usize = 20;
/// field/perf.md, 2e: what a person opens.
const MOST_OPEN_MS: f64 = 50.0;

pub(super) async fn measure(options: &Options) -> anyhow::Result<Growth> {
    install_provider();
    let place = options.place.join("growth-events");
    let mut ground = Ground::start(options, place.clone(), None, REPORTING).await?;
    // A run that is over, whose page is opened, and behind which history is put.
    let (entries, _) = Ground::report(ground.ready().await?).await?;
    // With the acceptance of the plan, before those.
    let first = entries + 1;
    let (run, server) = ground.newest()?;
    let mut ingest = Curve::new("journal entries taken in", "1/s");
    let mut open = Curve::new("opening a run's page", "ms");
    let mut size_on_disk = Curve::new("the database", "MiB");
    let mut history = History { run, server, next: first as u64 + 1, there: 0 };
    for size in SIZES {
        ground.coordinator.stop()?;
        history.grow_to(size, &ground).await?;
        ground.coordinator.restart().await?;
        let mut rates = Samples::default();
        for _ in 0..REPORTS {
            let (entries, took) = Ground::report(ground.ready().await?).await?;
            rates.push(entries as f64 / took.as_secs_f64());
        }
        ingest.push(size, rates.median());
        let client = ground.coordinator.client();
        let mut looks = Samples::default();
        for _ in 0..LOOKS {
            looks.push(opened(client, run).await?.as_secs_f64() * 1000.0);
        }
        open.push(size, looks.median());
        size_on_disk.push(size, std::fs::metadata(place.join("hydron.db"))?.len() as f64 / 1024.0 / 1024.0);
    }
    ground.coordinator.stop()?;
    let bytes = size_on_disk.slope() * 1024.0 * 1024.0;
    let because = format!(
        "An entry of history, with the event that tells of it, takes {bytes:.0} bytes on disk. A page opens in {:.1} ms with ten of \
         them and in {:.1} ms with a million; entries are then taken in at {:.0} % of the first rate. What goes by keys pays for an \
         index that is some levels deeper; whatever grows in step with the history reads it.",
        open.first(),
        open.last(),
        ingest.last() / ingest.first() * 100.0,
    );
    Ok(Growth {
        name: "events",
        title: "From 10 to 1,000,000 events",
        of: "journal entries and events in the database",
        logarithmic: true,
        bars: vec![
            Bar { what: "ms to open a run's page at 1,000,000", is: open.last(), most: MOST_OPEN_MS },
            Bar { what: "opening a page at 1,000,000 to at 10", is: open.last() / open.first(), most: 2.0 },
            Bar { what: "taking in at 10 to at 1,000,000", is: ingest.first() / ingest.last(), most: 2.0 },
        ],
        curves: vec![ingest, open, size_on_disk],
        because,
    })
}

/// What the page asks for: the run, and the beginning of its stream of changes.
async fn opened(client: &Client, run: RunId) -> anyhow::Result<Duration> {
    let began = Instant::now();
    client.get(&format!("/runs/{run}")).await?;
    let mut events = EventStream::open(client, &format!("/runs/{run}/events")).await?;
    anyhow::ensure!(events.next().await?.is_some(), "the stream of a run says where it stands");
    Ok(began.elapsed())
}

struct History {
    run: RunId,
    server: ServerId,
    next: u64,
    there: usize,
}

impl History {
    async fn grow_to(&mut self, size: usize, ground: &Ground) -> anyhow::Result<()> {
        let deposit = ground.coordinator.deposit().await?;
        let team = deposit.app.store.team(ground.coordinator.team());
        while self.there < size {
            let count = BATCH.min(size - self.there);
            let mut tx = team.begin(&Actor::System { name: "bench" }, deposit.app.now()).await?;
            let entries: Vec<JournalEntry> = (self.next..).take(count).map(entry).collect();
            let rows: Vec<_> = entries.iter().map(|entry| (self.run, self.server, entry)).collect();
            tx.insert_journal(&rows).await?;
            for number in 0..count {
                // Of other runs: a team has thousands, and a page shows one.
                let subject = format!("run_{:026}", (self.there + number) / 200);
                tx.event(EventDraft::new("run.changed", subject, json!({ "state": "in_progress" })));
            }
            tx.commit().await?;
            self.next += count as u64;
            self.there += count;
        }
        deposit.close().await;
        Ok(())
    }
}

/// As long as a real one.
fn entry(seq: u64) -> JournalEntry {
    JournalEntry { seq, at: 1_700_000_000_000, body: vec![7; 96] }
}
