//! Where a project stands, as far as a conversation needs it, and what can be said next because of it.
//!
//! Rule: pure. Every suggestion is a sentence that the rules brain understands and that can work in this situation.

use hydron_domain::analysis_run::AnalysisState;
use hydron_domain::infrastructure::PlanState;
use hydron_domain::service::{ServiceKind, ServiceState};
use hydron_proto::ids::{AnalysisId, InfrastructurePlanId, RunId, ServiceId};

/// Where a project stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Situation {
    /// The newest reading of its repository.
    pub analysis: Option<AnalysisNow>,
    /// Its services, by name.
    pub services: Vec<ServiceNow>,
    /// The newest plan.
    pub plan: Option<PlanNow>,
    /// The newest run.
    pub run: Option<RunNow>,
    /// How many servers can be used.
    pub servers: usize,
    /// Where the application answers, once it is live.
    pub url: Option<String>,
}

/// The newest reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisNow {
    /// Which.
    pub id: AnalysisId,
    /// Its state.
    pub state: AnalysisState,
    /// Repository.
    pub url: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNow {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// How it runs.
    pub kind: ServiceKind,
    /// What a person decided.
    pub state: ServiceState,
    /// Whether a release of it serves.
    pub live: bool,
    /// Required variables without a value.
    pub missing: Vec<String>,
}

/// The newest plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanNow {
    /// Which.
    pub id: InfrastructurePlanId,
    /// Its state.
    pub state: PlanState,
}

/// The newest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunNow {
    /// Which.
    pub id: RunId,
    /// What it does.
    pub title: String,
    /// Its state.
    pub state: RunWord,
}

/// A run's state, as far as sentences depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunWord {
    /// Steps are executed, or about to be.
    Going,
    /// Waits for a person.
    Paused,
    /// A step failed.
    Failed,
    /// Completed or stopped.
    Over,
}

impl RunWord {
    /// From the word of the product documents.
    pub fn of(word: &str) -> Self {
        match word {
            "started" | "in_progress" => Self::Going,
            "paused" => Self::Paused,
            "failed" => Self::Failed,
            _ => Self::Over,
        }
    }
}

/// What a person would do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextSteps {
    /// In one or two sentences.
    pub advice: String,
    /// Sentences that work now, the likeliest first.
    pub sentences: Vec<String>,
}

impl Situation {
    /// Services in this state.
    pub fn services_in(&self, state: ServiceState) -> impl Iterator<Item = &ServiceNow> {
        self.services.iter().filter(move |service| service.state == state)
    }

    /// Services with a release that serves.
    pub fn live(&self) -> impl Iterator<Item = &ServiceNow> {
        self.services.iter().filter(|service| service.live)
    }

    /// What a person would do next.
    pub fn next_steps(&self) -> NextSteps {
        if let Some(steps) = self.while_running() {
            return steps;
        }
        if let Some(steps) = self.while_reading() {
            return steps;
        }
        if self.services.is_empty() {
            let advice = "Paste the URL of a Git repository, e.g. `deploy https://github.com/you/app.git`.";
            return NextSteps::new(advice, ["help"]);
        }
        self.before_a_run().unwrap_or_else(|| self.once_live())
    }

    fn while_running(&self) -> Option<NextSteps> {
        let run = self.run.as_ref()?;
        match run.state {
            RunWord::Going => Some(NextSteps::new(
                format!("\u{201c}{}\u{201d} is going on.", run.title),
                ["status", "pause", "stop the run"],
            )),
            RunWord::Paused => Some(NextSteps::new(
                format!("\u{201c}{}\u{201d} is paused.", run.title),
                ["resume", "stop the run", "status"],
            )),
            RunWord::Failed | RunWord::Over => None,
        }
    }

