//! What a brain can do, as one table: name, permission, risk, input, handler. The same use cases as the REST interface.
//!
//! Rule: a tool calls a service in the principal's name and tells what it did; rows, rights and states are judged there.
//! Input is typed; its JSON schema is what a brain is shown.

mod look;
mod plans;
mod running;
mod sources;
mod words;

use futures_util::future::{BoxFuture, FutureExt as _};
use hydron_proto::ids::ProjectId;
use hydron_proto::plan::Risk;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::PartialSchema;

use super::brain::{Brain, ToolDescription, ToolDone, ToolProblem, Tools};
use super::hidden::Vault;
use crate::app::AppState;
use crate::http::problem::Problem;
use crate::services::principal::{Permission, Principal};

pub use look::situation;

type Call = for<'a> fn(&'a Toolbox<'a>, Value) -> BoxFuture<'a, Result<ToolDone, Problem>>;

/// One thing that can be done.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Stable name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What its caller must be allowed; the service asks again.
    pub permission: Permission,
    /// How much harm it can do.
    pub risk: Risk,
    /// Only a person's own words may call it: see [`Brain::speaks_for_the_person`].
    pub only_a_person: bool,
    schema: fn() -> Value,
    call: Call,
}

/// Declares a row of the table.
macro_rules! tool {
    ($name:literal, $permission:ident, $risk:ident, $input:ty, $handler:path, $about:literal) => {
        Tool {
            name: $name,
            about: $about,
            permission: Permission::$permission,
            risk: Risk::$risk,
            only_a_person: false,
            schema: || schema_of::<$input>(),
            call: |toolbox, input| async move { $handler(toolbox, parse::<$input>(input)?).await }.boxed(),
        }
    };
}

/// Every tool.
pub static TOOLS: &[Tool] = &[
    tool!(
        "analyze_repository",
        ProjectsWrite,
        R1,
        sources::Repository,
        sources::analyze,
        "Reads a Git repository and proposes services. Returns at once; the reading goes on."
    ),
    tool!(
        "analyze_again",
        ProjectsWrite,
        R1,
        sources::Again,
        sources::analyze_again,
        "Reads the project's repository again, or one directory of it."
    ),
    tool!(
        "show_services",
        ProjectsRead,
        R0,
        Nothing,
        sources::show,
        "Shows the services with their state and what they lack."
    ),
    tool!(
        "accept_services",
        ProjectsWrite,
        R1,
        sources::Chosen,
        sources::accept,
        "Accepts services, so that they are part of plans; all pending ones without a list."
    ),
    tool!(
        "reject_services",
        ProjectsWrite,
        R1,
        sources::Chosen,
        sources::reject,
        "Rejects services, so that plans leave them out; all pending ones without a list."
    ),
    tool!(
        "change_service",
        ProjectsWrite,
        R1,
        sources::Change,
        sources::change,
        "Changes fields of a service."
    ),
    tool!(
        "set_variables",
        ProjectsWrite,
        R1,
        sources::Variables,
        sources::set_variables,
        "Sets environment variables of a service. A value may be a placeholder like [hidden-1] of the person's message."
    ),
    tool!(
        "make_plan",
        PlansWrite,
        R1,
        Nothing,
        plans::make,
        "Makes an infrastructure plan of the accepted services and shows it for approval."
    ),
    tool!(
        "show_plan",
        ProjectsRead,
        R0,
        Nothing,
        plans::show,
        "Shows the newest plan and what an approval would sign."
    ),
    Tool {
        only_a_person: true,
        ..tool!(
            "approve_plan",
            PlansWrite,
            R3,
            plans::Approval,
            plans::approve,
            "Approves exactly the digests that the person was shown, and starts the run."
        )
    },
    tool!(
        "redeploy",
        RunsControl,
        R2,
        running::Redeploying,
        running::redeploy,
        "Reads the newest commit and rolls out what changed, inside what was approved."
    ),
    tool!(
        "steer_run",
        RunsControl,
        R2,
        running::Steering,
        running::steer,
        "Pauses, resumes, stops or retries the project's newest run."
    ),
    tool!(
        "roll_back",
        RunsControl,
        R2,
        running::RollingBack,
        running::roll_back,
        "Brings an earlier release of a service back, image and environment."
    ),
    tool!(
        "operate_service",
        RunsControl,
        R2,
        running::Operating,
        running::operate,
        "Restarts, stops or starts a live service."
    ),
    tool!(
        "read_logs",
        RunsControl,
        R0,
        running::Logs,
        running::logs,
        "Reads the last lines of a live service's output."
    ),
    tool!(
        "status",
        ProjectsRead,
        R0,
        Nothing,
        look::status,
        "Says where the project stands and what is next."
    ),
];

