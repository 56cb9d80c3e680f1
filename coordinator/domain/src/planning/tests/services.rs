//! What a service gets by its own words: its environment, its health check, its name, its place.

use hydron_proto::plan::{DockerEngine, HealthKind, Operation, ReleaseSpec};

use super::*;
use crate::analysis::Evidence;
use crate::service::{DockerfileOrigin, ServiceRefused};

/// The release of `api` in the plan of a changed corkboard.
fn release_of_api(change: impl FnOnce(&mut World)) -> (ReleaseSpec, Blueprint) {
    let mut world = World::corkboard();
    change(&mut world);
    let blueprint = world.plan();
    let mut steps = blueprint.provisioning.iter().flat_map(|plan| &plan.steps);
    let spec = steps.find_map(|step| {
        let Action::Release(spec) = &step.action else { return None };
        Some(spec).filter(|spec| spec.name.as_str() == "api").cloned()
    });
    (spec.unwrap(), blueprint)
}

fn guess(confidence: f32) -> Evidence {
    Evidence {
        field: "health".to_owned(),
        value: "/api/health".to_owned(),
        file: None,
        line: None,
        rule: "test".to_owned(),
        confidence,
        chosen: true,
    }
}

#[test]
fn a_release_hangs_on_no_health_path_that_was_only_guessed() {
    let check = |evidence: Vec<Evidence>, edited: bool, path: &str| {
        let (spec, _) = release_of_api(|world| {
            let spec = &mut world.service("api").service.spec;
            spec.health_path = Some(path.to_owned());
            spec.evidence = evidence;
            if edited {
                spec.edited.insert("health_path".to_owned());
            }
        });
        spec.health.check
    };
    let asked = HealthKind::Http { path: "/api/health".to_owned() };
    let answers = HealthKind::Answers { path: "/api".to_owned() };
    assert_eq!(check(vec![guess(0.9)], false, "/api/health"), asked);
    assert_eq!(check(vec![guess(0.55)], false, "/api/health"), asked);
    assert_eq!(check(vec![guess(0.5)], false, "/api/health"), answers);
    assert_eq!(check(vec![guess(0.5)], true, "/api/health"), asked, "a person wrote it");
    let others = [
        Evidence { chosen: false, ..guess(0.1) },
        Evidence { field: "port".to_owned(), ..guess(0.1) },
        Evidence { value: "/other".to_owned(), ..guess(0.1) },
    ];
    assert_eq!(check(others.into(), false, "/api/health"), asked, "that speaks of something else");
    assert_eq!(check(vec![], false, "api/health"), answers, "that is no path");
}

#[test]
fn a_release_command_runs_before_the_release_and_one_that_needs_a_shell_is_left_out_aloud() {
    let with = |text: &str| {
        let text = text.to_owned();
        release_of_api(|world| world.service("api").service.spec.release = Some(text))
    };
    let (spec, _) = with("manage migrate --noinput");
    let words = ["manage", "migrate", "--noinput"].map(str::to_owned).to_vec();
    assert_eq!(spec.pre_deploy, Some(words));
    assert_eq!(with("").0.pre_deploy, None);
    let (spec, blueprint) = with("a && b");
    assert_eq!(spec.pre_deploy, None);
    assert!(blueprint.infrastructure.warnings.iter().any(|warning| warning.contains("a && b")));
}

#[test]
fn a_required_plain_default_is_set_and_nothing_else_is() {
    let with = |change: fn(&mut EnvNeed)| {
        let mut wanted = EnvNeed { default: Some("4".to_owned()), ..need("WORKERS", false, true) };
        change(&mut wanted);
        let (spec, _) = release_of_api(|world| world.service("api").service.spec.env.push(wanted));
        spec.env.iter().find(|var| var.name.as_str() == "WORKERS").map(|var| var.value.clone())
    };
    assert_eq!(with(|_| ()), Some(vec![EnvPart::Text("4".to_owned())]));
    assert_eq!(with(|need| need.required = false), None);
    assert_eq!(with(|need| need.secret = true), None);
    assert_eq!(with(|need| need.build_time = true), None);
}

