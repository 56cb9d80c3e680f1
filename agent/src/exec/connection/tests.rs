//! What waits for a peer is bounded, and a spool is read from where it is asked.

use super::*;

const MIB: usize = 1_048_576;

fn log(length: usize) -> from_executor::Body {
    from_executor::Body::LogData(wire::LogData { data: vec![0; length].into(), ..wire::LogData::default() })
}

fn answer() -> from_executor::Body {
    from_executor::Body::Decision(wire::Decision::default())
}

fn with(bodies: impl IntoIterator<Item = from_executor::Body>) -> State {
    let mut state = State::default();
    bodies.into_iter().for_each(|body| state.push(body));
    state
}

#[test]
fn a_peer_that_asks_and_does_not_read_is_full_at_some_answers_or_some_log_bytes() {
    let answers = |count| with(std::iter::repeat_with(answer).take(count));
    assert!(!answers(4096).is_full());
    assert!(answers(4097).is_full());
    assert!(answers(4098).is_full());
    assert!(!with([log(4 * MIB)]).is_full());
    assert!(with([log(4 * MIB), log(1)]).is_full());
    assert!(with([log(4 * MIB), answer(), log(1000)]).is_full());
}

#[test]
fn what_a_peer_has_read_waits_for_it_no_longer() {
    let mut state = with([log(4 * MIB), answer(), log(1000)]);
    assert_eq!(state.pop(), Some(log(4 * MIB)));
    assert_eq!((state.log_bytes, state.is_full()), (1000, false));
    assert_eq!((state.pop(), state.pop(), state.pop()), (Some(answer()), Some(log(1000)), None));
    assert_eq!(state.log_bytes, 0);
}

#[test]
fn a_spool_is_read_from_an_offset_and_one_that_is_not_there_yet_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool");
    assert_eq!(read_at(&path, 0, 10).unwrap(), b"");
    std::fs::write(&path, "0123456789").unwrap();
    assert_eq!(read_at(&path, 3, 4).unwrap(), b"3456");
    assert_eq!(read_at(&path, 8, 4).unwrap(), b"89");
    assert_eq!(read_at(&path, 10, 4).unwrap(), b"");
    // A disk that says no is no empty log.
    assert!(read_at(&path.join("below"), 0, 4).is_err());
}
