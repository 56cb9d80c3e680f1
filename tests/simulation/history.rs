//! The last frames of a story, for whoever looks for the cause of a failure.

use std::collections::VecDeque;

use hydron_proto::wire::frame::Body;

use crate::sweep::Toward;

/// Frames that are kept.
const LENGTH: usize = 80;
/// Of each, so many characters are shown.
const WIDTH: usize = 240;

#[derive(Debug, Default)]
pub(crate) struct History(VecDeque<(i64, Toward, &'static str, Body)>);

impl History {
    /// A frame that `who` sent, at a time in milliseconds.
    pub(crate) fn note(&mut self, at: i64, way: Toward, who: &'static str, body: &Body) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back((at, way, who, body.clone()));
    }

    pub(crate) fn print(&self) {
        for (at, way, who, body) in &self.0 {
            let text = match body {
                Body::StreamData(data) => format!("{} bytes", data.data.len()),
                other => format!("{other:?}"),
            };
            let text: String = text.chars().take(WIDTH).collect();
            eprintln!("{at:>6} {who} to the {way:?}: {text}");
        }
    }
}