#[test]
fn only_what_a_running_service_requires_can_be_missing() {
    let warned = |required, build_time| {
        let wanted = EnvNeed { build_time, ..need("LICENCE", false, required) };
        let (_, blueprint) = release_of_api(|world| world.service("api").service.spec.env.push(wanted));
        blueprint.infrastructure.warnings.iter().any(|warning| warning.contains("LICENCE"))
    };
    assert!(warned(true, false));
    assert!(!warned(false, false) && !warned(true, true) && !warned(false, true));
}

#[test]
fn a_binding_names_the_variables_and_without_one_the_usual_url_is_set() {
    let names = |binding: Binding| -> Vec<String> {
        let (spec, _) = release_of_api(|world| {
            let spec = &mut world.service("api").service.spec;
            spec.env.clear();
            spec.needs[0].binding = binding;
        });
        spec.env.iter().map(|var| var.name.to_string()).filter(|name| name != "PORT").collect()
    };
    assert_eq!(names(Binding::default()), ["DATABASE_URL"]);
    let one = || Some("X".to_owned());
    for binding in [
        Binding {
            url: vec![UrlBinding { name: "X".to_owned(), scheme: "a".to_owned() }],
            ..Binding::default()
        },
        Binding { host: one(), ..Binding::default() },
        Binding { port: one(), ..Binding::default() },
        Binding { user: one(), ..Binding::default() },
        Binding { password: one(), ..Binding::default() },
        Binding { database: one(), ..Binding::default() },
    ] {
        assert_eq!(names(binding.clone()), ["X"], "{binding:?}");
    }
}

#[test]
fn a_host_is_readable_and_never_longer_than_a_label_may_be() {
    let mut world = World::corkboard();
    let service = &mut world.service("api").service;
    let zone: Hostname = "localhost".parse().unwrap();
    let short = service_host(service, &Slug::of("Corkboard"), &zone).unwrap();
    assert_eq!(short.as_str(), "api-corkboard-01010101.localhost");
    service.name = "a".repeat(40).parse().unwrap();
    let long = service_host(service, &Slug::of(&"b".repeat(32)), &zone).unwrap();
    assert!(!long.as_str().contains("bbb"), "{long}");
    service.name = "a".repeat(21).parse().unwrap();
    let just = service_host(service, &Slug::of(&"b".repeat(32)), &zone).unwrap();
    assert_eq!(just.as_str().split('.').next().unwrap().len(), 63);
}

#[test]
fn a_service_waits_for_what_it_needs_and_not_for_what_this_project_does_not_run() {
    let mut world = World::corkboard();
    world.service("api").service.spec.depends_on = BTreeSet::from(["web".parse().unwrap()]);
    world.service("web").service.spec.depends_on = BTreeSet::from(["elsewhere".parse().unwrap()]);
    let order = order::start_order(&world.services);
    let names: Vec<&str> = order.services.iter().map(|planned| planned.service.name.as_str()).collect();
    assert_eq!(names, ["postgres", "web", "api"]);
    assert!(order.circles.is_empty(), "{:?}", order.circles);
}

#[test]
fn a_database_goes_where_its_client_was_placed_in_whatever_order_they_come() {
    for backwards in [false, true] {
        let mut world = World::corkboard();
        world.servers.push(server(2, "beta", 1024));
        if backwards {
            world.services.reverse();
        }
        let (api, beta) = (world.service("api").service.id, world.servers[1].id);
        world.preferences = BTreeMap::from([(api, beta)]);
        let blueprint = world.plan();
        let on_beta = blueprint.provisioning.iter().find(|plan| plan.server == beta).unwrap();
        assert!(titles(on_beta).contains(&"Release postgres"), "backwards: {backwards}");
    }
}

#[test]
fn the_public_address_has_the_port_of_the_server_that_serves_it() {
    let mut world = World::corkboard();
    assert_eq!(world.plan().infrastructure.url.unwrap(), "https://corkboard-01010101.localhost");
    world.servers.push(server(2, "beta", 1));
    world.servers[1].https_port = 9443;
    world.servers[0].https_port = 8443;
    assert_eq!(world.plan().infrastructure.url.unwrap(), "https://corkboard-01010101.localhost:8443");
}

