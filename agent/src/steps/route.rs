//! Host names and paths of a site, pointed to the containers that are live here.

use hydron_proto::plan::{Route, StepResult};

use super::Applied;
use super::release::record;
use crate::edge::{Edge, EdgeError, EdgePaths, EdgeState, SiteCertificate};
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) async fn check(wanted: &Route, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let paths = EdgePaths::of(context.root);
    let Some(certificate) = SiteCertificate::of_site(&paths, &wanted.site)? else { return Ok(Check::Needed) };
    let edge = Edge::open(context.root, context.config, context.cgroup).await?;
    let state = edge.serving(|state| edit(state, wanted, &certificate, context)).await?;
    Ok(state.map_or(Check::Needed, |state| Check::AlreadyDone(routed(wanted, &state))))
}

pub(super) async fn apply(wanted: &Route, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let paths = EdgePaths::of(context.root);
    let certificate = SiteCertificate::of_site(&paths, &wanted.site)?.ok_or_else(|| {
        StepFailure::new(
            "CERTIFICATE_MISSING",
            format!("site {} has no certificate yet; put its certificate step before its route", wanted.site),
        )
    })?;
    let edge = Edge::open(context.root, context.config, context.cgroup).await?;
    let changed = edge.change(|state| edit(state, wanted, &certificate, context)).await?;
    let result = routed(wanted, &changed.state);
    for host in &wanted.hosts {
        context
            .log
            .line(&format!(
                "{} serves generation {}",
                url(host.as_str(), &changed.state),
                changed.state.generation
            ))
            .await;
    }
    Ok(Applied { result, already_done: !changed.changed })
}

fn edit(
    state: &mut EdgeState,
    wanted: &Route,
    certificate: &SiteCertificate,
    context: &StepContext<'_>,
) -> Result<(), EdgeError> {
    state.set_site(wanted, certificate.paths.clone())?;
    for path in &wanted.paths {
        state.set_upstream(path.service, record::serving_address(context.root, path.service)?);
    }
    Ok(())
}

fn routed(wanted: &Route, state: &EdgeState) -> StepResult {
    let host = wanted.hosts.first().map_or("", |host| host.as_str());
    StepResult::Routed { generation: state.generation, url: url(host, state) }
}

fn url(host: &str, state: &EdgeState) -> String {
    if state.https_port == 443 {
        format!("https://{host}/")
    } else {
        format!("https://{host}:{}/", state.https_port)
    }
}
