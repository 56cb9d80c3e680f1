//! What an edit of an approved-to-be plan may not touch.

use super::*;

fn action_of(plan: &PlanDocument, title: &str) -> (u32, Action) {
    let index = plan.steps.iter().position(|step| step.title == title).unwrap();
    (u32::try_from(index).unwrap(), plan.steps[index].action.clone())
}

fn edit(index: u32) -> StepEdit {
    StepEdit { index, title: None, timeout_s: None, action: None }
}

/// What became of the step of this title with a changed action.
fn with(title: &str, change: impl FnOnce(&mut Action)) -> Result<PlanDocument, InvalidStepEdit> {
    let plan = World::corkboard().plan().provisioning.remove(0);
    let (index, mut action) = action_of(&plan, title);
    change(&mut action);
    let action = Some(serde_json::to_value(action).unwrap());
    edit_steps(&plan, &[StepEdit { action, ..edit(index) }])
}

#[test]
fn a_title_is_one_line_and_a_time_out_at_most_two_hours() {
    let plan = World::corkboard().plan().provisioning.remove(0);
    let titled = |title: &str| edit_steps(&plan, &[StepEdit { title: Some(title.to_owned()), ..edit(0) }]);
    assert_eq!(titled(&format!(" {} ", "x".repeat(200))).unwrap().steps[0].title, "x".repeat(200));
    for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
        assert_eq!(titled(wrong).unwrap_err().field, "steps[0].title", "{wrong:?}");
    }
    let timed = |timeout| edit_steps(&plan, &[StepEdit { timeout_s: Some(timeout), ..edit(0) }]);
    assert_eq!(timed(7200).unwrap().steps[0].timeout_s, 7200);
    assert!(timed(1).is_ok());
    assert!(timed(0).is_err() && timed(7201).is_err());
}

#[test]
fn an_edited_release_keeps_its_service_its_name_and_its_release() {
    let changes: [fn(&mut hydron_proto::plan::ReleaseSpec); 3] = [
        |spec| spec.service = ServiceId::new(1, [99; 10]),
        |spec| spec.name = "web".parse().unwrap(),
        |spec| spec.release = ReleaseId::new(99, [99; 10]),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let refused = with("Release api", |action| {
            let Action::Release(spec) = action else { panic!() };
            change(spec);
        });
        assert!(refused.is_err(), "change {number}");
    }
}

#[test]
fn an_edited_build_keeps_its_service() {
    let refused = with("Build image api", |action| {
        let Action::ImageBuild(build) = action else { panic!() };
        build.service = "web".parse().unwrap();
    });
    assert!(refused.is_err());
}

#[test]
fn an_edited_route_keeps_its_site_and_its_hosts() {
    let title = "Route corkboard-01010101.localhost";
    let edited = |change: fn(&mut hydron_proto::plan::Route)| {
        with(title, |action| {
            let Action::Route(route) = action else { panic!() };
            change(route);
        })
    };
    assert!(edited(|route| route.max_body_mb += 1).is_ok());
    assert!(edited(|route| route.hosts.push("bank.example.org".parse().unwrap())).is_err());
    assert!(edited(|route| route.site = format!("{}-other", route.site).parse().unwrap()).is_err());
}

#[test]
fn an_edited_certificate_keeps_its_hosts() {
    let title = "Certificate for corkboard-01010101.localhost";
    assert!(with(title, |_| ()).is_ok());
    let refused = with(title, |action| {
        let Action::Certificate(certificate) = action else { panic!() };
        certificate.hosts = vec!["bank.example.org".parse().unwrap()];
    });
    assert!(refused.is_err());
}