    fn while_reading(&self) -> Option<NextSteps> {
        let analysis = self.analysis.as_ref()?;
        match analysis.state {
            AnalysisState::Failed if self.services.is_empty() => Some(NextSteps::new(
                "Say `deploy <git url>` with another URL, or `analyze again` when the cause is gone.",
                ["analyze again", "help"],
            )),
            AnalysisState::Done | AnalysisState::Failed => None,
            AnalysisState::Queued
            | AnalysisState::Cloning
            | AnalysisState::Reading
            | AnalysisState::Detecting => {
                Some(NextSteps::new("The repository is being read; I will say when it is done.", ["status"]))
            }
        }
    }

    fn before_a_run(&self) -> Option<NextSteps> {
        if let Some(first) = self.services_in(ServiceState::Pending).next() {
            let sentences = vec![
                "accept all services".to_owned(),
                format!("accept {}", first.name),
                format!("reject {}", first.name),
                "show services".to_owned(),
            ];
            return Some(NextSteps::new("Look at the services and accept or reject each.", sentences));
        }
        if self.services_in(ServiceState::Accepted).next().is_none() {
            return Some(NextSteps::new("No service is accepted.", ["show services", "accept all services"]));
        }
        let failed = self.run.as_ref().is_some_and(|run| run.state == RunWord::Failed);
        match self.plan.as_ref().map(|plan| plan.state) {
            Some(PlanState::Ready | PlanState::Draft) => Some(NextSteps::new(
                "The plan is ready to be looked at and approved.",
                ["approve the plan", "show the plan", "show services"],
            )),
            Some(PlanState::Executing | PlanState::Completed | PlanState::Approved) if failed => {
                let sentences = match self.live().next() {
                    Some(service) => vec![
                        "retry".to_owned(),
                        "status".to_owned(),
                        format!("logs of {}", service.name),
                        "make the plan".to_owned(),
                    ],
                    None => ["retry", "status", "make the plan"].map(str::to_owned).to_vec(),
                };
                Some(NextSteps::new("The last run failed. Its card shows the step that did.", sentences))
            }
            Some(PlanState::Stale) => Some(NextSteps::new(
                format!("The plan is out of date.{}", self.still_missing()),
                ["make the plan", "show services"],
            )),
            None if self.live().next().is_none() => Some(self.without_plan()),
            Some(PlanState::Executing | PlanState::Completed | PlanState::Approved) | None => None,
        }
    }

    fn without_plan(&self) -> NextSteps {
        if self.servers == 0 {
            return NextSteps::new(
                format!(
                    "Connect a server under **Servers**; then a plan can be made.{}",
                    self.still_missing()
                ),
                ["make the plan", "show services"],
            );
        }
        let advice = format!("The services are decided; a plan can be made.{}", self.still_missing());
        NextSteps::new(advice, ["make the plan", "show services"])
    }

    fn still_missing(&self) -> String {
        let missing: Vec<String> = self
            .services_in(ServiceState::Accepted)
            .flat_map(|service| {
                service.missing.iter().map(move |name| format!("`{name}` of {}", service.name))
            })
            .collect();
        if missing.is_empty() {
            return String::new();
        }
        format!(
            " Still without a value: {}. Say e.g. `set env NAME=value for <service>`.",
            missing.join(", ")
        )
    }

    fn once_live(&self) -> NextSteps {
        let advice = match &self.url {
            Some(url) => format!("It is live at {url}."),
            None => "Everything is done.".to_owned(),
        };
        let mut sentences = vec!["redeploy".to_owned(), "status".to_owned()];
        let mut own: Vec<&ServiceNow> = self.live().collect();
        own.sort_by_key(|service| service.kind == ServiceKind::Dependency);
        if let Some(service) = own.first() {
            sentences.push(format!("logs of {}", service.name));
            sentences.push(format!("restart {}", service.name));
            sentences.push(format!("roll back {}", service.name));
        }
        NextSteps::new(advice, sentences)
    }
}

impl NextSteps {
    fn new<S: Into<String>>(advice: impl Into<String>, sentences: impl IntoIterator<Item = S>) -> Self {
        Self { advice: advice.into(), sentences: sentences.into_iter().map(Into::into).collect() }
    }
}

#[cfg(test)]
mod tests;
