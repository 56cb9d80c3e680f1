//! `/runs`: runs with their live steps and output, and the ways to steer them.

mod events;
mod get;
mod list;
mod log_stream;
mod logs;
mod start;
mod steer;

pub(in crate::http) use get::shown;

use std::collections::BTreeSet;

use hydron_domain::run::{
    PhaseView, RunFailure, RunKind, RunNote, RunState, StepFailure, StepState, Wish, phases,
};
use hydron_proto::ids::{ProjectId, RunId, ServerId, ServiceId};
use hydron_proto::plan::{ActionKind, Phase};
use hydron_store::runs::{PartDetail, RunDetail, StepDetail};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::principal::Permission;
use crate::services::runs::steer::SteerError;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_runs, start::start_run))
        .routes(routes!(get::get_run))
        .routes(routes!(steer::pause_run))
        .routes(routes!(steer::resume_run))
        .routes(routes!(steer::stop_run))
        .routes(routes!(steer::retry_run))
        .routes(routes!(steer::resolve_run))
        .routes(routes!(events::stream_run))
        .routes(routes!(logs::read_log))
        .routes(routes!(log_stream::stream_log))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_runs", Access::Needs(Permission::ProjectsRead)),
    ("start_run", Access::Needs(Permission::RunsControl)),
    ("get_run", Access::Needs(Permission::ProjectsRead)),
    ("pause_run", Access::Needs(Permission::RunsControl)),
    ("resume_run", Access::Needs(Permission::RunsControl)),
    ("stop_run", Access::Needs(Permission::RunsControl)),
    ("retry_run", Access::Needs(Permission::RunsControl)),
    ("resolve_run", Access::Needs(Permission::RunsControl)),
    ("stream_run", Access::Needs(Permission::ProjectsRead)),
    ("read_log", Access::Needs(Permission::ProjectsRead)),
    ("stream_log", Access::Needs(Permission::ProjectsRead)),
];

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(in crate::http) struct RunBody {
    id: RunId,
    project_id: ProjectId,
    kind: RunKind,
    title: String,
    /// `started`, `in_progress`, `paused`, `completed`, `failed` or `stopped`.
    state: &'static str,
    note: Option<RunNote>,
    /// It will pause after the step that is running.
    pausing: bool,
    /// It will stop after the step that is running.
    stopping: bool,
    started_at: i64,
    finished_at: Option<i64>,
    /// Who asked for it.
    requested_by: String,
    commit: Option<String>,
    error: Option<RunFailure>,
    /// Where it serves, once known.
    url: Option<String>,
    phases: Vec<PhaseView>,
    servers: Vec<RunServerBody>,
}

/// One server's part of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunServer)]
pub(in crate::http) struct RunServerBody {
    server_id: ServerId,
    name: String,
    online: bool,
    steps: Vec<RunStepBody>,
}

/// A step of a run, at its current attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunStep)]
pub(in crate::http) struct RunStepBody {
    index: u32,
    title: String,
    phase: Phase,
    service_id: Option<ServiceId>,
    kind: ActionKind,
    state: StepState,
    attempt: u32,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    /// What it is doing right now, in words.
    doing: Option<String>,
    error: Option<StepFailure>,
    /// It found its work done and changed nothing.
    already_done: bool,
    /// Bytes of output stored so far.
    log_length: u64,
    /// What it reports, by kind.
    result: Option<serde_json::Value>,
}

impl RunBody {
    /// A run as it is now.
    pub(in crate::http) fn new(app: &AppState, detail: RunDetail, online: &BTreeSet<ServerId>) -> Self {
        let RunDetail { run, parts } = detail;
        let steps = parts.iter().flat_map(|part| &part.steps);
        let timed: Vec<_> = steps.map(|s| (s.phase, s.state, s.started_at, s.finished_at)).collect();
        let active = matches!(run.head.state, RunState::Started | RunState::InProgress);
        let failure = match &run.head.state {
            RunState::Failed(failure) => Some(with_reason(failure.clone(), &parts)),
            RunState::Started
            | RunState::InProgress
            | RunState::Paused
            | RunState::Completed
            | RunState::Stopped => None,
        };
        Self {
            id: run.id,
            project_id: run.project,
            kind: run.kind,
            title: run.title,
            state: run.head.state.word(),
            note: run.head.note,
            pausing: active && run.head.wish == Wish::Pause,
            stopping: !run.head.state.is_over() && run.head.wish == Wish::Stop,
            started_at: run.created_at,
            finished_at: run.finished_at,
            requested_by: run.requested_by_name,
            commit: run.commit,
            error: failure,
            url: run.url,
            phases: phases(&timed),
            servers: parts.into_iter().map(|part| RunServerBody::new(app, run.id, part, online)).collect(),
        }
    }
}

/// The run names the step that failed; the step knows why.
fn with_reason(failure: RunFailure, parts: &[PartDetail]) -> RunFailure {
    let part = failure.server.and_then(|server| parts.iter().find(|part| part.server == server));
    let step = failure.step.zip(part).and_then(|(step, part)| part.steps.get(step as usize));
    match step.and_then(|step| step.failure.as_ref().map(|why| (step, why))) {
        Some((step, why)) => RunFailure { message: format!("{}: {}", step.title, why.message), ..failure },
        None => failure,
    }
}

impl RunServerBody {
    fn new(app: &AppState, run: RunId, part: PartDetail, online: &BTreeSet<ServerId>) -> Self {
        let doing = app.agents.doing(run, part.server);
        let steps = part.steps.into_iter().map(|step| {
            let now = doing.as_ref().filter(|now| (now.step, now.attempt) == (step.index, step.attempt));
            RunStepBody::new(step, now.map(|now| now.text.clone()))
        });
        Self {
            server_id: part.server,
            name: part.name,
            online: online.contains(&part.server),
            steps: steps.collect(),
        }
    }
}

impl RunStepBody {
    fn new(step: StepDetail, doing: Option<String>) -> Self {
        Self {
            doing: doing.filter(|_| step.state == StepState::Running),
            index: step.index,
            title: step.title,
            phase: step.phase,
            service_id: step.service,
            kind: step.kind,
            state: step.state,
            attempt: step.attempt,
            started_at: step.started_at,
            finished_at: step.finished_at,
            error: step.failure,
            already_done: step.already_done,
            log_length: step.log_length,
            result: step.result,
        }
    }
}

impl From<SteerError> for Problem {
    fn from(error: SteerError) -> Self {
        match error {
            SteerError::Denied(denied) => denied.into(),
            SteerError::NotFound => Self::not_found("run"),
            SteerError::NotNow(not_now) => Self::conflict("wrong_state", format!("{not_now}.")),
            SteerError::Busy => Self::conflict(
                "wrong_state",
                "Another run of this project is going on; wait for it or stop it first.",
            ),
            SteerError::Store(error) => error.into(),
        }
    }
}
