//! `GET /audit`

use axum::Json;
use axum::extract::State;
use hydron_store::audit::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::extract::{Page, PageQuery, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::audit;
use crate::services::principal::Principal;

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditBody {
    /// Its place in the team's log.
    id: String,
    at: i64,
    actor: AuditActor,
    /// What was done, e.g. `plan.approved`.
    action: String,
    /// Id of the thing that was acted on.
    subject: String,
    detail: serde_json::Value,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditActor {
    /// `user`, `token`, `agent` or `system`.
    kind: String,
    id: String,
    name: String,
}

/// Lists the audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(PageQuery), responses(
    (status = 200, body = Page<AuditBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_audit(
    State(app): State<AppState>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditBody>>, Problem> {
    let before = match page.cursor.as_deref() {
        None => None,
        Some(text) => match text.parse::<i64>() {
            Ok(seq) => Some(seq),
            Err(_) => {
                return Err(Problem::invalid_field("cursor", "must be the next_cursor of an earlier page"));
            }
        },
    };
    let limit = page.limit()?;
    let entries = audit::list(&app, &principal, before, limit).await?;
    let full = i64::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next_cursor = entries.last().filter(|entry| full && entry.seq > 1).map(|entry| entry.seq.to_string());
    Ok(Json(Page { items: entries.into_iter().map(AuditBody::from).collect(), next_cursor }))
}

impl From<AuditEntry> for AuditBody {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.seq.to_string(),
            at: entry.at,
            actor: AuditActor { kind: entry.actor_kind, id: entry.actor_id, name: entry.actor_name },
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail.0,
        }
    }
}
