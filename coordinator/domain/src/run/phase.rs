//! Phases of a run, derived from its steps: never stored, so they cannot disagree.

use hydron_proto::plan::Phase;

use super::step::StepState;

/// Where a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// No step of it has started.
    Pending,
    /// Some have.
    Running,
    /// All are done.
    Completed,
    /// One failed or is unknown.
    Failed,
    /// None ran, and none will.
    Skipped,
}

/// A phase with its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct PhaseView {
    /// Which.
    pub phase: Phase,
    /// Where it stands.
    pub state: PhaseState,
    /// Start of its first step, milliseconds since 1970.
    pub started_at: Option<i64>,
    /// End of its last step.
    pub finished_at: Option<i64>,
}

/// The phases of `steps` (phase, state, start, end), in the order of a run.
pub fn phases(steps: &[(Phase, StepState, Option<i64>, Option<i64>)]) -> Vec<PhaseView> {
    let mut order: Vec<Phase> = steps.iter().map(|step| step.0).collect();
    order.sort_unstable();
    order.dedup();
    order.into_iter().map(|phase| view(phase, steps)).collect()
}

fn view(phase: Phase, steps: &[(Phase, StepState, Option<i64>, Option<i64>)]) -> PhaseView {
    let own: Vec<_> = steps.iter().filter(|step| step.0 == phase).collect();
    let all = |state: StepState| own.iter().all(|step| step.1 == state);
    let any = |state: StepState| own.iter().any(|step| step.1 == state);
    let state = if any(StepState::Failed) || any(StepState::Unknown) {
        PhaseState::Failed
    } else if all(StepState::Completed) {
        PhaseState::Completed
    } else if all(StepState::Pending) {
        PhaseState::Pending
    } else if any(StepState::Running) || any(StepState::Pending) {
        PhaseState::Running
    } else {
        PhaseState::Skipped
    };
    let over = matches!(state, PhaseState::Completed | PhaseState::Failed);
    PhaseView {
        phase,
        state,
        started_at: own.iter().filter_map(|step| step.2).min(),
        finished_at: if over { own.iter().filter_map(|step| step.3).max() } else { None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_of(states: &[StepState]) -> PhaseState {
        let steps: Vec<_> = states.iter().map(|state| (Phase::Build, *state, None, None)).collect();
        phases(&steps)[0].state
    }

    #[test]
    fn a_phase_is_as_far_as_its_steps() {
        use StepState::{Completed, Failed, Pending, Running, Skipped, Unknown};
        for (states, phase) in [
            ([Pending, Pending], PhaseState::Pending),
            ([Running, Pending], PhaseState::Running),
            ([Completed, Pending], PhaseState::Running),
            ([Completed, Running], PhaseState::Running),
            ([Completed, Completed], PhaseState::Completed),
            ([Completed, Failed], PhaseState::Failed),
            ([Unknown, Pending], PhaseState::Failed),
            ([Skipped, Skipped], PhaseState::Skipped),
            ([Completed, Skipped], PhaseState::Skipped),
        ] {
            assert_eq!(state_of(&states), phase, "{states:?}");
        }
    }

    #[test]
    fn a_phase_lasts_from_its_first_start_to_its_last_end() {
        let steps = [
            (Phase::Deploy, StepState::Running, Some(40), None),
            (Phase::Build, StepState::Completed, Some(20), Some(30)),
            (Phase::Build, StepState::Completed, Some(10), Some(25)),
        ];
        let times: Vec<_> = phases(&steps).iter().map(|v| (v.phase, v.started_at, v.finished_at)).collect();
        assert_eq!(times, [(Phase::Build, Some(10), Some(30)), (Phase::Deploy, Some(40), None)]);
    }
}