/// No input.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The tools of one turn: whose rights, which project, which hidden values.
#[derive(Debug, Clone, Copy)]
pub struct Toolbox<'a> {
    /// The state that services share.
    pub app: &'a AppState,
    /// In whose name.
    pub principal: &'a Principal,
    /// Which project the chat is about.
    pub project: ProjectId,
    /// Values taken out of the message.
    pub vault: &'a Vault,
    /// Whether the caller does only what the person's own words say.
    pub for_a_person: bool,
}

impl<'a> Toolbox<'a> {
    /// The tools that `brain` may use for `principal`.
    pub fn new(
        app: &'a AppState,
        principal: &'a Principal,
        project: ProjectId,
        vault: &'a Vault,
        brain: &dyn Brain,
    ) -> Self {
        Self { app, principal, project, vault, for_a_person: brain.speaks_for_the_person() }
    }

    fn offers(&self, tool: &Tool) -> bool {
        self.principal.role >= tool.permission.needs() && (self.for_a_person || !tool.only_a_person)
    }

    async fn run(&self, name: &str, input: Value) -> Result<ToolDone, Problem> {
        let tool = TOOLS.iter().find(|tool| tool.name == name).ok_or_else(|| Problem::not_found("tool"))?;
        self.principal.authorize(&self.app.store, tool.permission)?;
        if tool.only_a_person && !self.for_a_person {
            return Err(Problem::forbidden("Only a person's own words can approve."));
        }
        (tool.call)(self, input).await
    }
}

impl Tools for Toolbox<'_> {
    fn list(&self) -> Vec<ToolDescription> {
        let offered = TOOLS.iter().filter(|tool| self.offers(tool));
        offered
            .map(|tool| ToolDescription { name: tool.name, about: tool.about, schema: (tool.schema)() })
            .collect()
    }

    fn call<'c>(&'c self, name: &'c str, input: Value) -> BoxFuture<'c, Result<ToolDone, ToolProblem>> {
        async move { self.run(name, input).await.map_err(ToolProblem::from) }.boxed()
    }
}

impl From<Problem> for ToolProblem {
    fn from(problem: Problem) -> Self {
        Self { code: problem.code.to_owned(), detail: problem.detail, field: problem.field }
    }
}

fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(input).map_err(|error| {
        let field = error.path().to_string();
        Problem::invalid_field(field, error.into_inner())
    })
}

fn schema_of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_name_of_its_own_and_a_schema_without_references() {
        for (index, tool) in TOOLS.iter().enumerate() {
            assert!(TOOLS.iter().skip(index + 1).all(|other| other.name != tool.name), "{}", tool.name);
            let schema = (tool.schema)();
            assert_eq!(schema["type"], "object", "{}: {schema}", tool.name);
            assert!(!schema.to_string().contains("$ref"), "{}: {schema}", tool.name);
        }
    }

    #[test]
    fn only_the_yes_to_a_plan_needs_a_persons_own_words() {
        let only: Vec<&str> = TOOLS.iter().filter(|tool| tool.only_a_person).map(|tool| tool.name).collect();
        assert_eq!(only, ["approve_plan"]);
    }
}
