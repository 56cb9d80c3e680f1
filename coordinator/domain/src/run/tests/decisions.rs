//! Single decisions, each where a wrong one would start, confirm or end something that it must not.

use super::*;

const PLAIN: InterruptPolicy = InterruptPolicy::Rerun;

fn online(connection: u64) -> AgentView {
    AgentView::Online { connection, caught_up: true, offered: true, permit_sent: true, hold_sent: false }
}

fn due(run: &Run, parts: &[RunPart], view: AgentView) -> Vec<Action> {
    decide(run, parts, &BTreeMap::from([(server(1), view)]))
}

fn range(first: u32, last: u32) -> StepRange {
    StepRange { first, last, attempt: 1 }
}

/// A part whose plan was taken, and whose first step runs since `connection`.
fn running_since(connection: u64, guarded: bool) -> RunPart {
    let mut part = part(1, vec![rules(PLAIN, guarded, vec![])]);
    part.envelope = EnvelopeState::Accepted;
    part.permit = Some(Permitted { range: range(0, 0), accepted: true });
    part.steps[0].state = StepState::Running;
    part.steps[0].started_on = Some(connection);
    part
}

#[test]
fn only_a_guarded_step_is_confirmed_and_only_over_a_later_connection_than_the_one_it_began_on() {
    let run = Run { state: RunState::InProgress, ..Run::new(0) };
    let confirm = Action::Confirm { server: server(1), step: 0, attempt: 1 };
    assert_eq!(due(&run, &[running_since(5, true)], online(6)), [confirm]);
    assert_eq!(due(&run, &[running_since(5, true)], online(5)), []);
    assert_eq!(due(&run, &[running_since(5, true)], online(4)), []);
    assert_eq!(due(&run, &[running_since(5, false)], online(6)), []);
    let mut over = running_since(5, true);
    over.permit = None;
    over.steps[0].state = StepState::Completed;
    let actions = due(&run, &[over], online(6));
    assert!(!actions.iter().any(|action| matches!(action, Action::Confirm { .. })), "{actions:?}");
}

#[test]
fn a_server_that_was_removed_fails_the_run_only_while_it_has_work() {
    let run = Run { state: RunState::InProgress, ..Run::new(0) };
    let fails = |part: RunPart| {
        let actions = due(&run, &[part], AgentView::Revoked);
        actions.iter().any(|action| matches!(action, Action::Enter(RunState::Failed(_))))
    };
    let mut done = running_since(5, false);
    done.permit = None;
    done.steps[0].state = StepState::Completed;
    assert!(!fails(done.clone()));
    let permitted =
        RunPart { permit: Some(Permitted { range: range(0, 0), accepted: true }), ..done.clone() };
    assert!(fails(permitted), "a permit that is out may still start something");
    done.steps[0].state = StepState::Pending;
    assert!(fails(done));
}

#[test]
fn a_running_step_of_a_removed_server_is_given_up_without_a_permit_too() {
    let run = Run { state: RunState::InProgress, ..Run::new(0) };
    let given_up = |state| {
        let mut part = running_since(5, false);
        part.permit = None;
        part.steps[0].state = state;
        due(&run, &[part], AgentView::Revoked).contains(&Action::GiveUp { server: server(1) })
    };
    assert!(given_up(StepState::Running));
    assert!(!given_up(StepState::Completed) && !given_up(StepState::Pending));
}

#[test]
fn only_an_agent_with_work_left_is_missed() {
    let mut done = running_since(5, false);
    done.permit = None;
    done.steps[0].state = StepState::Completed;
    let mut busy = running_since(5, false);
    busy.server = server(2);
    let run = Run { state: RunState::InProgress, ..Run::new(0) };
    let seen = BTreeMap::from([(server(1), AgentView::Offline), (server(2), online(5))]);
    assert_eq!(decide(&run, &[done, busy], &seen), []);
}

#[test]
fn what_is_said_to_a_server_needs_its_connection_and_nothing_else_does() {
    let at = server(1);
    for told in [
        Action::OfferEnvelope { server: at },
        Action::Permit { server: at, range: range(0, 0) },
        Action::SendPermit { server: at },
        Action::Hold { server: at },
        Action::Confirm { server: at, step: 0, attempt: 1 },
    ] {
        assert!(told.tells_a_server(), "{told:?}");
    }
    for kept in [Action::Proceed, Action::GiveUp { server: at }, Action::SkipPending, Action::Note(None)] {
        assert!(!kept.tells_a_server(), "{kept:?}");
    }
}

#[test]
fn the_end_of_a_range_ends_its_permit_and_the_end_of_an_earlier_step_does_not() {
    let mut part = part(1, vec![rules(PLAIN, false, vec![]); 2]);
    let exit = |step| Report::StepExited { step, attempt: 1, outcome: Outcome::Succeeded };
    let out = Permitted { range: range(0, 1), accepted: true };
    part.permit = Some(out);
    part.apply(&exit(0), 1).unwrap();
    assert_eq!(part.permit, Some(out));
    part.apply(&exit(1), 1).unwrap();
    assert_eq!(part.permit, None);
}

#[test]
fn a_late_end_of_a_step_leaves_a_permit_that_was_not_taken_yet() {
    let mut part = part(1, vec![rules(PLAIN, false, vec![])]);
    let out = Permitted { range: range(0, 0), accepted: false };
    part.permit = Some(out);
    part.apply(&Report::StepExited { step: 0, attempt: 1, outcome: Outcome::Succeeded }, 1).unwrap();
    assert_eq!(part.permit, Some(out));
}

