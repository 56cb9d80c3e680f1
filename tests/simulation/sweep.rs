//! A simple story again and again, each time with one fault in another place, until there is no such place any more.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::template::Template;
use crate::{story, world};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// The agent dies after so many durable acts; alone, or with its machine.
    Death { acts: i64, power: bool },
    /// Its first connection is cut when so many frames went one way.
    Cut { way: Toward, frames: u64 },
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toward {
    Agent,
    Coordinator,
}

/// One kind of fault, in every place.
struct Kind {
    name: &'static str,
    at: fn(u64) -> Fate,
    next: AtomicU64,
    /// The first place that the story does not have.
    end: AtomicU64,
}

impl Kind {
    fn new(name: &'static str, at: fn(u64) -> Fate) -> Self {
        Self { name, at, next: AtomicU64::new(0), end: AtomicU64::new(u64::MAX) }
    }
}

/// Tells it with every place of every kind; how many stories had their fault.
pub(crate) fn everywhere(template: &Template) -> u64 {
    let kinds = [
        Kind::new("the process dies", |place| Fate::Death { acts: place as i64, power: false }),
        Kind::new("the power fails", |place| Fate::Death { acts: place as i64, power: true }),
        Kind::new("cut toward the agent", |place| Fate::Cut { way: Toward::Agent, frames: place }),
        Kind::new("cut toward the coordinator", |place| Fate::Cut {
            way: Toward::Coordinator,
            frames: place,
        }),
    ];
    let tellers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let places = std::thread::scope(|scope| {
        let all = || kinds.iter().map(|kind| tell(template, kind)).sum::<u64>();
        let tellers: Vec<_> = (0..tellers).map(|_| scope.spawn(all)).collect();
        tellers.into_iter().map(|teller| teller.join().unwrap()).sum()
    });
    for kind in &kinds {
        eprintln!("{}: in {} places", kind.name, kind.end.load(SeqCst));
    }
    places
}

fn tell(template: &Template, kind: &Kind) -> u64 {
    let mut places = 0;
    loop {
        let place = kind.next.fetch_add(1, SeqCst);
        if place >= kind.end.load(SeqCst) {
            return places;
        }
        match catch_unwind(AssertUnwindSafe(|| story::tell(template, place, Some((kind.at)(place))))) {
            Ok(told) if told.cuts + told.deaths > 0 => places += 1,
            Ok(_uneventful) => drop(kind.end.fetch_min(place, SeqCst)),
            Err(panic) => {
                eprintln!("{} in place {place}: this fails", kind.name);
                world::print_history();
                kind.end.store(0, SeqCst);
                resume_unwind(panic);
            }
        }
    }
}
