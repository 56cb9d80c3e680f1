//! The order in which services start: what they depend on first, names decide the rest.
//!
//! Rule: always an order; a circle is cut at its first name and said aloud.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::names::ServiceName;

use super::PlannedService;

/// Services in start order.
#[derive(Debug)]
pub(super) struct StartOrder<'a> {
    /// In order.
    pub(super) services: Vec<&'a PlannedService>,
    /// Services that wait for each other.
    pub(super) circles: Vec<ServiceName>,
}

/// The start order.
pub(super) fn start_order(services: &[PlannedService]) -> StartOrder<'_> {
    let mut waiting: BTreeMap<&ServiceName, &PlannedService> =
        services.iter().map(|planned| (&planned.service.name, planned)).collect();
    let mut done: BTreeSet<&ServiceName> = BTreeSet::new();
    let mut order = StartOrder { services: Vec::new(), circles: Vec::new() };
    while !waiting.is_empty() {
        let ready = waiting.iter().find(|(_, planned)| {
            let mut needs = planned.service.spec.depends_on.iter();
            needs.all(|need| done.contains(need) || !waiting.contains_key(need))
        });
        let next = ready.or_else(|| waiting.iter().next()).map(|(name, _)| *name);
        let Some(name) = next else { break };
        let Some(planned) = waiting.remove(name) else { break };
        if planned.service.spec.depends_on.iter().any(|need| waiting.contains_key(need)) {
            order.circles.push(name.clone());
        }
        done.insert(name);
        order.services.push(planned);
    }
    order
}
