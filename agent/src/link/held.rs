//! What is said of the runs that the executor holds, in pieces that fit a frame: in the hello, after it, and now and then.
//!
//! Rule: pure bookkeeping; the next piece leaves after the answer to the last one. The newest runs come first: what is going
//! on now is in the hello. Neighbours: `session`, which sends; `exec/outbox`, where the reports come from.

use std::collections::VecDeque;
use std::time::Duration;

use hydron_proto::wire;
use prost::Message as _;

/// Bytes of one piece; its answer is about as long, and both fit a frame of 64 KiB with room for facts and names.
const PIECE: usize = 24 * 1024;
/// How often a connection asks which runs may go: it can last for weeks.
pub(super) const ASK_AFTER: Duration = Duration::from_mins(10);

/// Reports that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<wire::RunsHeld>,
}

impl Held {
    /// Takes what the executor holds; the first piece is for the hello.
    pub(super) fn connecting(runs: Vec<wire::RunReport>) -> (Vec<wire::RunReport>, Self) {
        let mut pieces = pieces(runs).into_iter();
        let first = pieces.next().unwrap_or_default();
        (first, Self { waiting: pieces.map(|runs| wire::RunsHeld { runs, resume: true }).collect() })
    }

    /// Takes what the executor holds now; the answer says what may go. Returns what to send at once, if nothing is asked yet.
    pub(super) fn ask(&mut self, runs: Vec<wire::RunReport>) -> Option<wire::RunsHeld> {
        if !self.waiting.is_empty() {
            return None;
        }
        self.waiting = pieces(runs).into_iter().map(|runs| wire::RunsHeld { runs, resume: false }).collect();
        self.next()
    }

    /// The next piece: after the welcome, and after every answer.
    pub(super) fn next(&mut self) -> Option<wire::RunsHeld> {
        self.waiting.pop_front()
    }
}

/// Newest first: run ids begin with their time.
fn pieces(mut runs: Vec<wire::RunReport>) -> Vec<Vec<wire::RunReport>> {
    runs.sort_unstable_by(|a, b| b.run_id.cmp(&a.run_id));
    let mut pieces: Vec<Vec<wire::RunReport>> = Vec::new();
    let mut room = 0;
    for run in runs {
        let length = run.encoded_len() + 8;
        match pieces.last_mut() {
            Some(piece) if length <= room => piece.push(run),
            _full => {
                pieces.push(vec![run]);
                room = PIECE;
            }
        }
        room = room.saturating_sub(length);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use hydron_proto::frame;
    use hydron_proto::wire::frame::Body;

    use super::*;

    fn report(number: usize, steps: u32) -> wire::RunReport {
        let run_id = format!("run_{number:032}");
        let log = |step| wire::LogPosition {
            command: Some(wire::CommandId { run_id: run_id.clone(), step, attempt: 1 }),
            length: u64::MAX,
            finished: true,
        };
        wire::RunReport {
            run_id: run_id.clone(),
            epoch: u64::MAX,
            last_seq: u64::MAX,
            envelope_digest: vec![7; 32],
            logs: (0..steps).map(log).collect(),
        }
    }

    #[test]
    fn any_number_of_runs_is_said_once_in_frames_that_fit_and_the_newest_is_in_the_hello() {
        let runs: Vec<_> =
            (0..3000).map(|number| report(number, u32::try_from(number % 40).unwrap())).collect();
        let (hello, mut held) = Held::connecting(runs);
        assert_eq!(hello.first().unwrap().run_id, report(2999, 0).run_id);
        let mut said: Vec<String> = hello.iter().map(|run| run.run_id.clone()).collect();
        frame::encode(0, Body::Hello(wire::Hello { runs: hello, ..wire::Hello::default() })).unwrap();
        while let Some(piece) = held.next() {
            assert!(piece.resume);
            said.extend(piece.runs.iter().map(|run| run.run_id.clone()));
            frame::encode(0, Body::RunsHeld(piece)).unwrap();
        }
        said.sort();
        assert_eq!(said, (0..3000).map(|number| report(number, 0).run_id).collect::<Vec<_>>());
    }

    #[test]
    fn a_question_waits_until_the_one_before_is_answered_and_nothing_is_asked_about_nothing() {
        let mut held = Held::default();
        assert_eq!(held.ask(Vec::new()), None);
        let runs: Vec<_> = (0..400).map(|number| report(number, 3)).collect();
        assert!(held.ask(runs.clone()).is_some_and(|piece| !piece.resume));
        assert_eq!(held.ask(runs), None);
        while held.next().is_some() {}
        assert!(held.ask(vec![report(1, 1)]).is_some());
    }
}
