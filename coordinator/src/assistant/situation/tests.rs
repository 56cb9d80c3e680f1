//! Every situation suggests something that is understood.

use hydron_domain::service::ServiceKind;

use super::*;
use crate::assistant::rules::read;

fn service(name: &str, state: ServiceState, live: bool) -> ServiceNow {
    let kind = if name == "postgres" { ServiceKind::Dependency } else { ServiceKind::Web };
    ServiceNow {
        id: ServiceId::new(1, [7; 10]),
        name: name.to_owned(),
        kind,
        state,
        live,
        missing: Vec::new(),
    }
}

fn run(state: RunWord) -> RunNow {
    RunNow { id: RunId::new(1, [1; 10]), title: "Deploy corkboard".to_owned(), state }
}

fn plan(state: PlanState) -> PlanNow {
    PlanNow { id: InfrastructurePlanId::new(1, [1; 10]), state }
}

fn analysis(state: AnalysisState) -> AnalysisNow {
    AnalysisNow { id: AnalysisId::new(1, [1; 10]), state, url: "https://h/x/y".to_owned() }
}

#[test]
fn what_is_suggested_first_follows_the_way_to_a_live_application() {
    use ServiceState::{Accepted, Pending};
    let nothing = Situation { servers: 1, ..Situation::default() };
    let reading = Situation { analysis: Some(analysis(AnalysisState::Reading)), ..nothing.clone() };
    let unread = Situation { analysis: Some(analysis(AnalysisState::Failed)), ..nothing.clone() };
    let found = Situation {
        analysis: Some(analysis(AnalysisState::Done)),
        services: vec![service("postgres", Accepted, false), service("api", Pending, false)],
        ..nothing.clone()
    };
    let accepted = Situation {
        services: vec![service("postgres", Accepted, false), service("api", Accepted, false)],
        ..found.clone()
    };
    let planned = Situation { plan: Some(plan(PlanState::Ready)), ..accepted.clone() };
    let stale = Situation { plan: Some(plan(PlanState::Stale)), ..accepted.clone() };
    let going = Situation {
        plan: Some(plan(PlanState::Executing)),
        run: Some(run(RunWord::Going)),
        ..accepted.clone()
    };
    let paused = Situation { run: Some(run(RunWord::Paused)), ..going.clone() };
    let failed = Situation { run: Some(run(RunWord::Failed)), ..going.clone() };
    let live = Situation {
        services: vec![service("postgres", Accepted, true), service("api", Accepted, true)],
        run: Some(run(RunWord::Over)),
        plan: Some(plan(PlanState::Completed)),
        ..accepted.clone()
    };
    let changed = Situation { plan: Some(plan(PlanState::Stale)), ..live.clone() };
    for (situation, first) in [
        (nothing, "help"),
        (reading, "status"),
        (unread, "analyze again"),
        (found, "accept all services"),
        (accepted, "make the plan"),
        (planned, "approve the plan"),
        (stale, "make the plan"),
        (going, "status"),
        (paused, "resume"),
        (failed, "retry"),
        (live, "redeploy"),
        (changed, "make the plan"),
    ] {
        let next = situation.next_steps();
        assert_eq!(next.sentences.first().map(String::as_str), Some(first), "{situation:?}");
        assert!(!next.advice.is_empty());
        for sentence in &next.sentences {
            assert!(read(sentence).is_some(), "suggests what it does not understand: {sentence}");
        }
    }
}

#[test]
fn missing_variables_are_named_before_a_plan_is_made() {
    let mut api = service("api", ServiceState::Accepted, false);
    api.missing = vec!["STRIPE_SECRET_KEY".to_owned()];
    let situation = Situation { services: vec![api], servers: 1, ..Situation::default() };
    assert!(situation.next_steps().advice.contains("`STRIPE_SECRET_KEY` of api"));
}

#[test]
fn once_live_the_own_services_come_before_the_database() {
    let situation = Situation {
        services: vec![
            service("postgres", ServiceState::Accepted, true),
            service("api", ServiceState::Accepted, true),
        ],
        servers: 1,
        ..Situation::default()
    };
    assert!(situation.next_steps().sentences.contains(&"restart api".to_owned()));
}
