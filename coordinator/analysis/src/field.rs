//! A value with its reasons: rules offer candidates, the surest one wins, the losers stay visible.
//!
//! One rule: precedence between rules is written as confidence, so a conflict needs no special code.

use std::fmt::Display;

use hydron_domain::analysis::Evidence;

use crate::repo::{Repo, line_of};

/// Where something was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
}

impl At {
    /// A rule's default, seen nowhere.
    pub(crate) fn nowhere() -> Self {
        Self::default()
    }

    /// A whole file.
    pub(crate) fn file(path: &str) -> Self {
        Self { file: Some(path.to_owned()), line: None }
    }

    /// A line of a file.
    pub(crate) fn line(path: &str, line: u32) -> Self {
        Self { file: Some(path.to_owned()), line: Some(line) }
    }

    /// The first line of a file that contains a text; the whole file otherwise.
    pub(crate) fn find(repo: &Repo<'_>, path: &str, needle: &str) -> Self {
        let line = repo.read(path).and_then(|text| line_of(text, needle));
        Self { file: Some(path.to_owned()), line }
    }
}

/// One candidate.
#[derive(Debug, Clone)]
pub(crate) struct Offer<T> {
    pub(crate) value: T,
    pub(crate) confidence: f32,
    pub(crate) rule: String,
    pub(crate) at: At,
}

/// All candidates for one value.
#[derive(Debug, Clone)]
pub(crate) struct Field<T> {
    offers: Vec<Offer<T>>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { offers: Vec::new() }
    }
}

impl<T: Clone + PartialEq + Display> Field<T> {
    /// Adds a candidate.
    pub(crate) fn offer(&mut self, value: impl Into<T>, confidence: f32, rule: &str, at: At) {
        self.offers.push(Offer { value: value.into(), confidence, rule: rule.to_owned(), at });
    }

    /// The winning candidate: the surest, and of equals the first.
    pub(crate) fn best(&self) -> Option<&Offer<T>> {
        let mut best: Option<&Offer<T>> = None;
        for offer in &self.offers {
            if best.is_none_or(|b| offer.confidence > b.confidence) {
                best = Some(offer);
            }
        }
        best
    }

    /// The winning value.
    pub(crate) fn value(&self) -> Option<&T> {
        self.best().map(|o| &o.value)
    }

    /// Confidence of the winner, 0 if there is none.
    pub(crate) fn confidence(&self) -> f32 {
        self.best().map_or(0.0, |o| o.confidence)
    }

    /// Whether there is no candidate.
    pub(crate) fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// All candidates as evidence, the winner first.
    pub(crate) fn evidence(&self, field: &str) -> Vec<Evidence> {
        let Some(best) = self.best() else { return Vec::new() };
        let mut sorted: Vec<&Offer<T>> = self.offers.iter().collect();
        sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let mut list: Vec<Evidence> = Vec::new();
        for offer in sorted {
            let one = Evidence {
                field: field.to_owned(),
                value: offer.value.to_string(),
                file: offer.at.file.clone(),
                line: offer.at.line,
                rule: offer.rule.clone(),
                confidence: offer.confidence,
                chosen: offer.value == best.value,
            };
            if !list.contains(&one) {
                list.push(one);
            }
        }
        list
    }
}
