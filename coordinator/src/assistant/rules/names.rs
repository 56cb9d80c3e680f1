//! Which service a person means.
//!
//! Rule: an exact name wins; anything vaguer must fit exactly one service, or the person is asked.

use hydron_domain::service::ServiceKind;

use crate::assistant::situation::ServiceNow;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant<'a> {
    /// This one.
    One(&'a ServiceNow),
    /// Could be any of these.
    Several(Vec<&'a ServiceNow>),
    /// None of those there are.
    Nothing,
}

/// Finds a service by what a person calls it.
pub(super) fn meant<'a>(said: &str, services: &[&'a ServiceNow]) -> Meant<'a> {
    let said = said.to_lowercase();
    let readings: [&dyn Fn(&ServiceNow) -> bool; 4] = [
        &|service| service.name == said,
        &|service| service.name.to_lowercase() == said,
        &|service| is_called(service.kind, &said),
        &|service| said.len() >= 3 && service.name.contains(said.as_str()),
    ];
    for fits in readings {
        let found: Vec<&'a ServiceNow> = services.iter().copied().filter(|service| fits(service)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Meant::One(one),
            [..] => return Meant::Several(found),
        }
    }
    Meant::Nothing
}

/// Words for kinds of services.
fn is_called(kind: ServiceKind, said: &str) -> bool {
    let words: &[&str] = match kind {
        ServiceKind::Web => &["backend", "back-end", "server", "api"],
        ServiceKind::Worker => &["worker", "workers", "queue"],
        ServiceKind::Static => &["frontend", "front-end", "site", "ui", "website"],
        ServiceKind::Dependency => &["database", "db"],
    };
    words.contains(&said)
}

#[cfg(test)]
mod tests {
    use hydron_domain::service::ServiceState;
    use hydron_proto::ids::ServiceId;

    use super::*;

    fn service(name: &str, kind: ServiceKind) -> ServiceNow {
        ServiceNow {
            id: ServiceId::new(1, [1; 10]),
            name: name.to_owned(),
            kind,
            state: ServiceState::Accepted,
            live: false,
            missing: Vec::new(),
        }
    }

    #[test]
    fn a_name_means_one_service_or_the_person_is_asked() {
        let own = [
            service("api", ServiceKind::Web),
            service("api-admin", ServiceKind::Web),
            service("web", ServiceKind::Static),
            service("postgres", ServiceKind::Dependency),
        ];
        let all: Vec<&ServiceNow> = own.iter().collect();
        for (said, name) in [
            ("api", Some("api")),
            ("API", Some("api")),
            ("api-admin", Some("api-admin")),
            ("admin", Some("api-admin")),
            ("frontend", Some("web")),
            ("database", Some("postgres")),
            ("post", Some("postgres")),
            ("worker", None),
            ("x", None),
            ("", None),
        ] {
            match (meant(said, &all), name) {
                (Meant::One(found), Some(name)) => assert_eq!(found.name, name, "{said}"),
                (Meant::Nothing, None) => {}
                (other, _) => panic!("{said}: {other:?}"),
            }
        }
        assert!(matches!(meant("backend", &all), Meant::Several(found) if found.len() == 2));
    }
}
