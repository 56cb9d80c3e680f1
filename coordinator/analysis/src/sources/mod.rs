//! What every source file of the services shows by itself: variables, ports, paths, database clients.
//!
//! One rule: a pure function of a file's name and text, so that many files are looked at side by side; what it means for
//! a service is said in `listen`, `env` and `needs`.

mod ports;

use crate::draft::Draft;
use crate::env::{Seen, reads, schema};
use crate::listen;
use crate::repo::{File, Lines, Repo, Role};
use crate::routes::{self, Paths};

/// A source file and whose it is.
pub(crate) struct Source<'r> {
    pub(crate) file: &'r File,
    /// Places in the list of drafts.
    pub(crate) owners: Vec<usize>,
    pub(crate) shown: Shown,
}

/// What a file shows.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Variables, each with the line of its sighting.
    pub(crate) env: Vec<(Seen, u32)>,
    pub(crate) ports: Vec<PortSeen>,
    /// Line of a bind to the loopback address.
    pub(crate) loopback: Option<u32>,
    pub(crate) paths: Paths,
}

/// A number that may be the port.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PortSeen {
    pub(crate) number: u16,
    pub(crate) confidence: f32,
    pub(crate) rule: &'static str,
    pub(crate) line: u32,
}

/// Looks at every source file that belongs to a draft, in the order of their paths.
pub(crate) fn read<'r>(repo: &'r Repo<'_>, drafts: &[Draft]) -> Vec<Source<'r>> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (draft, one) in drafts.iter().enumerate() {
        places.extend(repo.owned_at(one).into_iter().map(|file| (file, draft)));
    }
    places.sort_unstable();
    let listens = |place: &usize| drafts.get(*place).is_some_and(listen::asks_code);
    let files: Vec<(&File, Vec<usize>)> = places
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|group| Some((repo.files().get(group.first()?.0)?, group)))
        .filter(|(file, _)| file.role == Role::Normal && reads::is_source(file))
        .map(|(file, group)| (file, group.iter().map(|(_, draft)| *draft).collect()))
        .collect();
    let shown = repo.each_text(
        &files,
        |(file, _)| file,
        |(file, owners), text| {
            let mut shown = Shown { env: variables(file, text), ..Shown::default() };
            if owners.iter().any(listens) {
                listening(file, text, &mut shown);
            }
            shown
        },
    );
    let together = files.into_iter().zip(shown);
    together.filter_map(|((file, owners), shown)| Some(Source { file, owners, shown: shown? })).collect()
}

/// Variables that a file reads, with their lines.
fn variables(file: &File, text: &str) -> Vec<(Seen, u32)> {
    let mut seen = reads::scan(file, text);
    seen.extend(schema::scan(file, text));
    if seen.is_empty() {
        return Vec::new();
    }
    let lines = Lines::of(text);
    let placed = seen.into_iter().map(|one| (lines.at(one.offset), one));
    placed.map(|(line, one)| (one, line)).collect()
}

/// Ports and paths of a file.
pub(crate) fn listening(file: &File, text: &str, shown: &mut Shown) {
    shown.paths = routes::find(file, text);
    let configures =
        file.name().contains(".config.") || matches!(file.extension(), "sh" | "conf" | "template");
    if !configures {
        shown.ports = ports::find(file, text);
        shown.loopback = ports::loopback(text);
    }
}
