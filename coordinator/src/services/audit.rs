//! Reading the audit log.

use hydron_store::audit::AuditEntry;

use super::input::ReadError;
use super::principal::{Permission, Principal};
use crate::app::AppState;

/// Up to `limit` entries before `before`, newest first.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEntry>, ReadError> {
    let access = principal.authorize(&app.store, Permission::AuditRead)?;
    Ok(access.team.audit_before(before, limit).await?)
}
