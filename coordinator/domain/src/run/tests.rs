//! The engine against a model of an executor that journals, crashes, loses its link, and refuses what it must refuse.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hydron_proto::ids::ServerId;
use hydron_proto::plan::{InterruptPolicy, Phase, StepRef};
use proptest::prelude::*;

use super::*;

mod decisions;

fn server(number: u8) -> ServerId {
    ServerId::new(1, [number; 10])
}

fn rules(on_interrupt: InterruptPolicy, guarded: bool, after: Vec<StepRef>) -> StepRules {
    StepRules { phase: Phase::Build, after, guarded, on_interrupt }
}

fn part(number: u8, steps: Vec<StepRules>) -> RunPart {
    RunPart {
        server: server(number),
        envelope: EnvelopeState::Signed,
        permit: None,
        steps: steps.into_iter().map(RunStep::new).collect(),
    }
}

#[derive(Clone, Debug)]
enum Message {
    Envelope,
    Permit(StepRange),
    Hold,
}

/// The server's side. Panics on a second start of an attempt: the property under test.
#[derive(Default)]
struct Executor {
    journal: Vec<Report>,
    holds_envelope: bool,
    range: Option<(StepRange, u32)>,
    running: Option<(u32, u32)>,
    held: bool,
    ended: BTreeMap<u32, bool>,
    interrupted: BTreeSet<u32>,
    starts: BTreeSet<(u32, u32)>,
    /// Unjournalled answers on the live connection.
    quiet_answers: u32,
    refused: u32,
}

impl Executor {
    fn receive(&mut self, message: &Message) {
        match message {
            Message::Envelope => {
                if !self.holds_envelope {
                    self.holds_envelope = true;
                    self.journal.push(Report::EnvelopeAccepted);
                }
            }
            Message::Hold if self.range.is_some() => self.held = true,
            Message::Hold => self.quiet_answers += 1,
            Message::Permit(range) => self.permit(*range),
        }
    }

    fn permit(&mut self, range: StepRange) {
        assert!(self.holds_envelope, "a permit came before its envelope");
        if self.range.is_some_and(|(active, _)| active == range) {
            return;
        }
        let used = self.starts.contains(&(range.first, range.attempt));
        if self.range.is_some() || used || self.ended.get(&range.first) == Some(&true) {
            self.refused += 1;
            return;
        }
        let before =
            (0..range.first).all(|s| self.ended.get(&s) == Some(&true) || self.interrupted.contains(&s));
        assert!(before, "permit {range:?} skips a step that is not done");
        self.journal.push(Report::PermitAccepted {
            first: range.first,
            last: range.last,
            attempt: range.attempt,
            epoch: 1,
        });
        self.range = Some((range, range.first));
        self.held = false;
    }

    fn work(&mut self, fails: bool) {
        if let Some((step, attempt)) = self.running.take() {
            self.ended.insert(step, !fails);
            let outcome = if fails {
                Outcome::Failed(StepFailure { code: "exit".into(), message: "1".into() })
            } else {
                Outcome::Succeeded
            };
            self.journal.push(Report::StepExited { step, attempt, outcome });
            let Some((range, _)) = self.range else { return };
            if fails {
                self.end(step, RangeEnd::StepFailed);
            } else if step == range.last {
                self.end(step + 1, RangeEnd::Completed);
            } else {
                self.range = Some((range, step + 1));
            }
        } else if let Some((range, next)) = self.range {
            if self.held {
                self.end(next, RangeEnd::Held);
                return;
            }
            let attempt = if next == range.first { range.attempt } else { 1 };
            assert!(self.starts.insert((next, attempt)), "step {next} attempt {attempt} started twice");
            self.interrupted.remove(&next);
            self.journal.push(Report::StepStarting { step: next, attempt });
            self.running = Some((next, attempt));
        }
    }

    fn crash(&mut self) {
        if let Some((step, attempt)) = self.running.take() {
            self.interrupted.insert(step);
            self.journal.push(Report::StepInterrupted { step, attempt, why: "lost".into() });
            self.end(step, RangeEnd::Interrupted);
        }
    }

    fn end(&mut self, next_step: u32, end: RangeEnd) {
        self.range = None;
        self.held = false;
        self.journal.push(Report::RangeEnded { next_step, end });
    }
}

#[derive(Default)]
struct Link {
    connection: u64,
    up: bool,
    hello_length: usize,
    stored: usize,
    offered: bool,
    permit_sent: bool,
    hold_sent: bool,
    to_agent: VecDeque<Message>,
}

