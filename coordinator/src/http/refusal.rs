//! Refusals of the pipeline as problems: status, stable code, the field, and what to do.

use axum::http::StatusCode;
use hydron_domain::approval::ApprovalRefused;
use hydron_domain::infrastructure::PlanRefused;
use hydron_domain::planning::PlanningError;
use hydron_domain::service::ServiceRefused;
use serde_json::json;

use super::problem::Problem;
use crate::keys::signer::SignError;
use crate::services::refusal::Refusal;
use crate::services::runs::create::CreateRunError;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = sentence(&refusal);
        match refusal {
            Refusal::Denied(denied) => denied.into(),
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Invalid(invalid) => invalid.into(),
            Refusal::Source(error) => {
                let field = error.field();
                unprocessable(error.code(), field, text)
            }
            Refusal::Reading(error) => {
                let field = error.field.unwrap_or_else(|| "commit".to_owned());
                Self { field: Some(field), ..Self::conflict("source_unreadable", text) }
                    .with("reason", json!(error.code))
            }
            Refusal::Service(ServiceRefused::Locked { .. }) => Self::conflict("locked", text),
            Refusal::Service(ServiceRefused::NoDockerfile { .. }) => {
                unprocessable("no_dockerfile", "dockerfile", text)
            }
            Refusal::WrongState(_)
            | Refusal::Plan(PlanRefused::WrongState(_))
            | Refusal::Approval(ApprovalRefused::Decided(_)) => Self::conflict("wrong_state", text),
            Refusal::Plan(PlanRefused::Stale(reasons)) => {
                Self::conflict("stale_plan", text).with("stale_reasons", json!(reasons))
            }
            Refusal::Plan(PlanRefused::DigestMismatch)
            | Refusal::Approval(ApprovalRefused::DigestMismatch) => {
                Self { field: Some("digest".to_owned()), ..Self::conflict("digest_mismatch", text) }
            }
            Refusal::Approval(ApprovalRefused::Expired) => Self::conflict("approval_expired", text),
            Refusal::Planning(PlanningError::NoServices) => Self::conflict("no_services", text),
            Refusal::Planning(PlanningError::NoServer) => Self::conflict("no_server", text),
            Refusal::Planning(PlanningError::Placement(_)) => {
                unprocessable("invalid_field", "placement", text)
            }
            Refusal::Planning(PlanningError::Name(_) | PlanningError::Document(_)) => {
                unprocessable("cannot_plan", "services", text)
            }
            Refusal::NeedsApproval { plan, .. } => {
                Self::conflict("needs_approval", text).with("plan_id", json!(plan))
            }
            Refusal::Run(error) => run_problem(error, text),
            Refusal::Store(error) => error.into(),
            Refusal::Kek(error) => Self::internal(&error),
            Refusal::Document(error) => Self::internal(&error),
            Refusal::Json(error) => Self::internal(&error),
        }
    }
}

fn run_problem(error: CreateRunError, text: String) -> Problem {
    match error {
        CreateRunError::Store(error) | CreateRunError::Sign(SignError::Store(error)) => error.into(),
        CreateRunError::NoProject => Problem::not_found("project"),
        CreateRunError::Busy => Problem::conflict("wrong_state", text),
        CreateRunError::Sign(SignError::DigestMismatch) => Problem::conflict("digest_mismatch", text),
        CreateRunError::Sign(SignError::ApprovalExpired) => Problem::conflict("approval_expired", text),
        CreateRunError::Sign(SignError::OutsideMandate(_)) => Problem::conflict("outside_mandate", text),
        CreateRunError::Sign(SignError::ServerGone | SignError::NotApproved) => {
            Problem::conflict("wrong_state", text)
        }
        CreateRunError::Parts
        | CreateRunError::Sign(
            SignError::Plan(_) | SignError::Misaddressed(_) | SignError::RiskUnderstated(_),
        ) => Problem::internal(&error),
    }
}

fn unprocessable(code: &'static str, field: &str, text: String) -> Problem {
    Problem { field: Some(field.to_owned()), ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, text) }
}

/// With a capital and a full stop.
fn sentence(refusal: &Refusal) -> String {
    let text = refusal.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
