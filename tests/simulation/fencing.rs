//! I7: a frame of an epoch that is over has no effect, also not after the executor died and came back.
//!
//! Rule: what the executor said in public binds it, whatever its journal says: who reported, accepted or refused by an epoch
//! never again does anything by a lower one.

use std::collections::BTreeMap;

use hydron_proto::ids::RunId;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, frame::Body};

use crate::dice::Dice;
use crate::journal::Journal;

#[derive(Debug, Default)]
pub(crate) struct Fencing {
    runs: BTreeMap<RunId, Known>,
    /// Frames that the executor refused because of their epoch.
    pub(crate) refused: u64,
}

#[derive(Debug, Default)]
struct Known {
    /// The highest epoch that the executor let others see, and what it was when the journal was last looked at.
    said: u64,
    said_before: u64,
    /// Records of the journal that were looked at: what was obeyed, and what began.
    looked_at: (usize, usize),
    /// The highest epoch of any frame that reached the agent, and the last permit.
    came: u64,
    permit: Option<wire::Permit>,
}

impl Fencing {
    /// A frame of a coordinator reached the agent.
    pub(crate) fn came(&mut self, body: &Body) {
        match body {
            Body::Permit(permit) => {
                if let Some(known) = self.of(&permit.run_id) {
                    known.came = known.came.max(permit.epoch);
                    known.permit = Some(permit.clone());
                }
            }
            Body::Hold(hold) => {
                if let Some(known) = self.of(&hold.run_id) {
                    known.came = known.came.max(hold.epoch);
                }
            }
            _frames_without_an_epoch => {}
        }
    }

    /// The agent lets others see what it knows.
    pub(crate) fn said(&mut self, body: &Body) {
        let reports = match body {
            Body::Hello(hello) => hello.runs.as_slice(),
            Body::RunsHeld(held) => held.runs.as_slice(),
            Body::Decision(decision) => {
                let stale = decision.code == RejectCode::StaleEpoch.code();
                self.refused += u64::from(stale);
                let obeyed = decision.code.is_empty() && decision.subject() == wire::DecisionSubject::Control;
                if stale || obeyed {
                    self.raise(&decision.run_id, decision.epoch + u64::from(stale));
                }
                return;
            }
            Body::Event(event) => {
                if let Some(wire::event::Body::PermitAccepted(accepted)) = &event.body {
                    self.raise(&event.run_id, accepted.epoch);
                }
                return;
            }
            _frames_without_an_epoch => return,
        };
        for report in reports {
            self.raise(&report.run_id, report.epoch);
        }
    }

    /// Every record of the journal goes by the newest epoch that was known when it was written.
    pub(crate) fn look(&mut self, run: RunId, journal: &Journal) {
        let known = self.runs.entry(run).or_default();
        let (obeyed, begun) = known.looked_at;
        let began = journal.epochs.values().skip(begun);
        for (epoch, highest) in journal.obeyed.iter().skip(obeyed).chain(began) {
            assert!(epoch >= highest, "I7: {run}: epoch {epoch} was obeyed when {highest} was known");
            let said = known.said_before;
            assert!(*epoch >= said, "I7: {run}: epoch {epoch} was obeyed, and {said} had been said before");
        }
        known.looked_at = (journal.obeyed.len(), journal.epochs.len());
        known.said_before = known.said;
    }

    /// What a coordinator that was deposed might have sent: it would start, hold or end something now.
    pub(crate) fn made_up(&self, run: RunId, journal: &Journal, dice: &mut Dice) -> Option<Body> {
        let known = self.runs.get(&run)?;
        // A permit by an epoch of which the executor has not heard the successor would be right.
        let is_known = journal.highest.max(known.said);
        let lower = |than: u64, dice: &mut Dice| {
            than.checked_sub(1).map(|most| if dice.permille(700) { most } else { dice.below(than) })
        };
        match dice.below(3) {
            0 => {
                let (first_step, attempt) = journal.next()?;
                let epoch = lower(is_known, dice)?;
                let permit = known.permit.clone()?;
                Some(Body::Permit(wire::Permit {
                    first_step,
                    last_step: first_step,
                    attempt,
                    epoch,
                    ..permit
                }))
            }
            1 => {
                let (step, attempt) = journal.running()?;
                let command = Some(wire::CommandId { run_id: run.to_string(), step, attempt });
                Some(Body::Cancel(wire::Cancel { command, epoch: lower(is_known, dice)?, grace_ms: 0 }))
            }
            // Who obeys a hold loses time and nothing else: it may be older than any frame that came.
            _ => Some(Body::Hold(wire::Hold { run_id: run.to_string(), epoch: lower(known.came, dice)? })),
        }
    }

    /// A hold by the newest epoch that is certainly over.
    pub(crate) fn newest_of_the_old(&self, run: RunId) -> Option<Body> {
        let epoch = self.runs.get(&run)?.said.checked_sub(1)?;
        Some(Body::Hold(wire::Hold { run_id: run.to_string(), epoch }))
    }

    fn of(&mut self, run: &str) -> Option<&mut Known> {
        run.parse().ok().map(|run| self.runs.entry(run).or_default())
    }

    fn raise(&mut self, run: &str, epoch: u64) {
        if let Some(known) = self.of(run) {
            known.said = known.said.max(epoch);
        }
    }
}

/// What the coordinator before would have sent in the place of a permit: the same one, and then a hold.
pub(crate) fn of_the_one_before(body: &Body) -> Option<[Body; 2]> {
    match body {
        Body::Permit(permit) if permit.epoch > 1 => {
            let epoch = permit.epoch - 1;
            let hold = wire::Hold { run_id: permit.run_id.clone(), epoch };
            Some([Body::Permit(wire::Permit { epoch, ..permit.clone() }), Body::Hold(hold)])
        }
        _other_frames => None,
    }
}
