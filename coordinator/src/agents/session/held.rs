//! The runs that an agent still holds: where our copy of each ends, and which of them may go.
//!
//! Rule: a run goes when it is over and every entry and byte that the agent has of it is stored here. Asked in the hello,
//! and again now and then, since a connection may last for weeks. Neighbour: `hello`.

use hydron_domain::run::{RESUME_WITHIN_MS, RunState};
use hydron_proto::ids::RunId;
use hydron_proto::wire;
use hydron_store::servers::Server;
use hydron_store::{StoreError, TeamStore};

use crate::app::AppState;

/// What is known here of these runs. One that is not known at all stands in neither list.
pub(super) async fn known(
    app: &AppState,
    server: &Server,
    reports: &[wire::RunReport],
) -> Result<wire::RunsKnown, StoreError> {
    let asked = Asked { app, server, team: app.store.team(server.team) };
    let mut known = wire::RunsKnown::default();
    for report in reports {
        let Ok(run) = report.run_id.parse::<RunId>() else { continue };
        match asked.position(run, report).await? {
            Position::Unknown => {}
            Position::Forget => known.forget.push(report.run_id.clone()),
            Position::Resume(position) => known.resume.push(position),
        }
    }
    Ok(known)
}

enum Position {
    Unknown,
    Forget,
    Resume(wire::RunResume),
}

struct Asked<'a> {
    app: &'a AppState,
    server: &'a Server,
    team: TeamStore,
}

impl Asked<'_> {
    async fn position(&self, run: RunId, report: &wire::RunReport) -> Result<Position, StoreError> {
        let (Some(stored), Some(acknowledged_seq)) =
            (self.team.run(run).await?, self.team.journal_position(run, self.server.id).await?)
        else {
            return Ok(Position::Unknown);
        };
        let logs = self.team.log_positions(run, self.server.id).await?;
        let length_of = |step: u32, attempt: u32| {
            logs.iter().find(|log| (log.0, log.1) == (step, attempt)).map_or(0, |log| log.2)
        };
        let complete = report.last_seq <= acknowledged_seq
            && report.logs.iter().all(|log| {
                let command = log.command.clone().unwrap_or_default();
                log.finished && length_of(command.step, command.attempt) >= log.length
            });
        let over = match stored.head.state {
            RunState::Completed | RunState::Stopped => true,
            // A retry may still need it.
            RunState::Failed(_) => self.app.now() - stored.head.changed_at > RESUME_WITHIN_MS,
            RunState::Started | RunState::InProgress | RunState::Paused => false,
        };
        if over && complete {
            return Ok(Position::Forget);
        }
        let logs = logs.into_iter().map(|(step, attempt, length, finished)| wire::LogPosition {
            command: Some(wire::CommandId { run_id: run.to_string(), step, attempt }),
            length,
            finished,
        });
        Ok(Position::Resume(wire::RunResume {
            run_id: run.to_string(),
            acknowledged_seq,
            logs: logs.collect(),
        }))
    }
}