struct World {
    run: Run,
    parts: Vec<RunPart>,
    executors: Vec<Executor>,
    links: Vec<Link>,
}

impl World {
    fn new(parts: Vec<RunPart>) -> Self {
        let executors = parts.iter().map(|_| Executor::default()).collect();
        let links = parts.iter().map(|_| Link::default()).collect();
        Self { run: Run::new(0), parts, executors, links }
    }

    fn at(&self, server: ServerId) -> usize {
        self.parts.iter().position(|part| part.server == server).unwrap()
    }

    fn views(&self) -> BTreeMap<ServerId, AgentView> {
        let view = |link: &Link| {
            if !link.up {
                return AgentView::Offline;
            }
            AgentView::Online {
                connection: link.connection,
                caught_up: link.stored >= link.hello_length,
                offered: link.offered,
                permit_sent: link.permit_sent,
                hold_sent: link.hold_sent,
            }
        };
        self.parts.iter().zip(&self.links).map(|(part, link)| (part.server, view(link))).collect()
    }

    fn drive(&mut self) {
        for _ in 0..50 {
            let actions = decide(&self.run, &self.parts, &self.views());
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.act(action);
            }
        }
        panic!("decide never rests: {:?}", decide(&self.run, &self.parts, &self.views()));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Proceed => self.run.move_to(RunState::InProgress, 0),
            Action::OfferEnvelope { server } => {
                let link = self.link(server);
                link.offered = true;
                link.to_agent.push_back(Message::Envelope);
            }
            Action::Permit { server, range } => {
                let at = self.at(server);
                let part = &mut self.parts[at];
                assert!(part.permit.is_none(), "two permits out");
                for step in range.first..=range.last {
                    assert_eq!(part.steps[step as usize].state, StepState::Pending, "step {step}");
                }
                part.permit = Some(Permitted { range, accepted: false });
                self.links[at].permit_sent = false;
                self.send_permit(at);
            }
            Action::SendPermit { server } => {
                let at = self.at(server);
                self.send_permit(at);
            }
            Action::Hold { server } => {
                let link = self.link(server);
                link.hold_sent = true;
                link.to_agent.push_back(Message::Hold);
            }
            Action::Confirm { server, step, .. } => {
                let at = self.at(server);
                self.parts[at].steps[step as usize].started_on = Some(self.links[at].connection);
            }
            Action::GiveUp { .. } => panic!("nobody was revoked"),
            Action::SkipPending => {
                for step in self.parts.iter_mut().flat_map(|part| &mut part.steps) {
                    if step.state == StepState::Pending {
                        step.state = StepState::Skipped;
                    }
                }
            }
            Action::Enter(state) => self.run.move_to(state, 0),
            Action::Note(note) => self.run.note = note,
        }
    }

    fn link(&mut self, server: ServerId) -> &mut Link {
        let at = self.at(server);
        &mut self.links[at]
    }

    fn send_permit(&mut self, at: usize) {
        let link = &mut self.links[at];
        if link.up {
            link.permit_sent = true;
            link.hold_sent = false;
            let range = self.parts[at].permit.unwrap().range;
            link.to_agent.push_back(Message::Permit(range));
        }
    }

    fn connect(&mut self, at: usize) {
        let link = &mut self.links[at];
        if !link.up {
            *link = Link {
                connection: link.connection + 1,
                up: true,
                hello_length: self.executors[at].journal.len(),
                stored: link.stored,
                ..Link::default()
            };
            self.executors[at].quiet_answers = 0;
            self.executors[at].refused = 0;
        }
    }

    fn cut(&mut self, at: usize) {
        self.links[at].up = false;
        self.links[at].to_agent.clear();
    }

    fn deliver(&mut self, at: usize) {
        if let Some(message) = self.links[at].to_agent.pop_front() {
            self.executors[at].receive(&message);
        }
    }

    /// Answers first, then the journal: one of each, so that neither waits for the other for ever.
    fn report(&mut self, at: usize) {
        let link = &mut self.links[at];
        if !link.up {
            return;
        }
        if self.executors[at].refused > 0 {
            self.executors[at].refused -= 1;
            self.parts[at].permit_refused();
        }
        if let Some(report) = self.executors[at].journal.get(link.stored) {
            link.stored += 1;
            self.parts[at].apply(report, link.connection).unwrap();
        } else if self.executors[at].quiet_answers > 0 {
            self.executors[at].quiet_answers -= 1;
            self.parts[at].nothing_runs();
        }
    }

    /// One random thing happens; then the driver looks.
    fn step(&mut self, op: u8, choice: u8) {
        let at = usize::from(choice) % self.parts.len();
        match op % 16 {
            0 => self.cut(at),
            1 => self.executors[at].crash(),
            2 => drop(self.run.pause()),
            3 => drop(self.run.resume(0)),
            4 if choice > 250 => drop(self.run.stop()),
            5 => drop(self.run.retry(&mut self.parts, None, 0)),
            6 => self.answer_unknown(choice),
            7 | 8 => self.connect(at),
            9 | 10 => self.deliver(at),
            11 | 12 => self.report(at),
            _ => self.executors[at].work(choice.is_multiple_of(13)),
        }
        self.drive();
    }

    fn answer_unknown(&mut self, choice: u8) {
        let unknown = self.parts.iter().find_map(|part| {
            let step = part.steps.iter().position(|step| step.state == StepState::Unknown)?;
            Some((part.server, u32::try_from(step).unwrap()))
        });
        if let Some((server, step)) = unknown {
            let resolution =
                if choice.is_multiple_of(2) { Resolution::AdoptResult } else { Resolution::Rerun };
            drop(self.run.resolve(&mut self.parts, server, step, resolution));
        }
    }

    /// Everything works from now on.
    fn calm(&mut self) {
        for round in 0..2000u32 {
            for at in 0..self.parts.len() {
                self.connect(at);
                self.deliver(at);
                self.report(at);
                self.executors[at].work(false);
            }
            drop(self.run.resume(0));
            self.answer_unknown(u8::try_from(round % 2).unwrap());
            self.drive();
            if self.run.state.is_over()
                && self.links.iter().zip(&self.executors).all(|(l, e)| l.stored == e.journal.len())
            {
                return;
            }
        }
        panic!("the run hangs in {:?}: {:?} {:?}", self.run, self.parts, self.views());
    }
}

