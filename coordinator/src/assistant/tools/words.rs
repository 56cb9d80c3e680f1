//! Plans and services in words.
//!
//! Rule: what is written here about a plan is read from the bytes that are signed, and nothing of a stranger's repository
//! is repeated but names and addresses that passed their grammar.

use std::fmt::Write as _;

use hydron_domain::chat::{Card, CardKind};
use hydron_domain::infrastructure::PlanState;
use hydron_domain::planning::summary;
use hydron_domain::provisioning;
use hydron_domain::service::ServiceState;
use hydron_proto::plan::Risk;
use serde_json::{Map, json};

use crate::services::component_view::ServiceView;
use crate::services::plans::PlanView;

/// Steps of a server that are named in a message; the card shows all of them.
const MOST_STEPS: usize = 40;
/// Characters of what a step does.
const MOST_OF_A_STEP: usize = 240;

/// Everything that an approval of this plan would sign.
pub(super) fn signed(view: &PlanView) -> String {
    let document = &view.document;
    let mut text = format!("**What you sign.** Infrastructure plan, digest `{}`", view.plan.digest());
    if let Some(url) = &document.url {
        let _ = write!(text, "; it will answer at {url}");
    }
    text.push('.');
    for part in &view.provisioning {
        let server = document.servers.iter().find(|server| server.server_id == part.plan.server);
        let name = server.map_or_else(|| part.plan.server.to_string(), |server| server.name.clone());
        let steps = &part.document.steps;
        let _ = write!(text, "\n\n**{name}**: {} steps, digest `{}`", steps.len(), part.plan.digest());
        for (step, number) in steps.iter().zip(1..).take(MOST_STEPS) {
            // The title may have been edited; the summary is made from the action that is signed.
            let _ = write!(
                text,
                "\n{number}. **{}**: {}",
                one_line(&step.title),
                one_line(&summary(&step.action))
            );
        }
        if steps.len() > MOST_STEPS {
            let _ = write!(text, "\n\nand {} more; the card shows them.", steps.len() - MOST_STEPS);
        }
        let worst = provisioning::risk(&part.document);
        let _ = write!(text, "\n\nRisk there: {}.", risk(worst));
    }
    let _ = write!(text, "\n\n**Risk** of the whole: {}.", risk(document.risk));
    let _ = write!(text, "\n\n**Downtime**: {}", downtime(view));
    for warning in &document.warnings {
        let _ = write!(text, "\n\n**Note**: {warning}");
    }
    text
}

fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_OF_A_STEP).collect();
    if text.chars().count() > MOST_OF_A_STEP {
        line.push('\u{2026}');
    }
    line
}

fn downtime(view: &PlanView) -> String {
    if view.document.downtime.is_empty() {
        return "0 s.".to_owned();
    }
    let each = view.document.downtime.iter().map(|down| {
        let why = if down.seconds > 0 { format!(" ({})", down.reason) } else { String::new() };
        format!("{} {} s{why}", down.service, down.seconds)
    });
    format!("{}.", each.collect::<Vec<_>>().join("; "))
}

/// A risk class in words.
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::R0 => "R0, only reads",
        Risk::R1 => "R1, stays inside this project",
        Risk::R2 => "R2, affects running services",
        Risk::R3 => "R3, relevant to the server's security",
        Risk::R4 => "R4, cannot be undone or costs money",
    }
}

/// The card on which a yes can be given: it carries the digests that were shown.
pub(super) fn approval_card(view: &PlanView) -> Card {
    let parts: Map<String, serde_json::Value> = view
        .provisioning
        .iter()
        .map(|part| (part.plan.id.to_string(), json!(part.plan.digest().to_string())))
        .collect();
    let data = json!({ "digest": view.plan.digest().to_string(), "provisioning_digests": parts });
    Card::new(CardKind::Approval, view.plan.id).with(data)
}

/// Where a plan stands, when it cannot be approved.
pub(super) fn not_open(view: &PlanView) -> Option<String> {
    match view.plan.state {
        PlanState::Draft | PlanState::Ready => None,
        PlanState::Approved => Some("This plan is approved.".to_owned()),
        PlanState::Executing => Some("This plan is being carried out.".to_owned()),
        PlanState::Completed => Some("This plan was carried out.".to_owned()),
        PlanState::Stale => Some(format!(
            "This plan is out of date: {}. Say `make the plan`.",
            view.plan.stale_reasons.join("; ")
        )),
    }
}

/// A list of services.
pub(super) fn services(views: &[ServiceView]) -> String {
    let lines = views.iter().map(|view| {
        let service = &view.service;
        let mut about = vec![service.spec.kind.to_string()];
        about.extend(
            service.spec.framework.clone().or_else(|| some(&service.spec.language)).map(|word| plain(&word)),
        );
        about.extend(service.spec.port.map(|port| format!("port {port}")));
        let mut line = format!("- **{}** ({}): {}", service.name, about.join(", "), state(service.state));
        if view.live.is_some() {
            line.push_str(", live");
        }
        if service.locked {
            line.push_str(", locked");
        }
        if !view.missing.is_empty() {
            let names: Vec<String> = view.missing.iter().map(|name| format!("`{}`", plain(name))).collect();
            let _ = write!(line, "; without a value: {}", names.join(", "));
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn state(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Pending => "waits for your decision",
        ServiceState::Accepted => "accepted",
        ServiceState::Rejected => "rejected",
    }
}

/// Text from a repository, short and without characters that Markdown or a terminal would take for more.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || " ._-+/".contains(*c)).take(60).collect()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
