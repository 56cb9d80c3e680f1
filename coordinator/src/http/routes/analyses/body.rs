//! A reading in JSON.

use hydron_domain::analysis::{Analysis, AnalysisChange};
use hydron_domain::analysis_run::{AnalysisError, AnalysisRun, AnalysisState, StepView};
use hydron_proto::ids::{AnalysisId, ProjectId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::analyses::Reading;

/// A reading of a repository.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalysisRun)]
pub(super) struct AnalysisBody {
    id: AnalysisId,
    project_id: ProjectId,
    state: AnalysisState,
    /// The eight steps.
    steps: Vec<StepView>,
    source: SourceBody,
    error: Option<AnalysisError>,
    /// What it found, once it is done.
    result: Option<Analysis>,
    /// How it differs from the reading before of the same repository; absent when there was none.
    changes: Option<Vec<AnalysisChange>>,
    created_at: i64,
    finished_at: Option<i64>,
}

/// What is read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalysisSource)]
pub(super) struct SourceBody {
    url: String,
    /// Branch or tag; the full name once it is known.
    #[serde(rename = "ref")]
    reference: Option<String>,
    subdir: Option<String>,
    commit: Option<String>,
}

impl From<Reading> for AnalysisBody {
    fn from(reading: Reading) -> Self {
        Self { changes: reading.changes, ..Self::new(reading.run, reading.result) }
    }
}

impl AnalysisBody {
    pub(super) fn new(run: AnalysisRun, result: Option<Analysis>) -> Self {
        let reference = run.reference.or(run.source.reference);
        let source = SourceBody {
            url: run.source.url.to_string(),
            reference: reference.map(|reference| reference.to_string()),
            subdir: (!run.source.subdir.is_root()).then(|| run.source.subdir.to_string()),
            commit: run.commit.map(|commit| commit.to_string()),
        };
        Self {
            id: run.id,
            project_id: run.project,
            state: run.state,
            steps: run.steps,
            source,
            error: run.error,
            result,
            changes: None,
            created_at: run.created_at,
            finished_at: run.finished_at,
        }
    }
}
