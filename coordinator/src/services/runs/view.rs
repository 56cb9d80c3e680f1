//! Looking at runs and at the output of their steps.

use hydron_proto::ids::{ProjectId, RunId, ServerId};
use hydron_store::logs::LogKey;
use hydron_store::runs::{RunDetail, StoredRun};

use crate::app::AppState;
use crate::services::input::ReadError;
use crate::services::principal::{Permission, Principal};

/// Most bytes of output in one answer.
pub const MOST_LOG: usize = 256 * 1024;

/// A part of a step's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Where the bytes begin; later than asked when what came before was let go.
    pub offset: u64,
    /// Where to ask on.
    pub next_offset: u64,
    /// Nothing will come after.
    pub end: bool,
    /// Output that was let go, as from and to.
    pub gaps: Vec<(u64, u64)>,
    /// The output, as text; what is not UTF-8 is replaced.
    pub text: String,
    /// Bytes known so far.
    pub length: u64,
}

/// A run with its parts and steps.
pub async fn get(app: &AppState, principal: &Principal, run: RunId) -> Result<RunDetail, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.run_detail(run).await?.ok_or(ReadError::NotFound("run"))
}

/// Runs of a project, newest first.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
    cursor: Option<RunId>,
    limit: i64,
) -> Result<Vec<StoredRun>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.project(project).await?.ok_or(ReadError::NotFound("project"))?;
    Ok(access.team.runs(project, cursor, limit).await?)
}

/// The newest event of a run after `cursor`; none when nothing happened since.
pub async fn changed_after(
    app: &AppState,
    principal: &Principal,
    run: RunId,
    cursor: i64,
) -> Result<Option<i64>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    Ok(access.team.last_event_about(&run.to_string(), cursor).await?)
}

/// Output of a step from `offset` on. Without an attempt, the current one.
pub async fn log(
    app: &AppState,
    principal: &Principal,
    run: RunId,
    (server, step, attempt): (Option<ServerId>, u32, Option<u32>),
    offset: u64,
    limit: usize,
) -> Result<(LogKey, LogPage), ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let detail = access.team.run_detail(run).await?.ok_or(ReadError::NotFound("run"))?;
    let part = match server {
        Some(server) => detail.parts.iter().find(|part| part.server == server),
        None => detail.parts.first(),
    };
    let part = part.ok_or(ReadError::NotFound("server in this run"))?;
    let record = part.steps.get(step as usize).ok_or(ReadError::NotFound("step"))?;
    let key = LogKey { run, server: part.server, step, attempt: attempt.unwrap_or(record.attempt) };
    let page = page(app, principal, key, offset, limit).await?;
    Ok((key, page))
}

/// The same, when the command is known already.
pub async fn page(
    app: &AppState,
    principal: &Principal,
    key: LogKey,
    offset: u64,
    limit: usize,
) -> Result<LogPage, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let position = access.team.log_position(key).await?;
    let (stored, declared) = position.map_or((0, None), |p| (p.stored, p.declared.map(|log| log.length)));
    let mut gaps = Vec::new();
    let mut slice = access.team.read_log(key, offset, limit.clamp(1, MOST_LOG)).await?;
    if slice.bytes.is_empty() && offset < stored {
        let from = access.team.next_log_offset(key, offset).await?.unwrap_or(stored);
        gaps.push((offset, from));
        slice = access.team.read_log(key, from, limit.clamp(1, MOST_LOG)).await?;
    }
    let end_of_page = slice.offset + slice.bytes.len() as u64;
    let cut = whole_characters(&slice.bytes, declared == Some(end_of_page));
    let next_offset = slice.offset + cut as u64;
    let text = String::from_utf8_lossy(slice.bytes.get(..cut).unwrap_or_default()).into_owned();
    Ok(LogPage {
        offset: slice.offset,
        next_offset,
        end: declared == Some(next_offset),
        gaps,
        text,
        length: stored,
    })
}

/// How many bytes to show, so that a character that is still arriving is not shown broken.
fn whole_characters(bytes: &[u8], complete: bool) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if !complete && error.error_len().is_none() && error.valid_up_to() > 0 => {
            error.valid_up_to()
        }
        Err(_) | Ok(_) => bytes.len(),
    }
}
