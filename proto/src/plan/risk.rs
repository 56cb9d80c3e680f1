//! Risk classes. Rule: computed by code from the typed step, on both sides; text may only raise it.

use serde::{Deserialize, Serialize};

/// How much harm a step can do. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads only.
    R0,
    /// Inside the project's own scope.
    R1,
    /// Affects a running service.
    R2,
    /// Relevant to security; any raw shell.
    R3,
    /// Cannot be undone, or costs money.
    R4,
}
