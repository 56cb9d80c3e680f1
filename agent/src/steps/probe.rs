//! A request through the public side of this server's proxy, as a visitor would make it: TLS, host name, path.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use hydron_proto::plan::{Probe, StepResult};

use super::Applied;
use super::failure::unless_cancelled;
use crate::edge::{Authority, EdgePaths, ask_tls};
use crate::step_context::{StepContext, StepFailure};

/// Longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn apply(wanted: &Probe, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if !wanted.path.starts_with('/') {
        return Err(StepFailure::new("PROBE_INVALID", format!("path {:?} must start with `/`", wanted.path)));
    }
    let authority = Authority::open(&EdgePaths::of(context.root), SystemTime::now())?;
    unless_cancelled(context, Box::pin(ask_until_right(wanted, context, authority.pem()))).await
}

async fn ask_until_right(
    wanted: &Probe,
    context: &StepContext<'_>,
    authority: &str,
) -> Result<Applied, StepFailure> {
    let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, context.config.https_port));
    let mut last = String::new();
    for attempt in 1..=wanted.tries.max(1) {
        let began = Instant::now();
        let answer = ask_tls(proxy, wanted.host.as_str(), &wanted.path, authority, None, ANSWER_WITHIN).await;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let said = match &answer {
            Ok(answer) => format!("status {}", answer.status),
            Err(reason) => reason.clone(),
        };
        if said != last {
            context.log.line(&format!("try {attempt}: https://{}{}: {said}", wanted.host, wanted.path)).await;
        }
        if let Ok(answer) = answer
            && (wanted.status_from..=wanted.status_to).contains(&answer.status)
        {
            return Ok(Applied::changed(StepResult::Probed { status: answer.status, millis }));
        }
        last = said;
        if attempt < wanted.tries {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    Err(StepFailure::new(
        "PROBE_FAILED",
        format!(
            "https://{}{} did not answer with {} to {}: {last}",
            wanted.host, wanted.path, wanted.status_from, wanted.status_to
        ),
    ))
}