#[test]
fn a_prefix_that_is_no_plain_path_shares_no_host() {
    let hosts = |prefix: &str| {
        let mut world = World::corkboard();
        world.service("api").service.spec.route_prefix = Some(prefix.to_owned());
        let plan = world.plan().provisioning.remove(0);
        titles(&plan).iter().filter(|title| title.starts_with("Route ")).count()
    };
    assert_eq!(hosts("/api/"), 1);
    for wrong in ["/", "api", "/a b", "/a;b"] {
        assert_eq!(hosts(wrong), 2, "{wrong:?}");
    }
}

#[test]
fn of_two_front_ends_the_one_with_the_usual_name_gets_the_project_s_host() {
    let mut world = World::corkboard();
    for name in ["api", "web"] {
        let spec = &mut world.service(name).service.spec;
        (spec.kind, spec.route_prefix) = (ServiceKind::Web, None);
    }
    let plan = world.plan().provisioning.remove(0);
    assert!(
        titles(&plan).iter().any(|title| title.starts_with("Route api-corkboard")),
        "{:?}",
        titles(&plan)
    );
}

#[test]
fn a_locked_service_does_not_change_and_one_without_a_recipe_is_not_accepted() {
    let mut world = World::corkboard();
    let service = &mut world.service("api").service;
    assert_eq!((service.check_unlocked(), service.reject()), (Ok(()), Ok(ServiceState::Rejected)));
    service.locked = true;
    assert!(matches!(service.check_unlocked(), Err(ServiceRefused::Locked { .. })));
    assert!(service.reject().is_err());
    service.spec.dockerfile.origin = DockerfileOrigin::Generated;
    service.spec.dockerfile.content = None;
    assert!(matches!(service.accept(), Err(ServiceRefused::NoDockerfile { .. })));
    service.spec.dockerfile.content = Some("FROM a".to_owned());
    assert_eq!(service.accept(), Ok(ServiceState::Accepted));
    service.spec.dockerfile.content = None;
    service.spec.dockerfile.origin = DockerfileOrigin::Repository;
    assert_eq!(service.accept(), Ok(ServiceState::Accepted));
}

#[test]
fn the_words_for_a_step_say_whether_something_is_installed_and_what_an_operation_does() {
    let engine = |install| summary(&Action::DockerEngine(DockerEngine { install }));
    assert!(engine(true).contains("installs it") && !engine(false).contains("installs it"));
    let service = ServiceId::new(1, [1; 10]);
    let logs = Action::Operate(Operation::Logs { service, lines: 200, secrets: vec![] });
    assert_eq!(summary(&logs), "Reads the last 200 lines of the service's log.");
    assert_eq!(summary(&Action::Operate(Operation::Stop { service })), "Stops the service's containers.");
}

#[test]
fn the_interruption_of_a_plan_is_that_of_all_its_steps() {
    let mut plan = World::corkboard().plan().provisioning.remove(0);
    assert_eq!(crate::provisioning::downtime_s(&plan), 0);
    (plan.steps[0].downtime_s, plan.steps[1].downtime_s) = (30, 12);
    assert_eq!(crate::provisioning::downtime_s(&plan), 42);
}

#[test]
fn a_mandate_lasts_half_a_year() {
    let plan = World::corkboard().plan().provisioning.remove(0);
    for mandate in &plan.mandates {
        assert_eq!(mandate.valid_until_unix_ms - NOW, 15_811_200_000);
    }
}

#[test]
fn only_a_server_that_gets_work_is_missed_when_it_is_offline() {
    let mut world = World::corkboard();
    world.servers.push(server(2, "beta", 1));
    world.servers[1].online = false;
    let warned = |world: &World, name: &str| {
        world
            .plan()
            .infrastructure
            .warnings
            .iter()
            .any(|warning| warning.contains(&format!("server {name} is offline")))
    };
    assert!(!warned(&world, "beta"));
    world.servers.remove(1);
    world.servers[0].online = false;
    assert!(warned(&world, "alpha"));
}
