//! `policy.toml`: what this server allows at all. The coordinator can stay below it and never above.
//!
//! Rule: read again before every decision, so that narrowing works at once. Neighbour: `exec/admission`.

use std::collections::BTreeSet;

use hydron_proto::plan::{Action, ActionKind, PlanDocument, Risk};
use serde::Deserialize;

use super::{ConfigError, load};
use crate::root::Root;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How much is allowed at all.
    pub mode: PolicyMode,
    /// Step kinds that may run; all when unset.
    pub kinds: Option<BTreeSet<ActionKind>>,
    /// Whether approved raw shell steps may run.
    pub shell: bool,
}

/// How much is allowed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyMode {
    /// Only what reads.
    Observe,
    /// Everything that was approved.
    Manage,
    /// Nothing.
    Locked,
}

impl PolicyMode {
    /// The word of the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Manage => "manage",
            Self::Locked => "locked",
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { mode: PolicyMode::Manage, kinds: None, shell: true }
    }
}

impl Policy {
    /// Reads `policy.toml` of a root; defaults when there is none.
    pub fn load(root: &Root) -> Result<Self, ConfigError> {
        load(&root.policy_toml())
    }

    /// Whether every step of a plan may run here.
    pub fn allows_plan(&self, plan: &PlanDocument) -> bool {
        plan.steps.iter().all(|step| self.allows(&step.action))
    }

    /// Whether one action may run here.
    pub fn allows(&self, action: &Action) -> bool {
        let kind = action.kind();
        let mode = match self.mode {
            PolicyMode::Locked => false,
            PolicyMode::Observe => action.risk() == Risk::R0,
            PolicyMode::Manage => true,
        };
        mode && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
            && (self.shell || kind != ActionKind::Shell)
    }
}

#[cfg(test)]
mod tests {
    use hydron_proto::plan::{Operation, Shell};

    use super::*;

    fn shell() -> Action {
        Action::Shell(Shell { script: "true".into(), env: vec![], expect: vec![0] })
    }

    fn parse(text: &str) -> Policy {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn each_mode_allows_what_it_says() {
        let inventory = Action::Operate(Operation::Inventory {});
        assert!(parse("").allows(&shell()));
        assert!(!parse("mode = 'observe'").allows(&shell()));
        assert!(parse("mode = 'observe'").allows(&inventory));
        assert!(!parse("mode = 'locked'").allows(&inventory));
    }

    #[test]
    fn kinds_and_shell_narrow_the_mode() {
        assert!(!parse("shell = false").allows(&shell()));
        assert!(!parse("kinds = ['probe']").allows(&shell()));
        assert!(parse("kinds = ['shell']").allows(&shell()));
    }

    #[test]
    fn an_unknown_field_is_an_error_that_names_it() {
        let error = toml::from_str::<Policy>("shel = false").unwrap_err();
        assert!(error.to_string().contains("shel"));
    }
}
