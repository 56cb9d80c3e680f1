//! The shape of a framework rule for Node, and the list of all of them in superseding order.
//!
//! One rule: the first rule that fits wins (`next` before `react`), so a host under a meta-framework only goes to `also`.

use hydron_domain::analysis::ServiceKind;

use super::{backend, meta, site, spa};

/// Where a framework's production files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    /// A process that listens.
    Server,
    /// Files; `fallback` serves the index for unknown paths.
    Files {
        /// Single-page application.
        fallback: bool,
    },
}

/// One framework.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Name in the analysis.
    pub(crate) id: &'static str,
    /// Any of these packages.
    pub(crate) packages: &'static [&'static str],
    /// Only as a run-time dependency that code imports.
    pub(crate) imported: bool,
    /// Packages whose import counts as well (`glue` composes Hapi servers).
    pub(crate) companions: &'static [&'static str],
    /// Server or files.
    pub(crate) makes: Makes,
    /// Production start when no script gives one.
    pub(crate) start: Option<&'static str>,
    /// Default port.
    pub(crate) port: u16,
    /// Default directory of built files.
    pub(crate) output: Option<&'static str>,
    /// Default build command.
    pub(crate) build: Option<&'static str>,
}

impl Rule {
    /// web or static.
    pub(crate) fn kind(&self) -> ServiceKind {
        match self.makes {
            Makes::Server => ServiceKind::Web,
            Makes::Files { .. } => ServiceKind::Static,
        }
    }
}

/// All rules in superseding order.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    meta::RULES.iter().chain(site::RULES).chain(backend::RULES).chain(spa::RULES)
}
