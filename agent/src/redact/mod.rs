//! Takes secrets out of a byte stream before it reaches disk.
//!
//! Rule: the output depends only on the whole stream, never on where it was split; a byte leaves as soon as no secret
//! can begin at it any more, so at most the longest needle is held back. Pure. Neighbours: `needles` says what to look
//! for; the step host puts this between a step's log and its spool.

mod needles;

use std::sync::Arc;

use aho_corasick::AhoCorasick;

pub use needles::Needles;

/// What stands in place of a secret, whatever its length.
pub const MASK: &[u8] = b"[redacted]";

/// A streaming redactor. One for each log; the needles are shared.
#[derive(Debug)]
pub struct Redactor {
    needles: Arc<Needles>,
    search: Option<Arc<AhoCorasick>>,
    /// Bytes that are not decided yet.
    held: Vec<u8>,
    /// How many of the held bytes are covered by a match that began before them.
    covered: usize,
    /// Whether the last byte that left was part of a secret.
    masking: bool,
}

impl Redactor {
    /// A redactor at the start of a stream.
    pub fn new(needles: Needles) -> Self {
        let search = needles.automaton().map(Arc::new);
        Self { needles: Arc::new(needles), search, held: Vec::new(), covered: 0, masking: false }
    }

    /// Another stream with the same needles.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            needles: Arc::clone(&self.needles),
            search: self.search.clone(),
            held: Vec::new(),
            covered: 0,
            masking: false,
        }
    }

    /// Takes bytes in and returns what may leave.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.search.is_none() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let undecided = self.needles.longest_open_tail(&self.held);
        self.release(self.held.len() - undecided)
    }

    /// The end of the stream: everything that was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        self.release(self.held.len())
    }

    /// A whole text at once, for error messages and results.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut stream = self.fresh();
        let mut clean = stream.push(text.as_bytes());
        clean.extend(stream.finish());
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Lets the first `decided` held bytes go. Every match that begins among them lies wholly in the held bytes.
    fn release(&mut self, decided: usize) -> Vec<u8> {
        let matches = self.matches(decided);
        let mut out = Vec::with_capacity(decided);
        let mut matches = matches.iter().peekable();
        let mut covered_to = self.covered;
        for (at, byte) in self.held.iter().take(decided).enumerate() {
            while let Some((_, end)) = matches.next_if(|(start, _)| *start <= at) {
                covered_to = covered_to.max(*end);
            }
            if at >= covered_to {
                out.push(*byte);
                self.masking = false;
            } else if !self.masking {
                out.extend_from_slice(MASK);
                self.masking = true;
            }
        }
        self.covered = covered_to.saturating_sub(decided);
        self.held.drain(..decided);
        out
    }

    /// Start and end of every match that begins before `decided`, by start; overlapping ones included.
    fn matches(&self, decided: usize) -> Vec<(usize, usize)> {
        let Some(search) = &self.search else { return Vec::new() };
        let mut found: Vec<(usize, usize)> = search
            .find_overlapping_iter(&self.held)
            .map(|found| (found.start(), found.end()))
            .filter(|(start, _)| *start < decided)
            .collect();
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests;
