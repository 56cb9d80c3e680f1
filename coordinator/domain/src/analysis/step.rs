//! The eight steps an analysis shows while it runs.
//!
//! One rule: names and order are what the person sees; the first two belong to the fetch, the rest to `hydron-analysis`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named step of an analysis, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisStep {
    /// Resolving the ref to a commit.
    Resolving,
    /// Fetching that commit.
    Cloning,
    /// Listing files.
    ReadingTree,
    /// Reading manifests and workspaces.
    ReadingManifests,
    /// Deciding what is a service.
    DetectingServices,
    /// Extracting environment variables.
    ReadingEnvironment,
    /// Finding databases, queues and other dependencies: what a variable is called says much about them.
    DetectingDependencies,
    /// Judging or generating Dockerfiles.
    WritingDockerfiles,
}

impl AnalysisStep {
    /// All steps in order.
    pub const ALL: [Self; 8] = [
        Self::Resolving,
        Self::Cloning,
        Self::ReadingTree,
        Self::ReadingManifests,
        Self::DetectingServices,
        Self::ReadingEnvironment,
        Self::DetectingDependencies,
        Self::WritingDockerfiles,
    ];

    /// The sentence on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Resolving => "Resolving the commit",
            Self::Cloning => "Cloning the repository",
            Self::ReadingTree => "Reading the file tree",
            Self::ReadingManifests => "Reading manifests and workspaces",
            Self::DetectingServices => "Detecting services",
            Self::DetectingDependencies => "Detecting databases and dependencies",
            Self::ReadingEnvironment => "Reading environment variables",
            Self::WritingDockerfiles => "Preparing Dockerfiles",
        }
    }

    /// Position from 1 to 8.
    pub fn number(self) -> u8 {
        match self {
            Self::Resolving => 1,
            Self::Cloning => 2,
            Self::ReadingTree => 3,
            Self::ReadingManifests => 4,
            Self::DetectingServices => 5,
            Self::ReadingEnvironment => 6,
            Self::DetectingDependencies => 7,
            Self::WritingDockerfiles => 8,
        }
    }
}

/// A step that has begun, with what is known about its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepProgress {
    /// The step.
    pub step: AnalysisStep,
    /// Items done (files, services).
    pub done: u64,
    /// Items in all; 0 when unknown.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_in_their_order_and_each_has_a_sentence_of_its_own() {
        let numbers: Vec<u8> = AnalysisStep::ALL.into_iter().map(AnalysisStep::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        let titles: std::collections::BTreeSet<_> =
            AnalysisStep::ALL.into_iter().map(AnalysisStep::title).collect();
        assert_eq!(titles.len(), 8);
        assert!(!titles.contains(""));
    }
}