#[test]
fn a_report_about_an_attempt_that_never_was_is_an_error() {
    let mut part = part(1, vec![rules(PLAIN, false, vec![])]);
    for attempt in [0, 2] {
        assert!(part.apply(&Report::StepStarting { step: 0, attempt }, 1).is_err(), "{attempt}");
    }
    assert!(part.apply(&Report::StepStarting { step: 1, attempt: 1 }, 1).is_err());
    assert_eq!(part.steps[0].state, StepState::Pending);
}

#[test]
fn a_late_interruption_changes_no_step_that_is_over() {
    let mut part = part(1, vec![rules(PLAIN, false, vec![])]);
    part.steps[0].state = StepState::Completed;
    let late = Report::StepInterrupted { step: 0, attempt: 1, why: "the host died".into() };
    part.apply(&late, 1).unwrap();
    assert_eq!((part.steps[0].state, part.steps[0].attempt), (StepState::Completed, 1));
}

#[test]
fn nobody_knows_how_what_ran_has_ended_when_a_server_or_its_journal_is_gone() {
    let states = [StepState::Completed, StepState::Running, StepState::Pending];
    let mut part = part(1, vec![rules(PLAIN, false, vec![]); 3]);
    part.envelope = EnvelopeState::Accepted;
    part.permit = Some(Permitted { range: range(0, 2), accepted: true });
    part.steps.iter_mut().zip(states).for_each(|(step, state)| step.state = state);
    let mut lost = part.clone();
    part.give_up();
    let seen: Vec<StepState> = part.steps.iter().map(|step| step.state).collect();
    assert_eq!(seen, [StepState::Completed, StepState::Unknown, StepState::Pending]);
    assert_eq!((part.permit, &part.envelope), (None, &EnvelopeState::Accepted));
    lost.journal_lost("journal_lost".to_owned());
    assert_eq!(lost, RunPart { envelope: EnvelopeState::Refused("journal_lost".to_owned()), ..part });
}

#[test]
fn a_run_that_shall_end_neither_pauses_nor_resumes() {
    let mut run = Run { state: RunState::InProgress, ..Run::new(0) };
    run.pause().unwrap();
    assert_eq!(run.wish, Wish::Pause);
    run.resume(0).unwrap();
    assert_eq!(run.wish, Wish::Go);
    run.stop().unwrap();
    assert!(run.pause().is_err() && run.resume(0).is_err());
    assert_eq!(run.wish, Wish::Stop);
}

#[test]
fn only_a_step_that_failed_is_retried_and_only_within_seven_days() {
    let failure = RunFailure { code: "step_failed".into(), message: "1".into(), server: None, step: Some(0) };
    let mut parts = vec![part(1, vec![rules(PLAIN, false, vec![]); 2])];
    parts[0].steps[0].state = StepState::Failed;
    let mut run = Run { state: RunState::Failed(failure), ..Run::new(0) };
    assert_eq!(run.retry(&mut parts, Some(1), 0), Err(NotNow::NotFailed(1)));
    assert_eq!(run.retry(&mut parts, None, 604_800_001), Err(NotNow::TooOld));
    assert_eq!(run.retry(&mut parts, None, 604_800_000), Ok(()));
}

#[test]
fn a_state_survives_its_word_and_only_a_failed_one_has_a_failure() {
    let failure = RunFailure { code: "step_failed".into(), message: "1".into(), server: None, step: None };
    let failed = RunState::Failed(failure.clone());
    assert_eq!(RunState::from_word(failed.word(), Some(failure.clone())), Some(failed));
    for state in
        [RunState::Started, RunState::InProgress, RunState::Paused, RunState::Completed, RunState::Stopped]
    {
        assert_eq!(RunState::from_word(state.word(), None), Some(state.clone()));
        assert_eq!(RunState::from_word(state.word(), Some(failure.clone())), None);
    }
    assert_eq!(RunState::from_word("failed", None), None);
}

#[test]
fn an_interrupted_step_tries_again_by_itself_until_its_attempts_are_used_up() {
    let mut part = part(1, vec![rules(PLAIN, false, vec![])]);
    for attempt in 1..=4 {
        part.steps[0].state = StepState::Running;
        part.apply(&Report::StepInterrupted { step: 0, attempt, why: String::new() }, 1).unwrap();
        let tried = if attempt < 4 { (StepState::Pending, attempt + 1) } else { (StepState::Unknown, 4) };
        assert_eq!((part.steps[0].state, part.steps[0].attempt), tried);
    }
}

#[test]
fn a_run_whose_journal_is_lost_says_what_to_do_and_cannot_be_retried() {
    let mut run = Run { state: RunState::InProgress, ..Run::new(0) };
    let mut part = running_since(5, false);
    part.journal_lost("JOURNAL_LOST".to_owned());
    let actions = due(&run, std::slice::from_ref(&part), online(5));
    let failed = actions.into_iter().find_map(|action| {
        if let Action::Enter(RunState::Failed(failure)) = action { Some(failure) } else { None }
    });
    let failed = failed.unwrap();
    assert_eq!(failed.code, "journal_lost");
    assert!(failed.message.ends_with("deploy again"), "{failed:?}");
    run.move_to(RunState::Failed(failed), 0);
    assert_eq!(run.retry(&mut [part], None, 0), Err(NotNow::JournalLost));
}
