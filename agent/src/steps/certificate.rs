//! A certificate for the names of a site. A valid one is kept; a site that is served already gets the new one at once.

use std::time::SystemTime;

use hydron_proto::names::Hostname;
use hydron_proto::plan::{Certificate, CertificateIssuer, StepResult};

use super::Applied;
use crate::edge::{Authority, Edge, EdgePaths, EdgeState, SiteCertificate};
use crate::record;
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) fn check(wanted: &Certificate, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let paths = EdgePaths::of(context.root);
    let current = SiteCertificate::of_site(&paths, &wanted.site)?;
    let serves = current.is_some_and(|certificate| certificate.serves(&wanted.hosts, SystemTime::now()));
    Ok(if serves { Check::AlreadyDone(StepResult::Done {}) } else { Check::Needed })
}

pub(super) async fn apply(wanted: &Certificate, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let paths = EdgePaths::of(context.root);
    let now = SystemTime::now();
    let authority = match wanted.issuer {
        CertificateIssuer::ServerAuthority => Authority::open(&paths, now)?,
    };
    let current = SiteCertificate::of_site(&paths, &wanted.site)?;
    if let Some(certificate) = current
        && certificate.serves(&wanted.hosts, now)
    {
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    let certificate = authority.issue(&paths, &wanted.site, &wanted.hosts, now)?;
    let names: Vec<&str> = certificate.hosts.iter().map(Hostname::as_str).collect();
    context.log.line(&format!("certificate for {} by this server's own authority", names.join(", "))).await;
    if is_served(&paths, wanted)? {
        let edge = Edge::open(context.root, context.config, context.cgroup).await?;
        edge.change(|state| {
            if let Some(site) = state.sites.get_mut(&wanted.site) {
                site.certificate = certificate.paths.clone();
            }
            Ok(())
        })
        .await?;
    }
    Ok(Applied::changed(StepResult::Done {}))
}

fn is_served(paths: &EdgePaths, wanted: &Certificate) -> Result<bool, StepFailure> {
    let state: Option<EdgeState> = record::read_json(&paths.current().join("state.json"))?;
    Ok(state.is_some_and(|state| state.sites.contains_key(&wanted.site)))
}
