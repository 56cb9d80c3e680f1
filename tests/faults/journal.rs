//! The journal of a run as it stands on the server's disk, kept by another name when the run is forgotten.
//!
//! Rule: it is only read. Neighbours: `coordinators` (epochs), `flood` (how long an answer took).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hydron_proto::ids::RunId;
use hydron_proto::wire::{Event, JournalRecord, event, journal_record};
use prost::Message as _;

use crate::world::World;

/// How long it may take until a journal is there.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where a run's journal lies.
pub(super) fn path(world: &World, run: RunId) -> PathBuf {
    world.agent.root().join(format!("var/lib/hydron/exec/runs/{run}/journal.log"))
}

/// A name for the run's journal that stays when the run is forgotten. An executor that starts again writes another file.
pub(super) async fn kept(world: &World, run: RunId) -> PathBuf {
    let journal = path(world, run);
    // On the same disk, which may be a small one of its own.
    let kept = world.agent.root().join(format!("var/lib/hydron/journal-{run}"));
    let deadline = Instant::now() + PATIENCE;
    while std::fs::hard_link(&journal, &kept).is_err() {
        assert!(Instant::now() < deadline, "{} does not come", journal.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kept
}

/// Everything that the journal has told.
pub(super) fn events(journal: &Path) -> Vec<Event> {
    let bytes = std::fs::read(journal).unwrap();
    let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
    while let Some((head, payload)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
        let Some(record) = payload.get(..length) else { break };
        if let Some(journal_record::Body::Event(event)) = JournalRecord::decode(record).unwrap().body {
            events.push(event);
        }
        rest = &payload[length..];
    }
    events
}

/// From the end of each range until the permit of the next one: to the coordinator, into its database, and back.
pub(super) fn round_trips(journal: &Path) -> Vec<Duration> {
    let mut ended = None;
    let mut trips = Vec::new();
    for event in events(journal) {
        match event.body {
            Some(event::Body::RangeEnded(_)) => ended = Some(event.at_unix_ms),
            Some(event::Body::PermitAccepted(_)) => {
                let took = ended.take().and_then(|ended| u64::try_from(event.at_unix_ms - ended).ok());
                trips.extend(took.map(Duration::from_millis));
            }
            _others => {}
        }
    }
    trips
}