fn any_policy() -> impl Strategy<Value = InterruptPolicy> {
    prop_oneof![
        Just(InterruptPolicy::Rerun),
        Just(InterruptPolicy::CheckThenRerun),
        Just(InterruptPolicy::Ask)
    ]
}

/// Two servers; the second may wait for steps of the first.
fn any_parts() -> impl Strategy<Value = Vec<RunPart>> {
    let step = (any_policy(), prop::bool::weighted(0.1), proptest::option::weighted(0.2, 0u32..4));
    let first = prop::collection::vec((any_policy(), prop::bool::weighted(0.1)), 4..8);
    (first, prop::collection::vec(step, 1..6)).prop_map(|(first, second)| {
        let first = first.into_iter().map(|(policy, guarded)| rules(policy, guarded, vec![])).collect();
        let second = second.into_iter().map(|(policy, guarded, after)| {
            let after = after.map(|step| StepRef { server: server(1), step }).into_iter().collect();
            rules(policy, guarded, after)
        });
        vec![part(1, first), part(2, second.collect())]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_fails_no_attempt_starts_twice_and_the_run_ends(
        parts in any_parts(),
        story in prop::collection::vec((any::<u8>(), any::<u8>()), 0..250),
    ) {
        let mut world = World::new(parts);
        for (op, choice) in story {
            let over = matches!(world.run.state, RunState::Completed | RunState::Stopped).then(|| world.run.state.clone());
            world.step(op, choice);
            if let Some(state) = over {
                prop_assert_eq!(&world.run.state, &state, "an end is left");
            }
        }
        world.calm();
        if world.run.state == RunState::Completed {
            prop_assert!(world.parts.iter().flat_map(|part| &part.steps).all(|step| step.state == StepState::Completed));
        }
    }
}

fn calm_world(parts: Vec<RunPart>) -> World {
    let mut world = World::new(parts);
    world.calm();
    world
}

#[test]
fn a_plan_without_barriers_is_one_permit() {
    let world = calm_world(vec![part(1, vec![rules(InterruptPolicy::Rerun, false, vec![]); 5])]);
    let permits = world.executors[0].journal.iter().filter(|r| matches!(r, Report::PermitAccepted { .. }));
    assert_eq!(permits.count(), 1);
    assert_eq!(world.run.state, RunState::Completed);
}

#[test]
fn a_range_ends_before_another_servers_result_a_guarded_step_and_ask() {
    let plain = || rules(InterruptPolicy::Rerun, false, vec![]);
    let waits = rules(InterruptPolicy::Rerun, false, vec![StepRef { server: server(1), step: 3 }]);
    let first = vec![
        plain(),
        plain(),
        rules(InterruptPolicy::Ask, false, vec![]),
        plain(),
        rules(InterruptPolicy::Rerun, true, vec![]),
        plain(),
    ];
    let world = calm_world(vec![part(1, first), part(2, vec![plain(), waits, plain()])]);
    let ranges = |at: usize| -> Vec<(u32, u32)> {
        let range = |report: &Report| {
            let Report::PermitAccepted { first, last, .. } = report else { return None };
            Some((*first, *last))
        };
        world.executors[at].journal.iter().filter_map(range).collect()
    };
    assert_eq!(ranges(0), [(0, 1), (2, 3), (4, 4), (5, 5)]);
    assert_eq!(ranges(1), [(0, 0), (1, 2)]);
}

#[test]
fn a_failed_step_skips_what_is_left_everywhere_and_retry_takes_it_up() {
    let plain = || rules(InterruptPolicy::Rerun, false, vec![]);
    let waits = rules(InterruptPolicy::Rerun, false, vec![StepRef { server: server(1), step: 1 }]);
    let mut world = World::new(vec![part(1, vec![plain(), plain(), plain()]), part(2, vec![waits])]);
    for at in 0..2 {
        world.connect(at);
    }
    for _ in 0..4 {
        world.drive();
        world.deliver(0);
        world.report(0);
    }
    for fails in [false, false, false, true] {
        world.executors[0].work(fails);
    }
    for _ in 0..10 {
        world.report(0);
        world.drive();
    }
    let RunState::Failed(failure) = &world.run.state else { panic!("{:?}", world.run) };
    assert_eq!((failure.server, failure.step), (Some(server(1)), Some(1)));
    let states: Vec<_> = world.parts.iter().flat_map(|p| p.steps.iter().map(|s| s.state)).collect();
    assert_eq!(states, [StepState::Completed, StepState::Failed, StepState::Skipped, StepState::Skipped]);
    assert!(world.run.pause().is_err() && world.run.stop().is_err());
    world.run.retry(&mut world.parts, Some(1), 0).unwrap();
    world.calm();
    assert_eq!(world.run.state, RunState::Completed);
    assert_eq!(world.parts[0].steps[1].attempt, 2);
}

#[test]
fn an_offline_agent_is_a_note_and_changes_no_state() {
    let mut world = World::new(vec![part(1, vec![rules(InterruptPolicy::Rerun, false, vec![])])]);
    world.drive();
    assert_eq!(
        (world.run.state.clone(), world.run.note),
        (RunState::InProgress, Some(RunNote::AgentOffline))
    );
    world.connect(0);
    world.drive();
    assert_eq!(world.run.note, None);
}

#[test]
fn an_unknown_outcome_pauses_and_waits_for_a_person() {
    let mut world = World::new(vec![part(1, vec![rules(InterruptPolicy::Ask, false, vec![]); 2])]);
    world.connect(0);
    for _ in 0..4 {
        world.drive();
        world.deliver(0);
        world.report(0);
    }
    world.executors[0].work(false);
    world.executors[0].crash();
    for _ in 0..6 {
        world.report(0);
        world.drive();
    }
    assert_eq!((world.run.state.clone(), world.run.note), (RunState::Paused, Some(RunNote::NeedsDecision)));
    assert_eq!(world.parts[0].steps[0].state, StepState::Unknown);
    world.run.resolve(&mut world.parts, server(1), 0, Resolution::AdoptResult).unwrap();
    world.calm();
    assert_eq!(world.run.state, RunState::Completed);
    assert!(!world.executors[0].starts.contains(&(0, 2)));
}

#[test]
fn a_revoked_server_fails_the_run_and_its_running_step_is_unknown_to_us() {
    let mut world = World::new(vec![part(1, vec![rules(InterruptPolicy::Rerun, false, vec![]); 2])]);
    world.connect(0);
    for _ in 0..4 {
        world.drive();
        world.deliver(0);
        world.report(0);
    }
    let revoked = BTreeMap::from([(server(1), AgentView::Revoked)]);
    let actions = decide(&world.run, &world.parts, &revoked);
    assert_eq!(actions.first(), Some(&Action::GiveUp { server: server(1) }));
    assert!(matches!(actions.last(), Some(Action::Enter(RunState::Failed(f))) if f.code == "server_revoked"));
}

#[test]
fn a_run_that_waited_for_more_than_seven_days_is_not_taken_up() {
    let mut run = Run::new(0);
    run.move_to(RunState::Paused, 0);
    assert!(run.resume(RESUME_WITHIN_MS).is_ok());
    assert_eq!(run.resume(RESUME_WITHIN_MS + 1), Err(NotNow::TooOld));
}
