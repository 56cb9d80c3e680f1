//! The plan key signs what a person approved, what lies inside a stored mandate, and closed operations: nothing else,
//! whoever asks. The caller here is the process itself, past every route and service.

use std::collections::BTreeSet;

use hydron_coordinator::keys::signer::{SignError, SignRequest, SignedPlan};
use hydron_domain::approval::{ApprovalState, ApprovalSubject};
use hydron_proto::envelope::{PinnedSigner, PlanDigest, Verifier};
use hydron_proto::ids::{
    ApprovalId, InfrastructurePlanId, ProjectId, ReleaseId, RunId, ServerId, ServiceId, TeamId,
};
use hydron_proto::plan::{
    Action, ActionKind, Dockerfile, DockerfileRule, GitCheckout, Health, HealthKind, ImageBuild,
    InterruptPolicy, Limits, Mandate, Operation, PlanDocument, PlanKind, ReleaseImage, ReleaseOrder,
    ReleaseSpec, Risk, Shell, SourceRule, Step, StepRule, Undo,
};
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::SignedEnvelope;
use hydron_tests::approved;
use prost::Message as _;
use serde_json::json;

use super::bench::{Bench, probe_step, steps};
use crate::harness::ACTOR;
use crate::in_a_world;
use crate::pipeline::enroll;

/// A team, a project and a server; what is asked to be signed, and by which approval.
struct Desk<'a> {
    bench: Bench<'a>,
    server: ServerId,
}

impl Desk<'_> {
    fn team(&self) -> TeamId {
        self.bench.world.ours.team
    }

    fn plan(&self, kind: PlanKind, steps: Vec<Step>) -> PlanDocument {
        PlanDocument { kind, ..approved::plan(self.team(), self.bench.project, self.server, steps) }
    }

    /// Stores an answer to a plan's bytes, and says which.
    async fn answered(&self, plan: &[u8], project: ProjectId, answer: Option<ApprovalState>) -> ApprovalId {
        let app = self.bench.app();
        let mut tx = app.store.team(self.team()).begin(&ACTOR, app.now()).await.unwrap();
        let approval = approved::request(app, project, plan);
        tx.insert_approval(&approval).await.unwrap();
        if let Some(answer) = answer {
            tx.decide_approval(approval.id, answer).await.unwrap();
        }
        tx.commit().await.unwrap();
        approval.id
    }

    async fn approved(&self, plan: &[u8]) -> ApprovalId {
        self.answered(plan, self.bench.project, Some(ApprovalState::Approved)).await
    }

    /// Asks the signer; what it signs is stored.
    async fn sign(&self, plan: &[u8], approval: Option<ApprovalId>) -> Result<SignedPlan, SignError> {
        let app = self.bench.app();
        let mut tx = app.store.team(self.team()).begin(&ACTOR, app.now()).await.unwrap();
        let run = app.ids.next(RunId::new);
        let request = SignRequest { run, project: self.bench.project, server: self.server, plan, approval };
        let signed = app.signer.sign(&mut tx, request, [7; 16]).await?;
        tx.commit().await.unwrap();
        Ok(signed)
    }

    async fn refuses(&self, plan: &PlanDocument, approval: Option<ApprovalId>) -> SignError {
        self.sign(&plan.to_bytes().unwrap(), approval).await.expect_err("nothing is signed")
    }
}

fn shell() -> Step {
    let action = Action::Shell(Shell { script: "id".into(), env: vec![], expect: vec![0] });
    Step { action, risk: Risk::R3, ..probe_step("a shell") }
}

fn service() -> ServiceId {
    ServiceId::new(1, [5; 10])
}

fn mandate(valid_until_unix_ms: i64) -> Mandate {
    let rule = StepRule { timeout_s: 60, on_interrupt: InterruptPolicy::Rerun, undo: Undo::None };
    Mandate {
        service: service(),
        name: "api".parse().unwrap(),
        source: SourceRule::Git {
            url: "https://git.example/team/api.git".parse().unwrap(),
            reference: "main".parse().unwrap(),
            context: "".parse().unwrap(),
            dockerfile: DockerfileRule::Repository { path: "Dockerfile".parse().unwrap() },
        },
        image: "hydron/p-api".parse().unwrap(),
        build_memory_mb: 512,
        kinds: [ActionKind::GitCheckout, ActionKind::ImageBuild, ActionKind::Release]
            .map(|kind| (kind, rule))
            .into(),
        networks: ["hy-p".parse().unwrap()].into(),
        volumes: vec![],
        ports: [8000].into(),
        hosts: BTreeSet::new(),
        env: BTreeSet::new(),
        secrets: BTreeSet::new(),
        command: None,
        pre_deploy: None,
        limits: Limits { memory_mb: 256, cpu_milli: 500, pids: 100 },
        health: HEALTH,
        order: ReleaseOrder::StopFirst,
        bake_s: 3,
        drain_s: 30,
        stop_grace_s: 10,
        valid_until_unix_ms,
    }
}

const HEALTH: Health = Health { check: HealthKind::Tcp {}, successes: 2, interval_ms: 500, deadline_s: 60 };

fn build(tag: &str) -> ImageBuild {
    ImageBuild {
        service: "api".parse().unwrap(),
        checkout: Some("api".parse().unwrap()),
        context: "".parse().unwrap(),
        dockerfile: Dockerfile::Repository { path: "Dockerfile".parse().unwrap() },
        args: vec![],
        tag: tag.parse().unwrap(),
        memory_mb: 512,
    }
}

fn swap(tag: &str) -> ReleaseSpec {
    ReleaseSpec {
        service: service(),
        name: "api".parse().unwrap(),
        release: ReleaseId::new(1, [6; 10]),
        image: ReleaseImage::Built { tag: tag.parse().unwrap() },
        command: None,
        env: vec![],
        port: Some(8000),
        network: "hy-p".parse().unwrap(),
        volumes: vec![],
        limits: Limits { memory_mb: 256, cpu_milli: 500, pids: 100 },
        health: HEALTH,
        order: ReleaseOrder::StopFirst,
        pre_deploy: None,
        bake_s: 3,
        drain_s: 30,
        stop_grace_s: 10,
    }
}

/// Steps that fetch, build and release.
fn swapping(build: ImageBuild, swap: ReleaseSpec) -> Vec<Step> {
    let actions = [Action::ImageBuild(build), Action::Release(swap)];
    let step = |action: Action| Step {
        risk: action.risk(),
        action,
        service: Some(service()),
        ..probe_step("a step")
    };
    std::iter::once(fetch(OURS)).chain(actions.map(step)).collect()
}

/// Steps that differ in one thing from what the mandate gives, and each of them alone is refused.
fn beyond() -> Vec<(&'static str, Vec<Step>)> {
    let (ours, theirs) = ("hydron/p-api:2", "hydron/p-other:2");
    let swapped = |change: fn(&mut ReleaseSpec)| {
        let mut spec = swap(ours);
        change(&mut spec);
        swapping(build(ours), spec)
    };
    let promised = |change: fn(&mut Step)| {
        let mut steps = swapping(build(ours), swap(ours));
        change(&mut steps[2]);
        steps
    };
    let mut with_shell = shell();
    with_shell.service = Some(service());
    vec![
        ("another repository", vec![fetch("https://git.example/evil/api.git")]),
        ("a shell", vec![fetch(OURS), with_shell]),
        ("no service", vec![fetch(OURS), Step { service: None, ..fetch(OURS) }]),
        ("a build over another's tag", swapping(build(theirs), swap(ours))),
        ("another's image", swapping(build(ours), swap(theirs))),
        ("another's tag in both", swapping(build(theirs), swap(theirs))),
        ("a database's image", swapping(build("postgres:15"), swap(ours))),
        ("a build with more memory", swapping(ImageBuild { memory_mb: 513, ..build(ours) }, swap(ours))),
        ("two on one volume", swapped(|spec| spec.order = ReleaseOrder::StartFirst)),
        ("another health", swapped(|spec| spec.health.check = HealthKind::Running {})),
        ("a shorter watch", swapped(|spec| spec.bake_s = 0)),
        ("a shorter drain", swapped(|spec| spec.drain_s = 0)),
        ("a longer grace", swapped(|spec| spec.stop_grace_s = 11)),
        ("more time", promised(|step| step.timeout_s = 61)),
        ("another answer to an interruption", promised(|step| step.on_interrupt = InterruptPolicy::Ask)),
        ("an undo", promised(|step| step.undo = Undo::Own)),
        ("a guard", promised(|step| step.guarded = true)),
    ]
}

fn fetch(url: &str) -> Step {
    let action = Action::GitCheckout(GitCheckout {
        url: url.parse().unwrap(),
        reference: "main".parse().unwrap(),
        commit: "0123456789012345678901234567890123456789".parse().unwrap(),
        credential: None,
        checkout: "api".parse().unwrap(),
    });
    Step { action, risk: Risk::R1, service: Some(service()), ..probe_step("fetch") }
}

const OURS: &str = "https://git.example/team/api.git";

in_a_world! {
    async fn a_plan_is_signed_for_the_very_bytes_that_a_person_approved(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let plan = desk.plan(PlanKind::Provisioning, steps(2)).to_bytes().unwrap();
        let yes = desk.approved(&plan).await;
        let signed = desk.sign(&plan, Some(yes)).await.unwrap();
        let key = world.coordinator.app.signer.public();
        let signers = [PinnedSigner::from_bytes(&key.key_id, &key.public_key).unwrap()];
        let verifier = Verifier { signers: &signers, team: desk.team(), server: desk.server };
        let envelope = SignedEnvelope::decode(signed.envelope.as_slice()).unwrap();
        let verified = verifier.verify(&envelope).unwrap();
        assert_eq!((verified.digest, &verified.plan), (PlanDigest::of(&plan), &signed.plan));
    }

    async fn what_nobody_approved_is_not_signed(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let plan = desk.plan(PlanKind::Provisioning, steps(2));
        let bytes = plan.to_bytes().unwrap();
        let project = desk.bench.project;
        let pending = desk.answered(&bytes, project, None).await;
        let declined = desk.answered(&bytes, project, Some(ApprovalState::Declined)).await;
        let made_up = ApprovalId::new(9, [9; 10]);
        for approval in [None, Some(pending), Some(declined), Some(made_up)] {
            assert!(matches!(desk.refuses(&plan, approval).await, SignError::NotApproved), "{approval:?}");
        }
        // A yes to the infrastructure plan is none to what will be done.
        let app = desk.bench.app();
        let mut other = approved::request(app, project, &bytes);
        other.subject = ApprovalSubject::Infrastructure(app.ids.next(InfrastructurePlanId::new));
        let mut tx = app.store.team(desk.team()).begin(&ACTOR, app.now()).await.unwrap();
        tx.insert_approval(&other).await.unwrap();
        tx.decide_approval(other.id, ApprovalState::Approved).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(desk.refuses(&plan, Some(other.id)).await, SignError::NotApproved));
        // A yes of another team is not found.
        let theirs = app.store.team(world.theirs.team);
        let ours = desk.approved(&bytes).await;
        let mut tx = theirs.begin(&ACTOR, app.now()).await.unwrap();
        assert!(tx.warrant(ours).await.unwrap().is_none());
    }

    async fn a_yes_covers_exactly_its_bytes_its_project_and_its_day(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let plan = desk.plan(PlanKind::Provisioning, steps(2));
        let bytes = plan.to_bytes().unwrap();
        let yes = desk.approved(&bytes).await;
        let mut edited = plan.clone();
        edited.steps[1].timeout_s += 1;
        assert!(matches!(desk.refuses(&edited, Some(yes)).await, SignError::DigestMismatch));
        edited.steps[1] = shell();
        assert!(matches!(desk.refuses(&edited, Some(yes)).await, SignError::DigestMismatch));
        let other = world.owner().post("/projects", json!({ "name": "Other" })).await.ok(201);
        let other: ProjectId = other["id"].as_str().unwrap().parse().unwrap();
        let elsewhere = desk.answered(&bytes, other, Some(ApprovalState::Approved)).await;
        assert!(matches!(desk.refuses(&plan, Some(elsewhere)).await, SignError::DigestMismatch));
        world.coordinator.clock.advance(24 * 3600 * 1000);
        assert!(matches!(desk.refuses(&plan, Some(yes)).await, SignError::ApprovalExpired));
    }

    async fn a_plan_for_somebody_else_or_of_hidden_risk_is_not_signed_even_if_approved(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let honest = desk.plan(PlanKind::Provisioning, vec![shell()]);
        let foreign = [
            PlanDocument { team: world.theirs.team, ..honest.clone() },
            PlanDocument { project: ProjectId::new(9, [9; 10]), ..honest.clone() },
            PlanDocument { server: ServerId::new(9, [9; 10]), ..honest.clone() },
        ];
        for plan in foreign {
            let yes = desk.approved(&plan.to_bytes().unwrap()).await;
            assert!(matches!(desk.refuses(&plan, Some(yes)).await, SignError::Misaddressed(_)));
        }
        let mut understated = honest;
        understated.steps[0].risk = Risk::R2;
        let yes = desk.approved(&understated.to_bytes().unwrap()).await;
        assert!(matches!(desk.refuses(&understated, Some(yes)).await, SignError::RiskUnderstated(0)));
    }

    async fn a_release_is_signed_inside_a_stored_mandate_and_nowhere_else(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let release = desk.plan(PlanKind::Release, vec![fetch(OURS)]);
        let none = desk.refuses(&release, None).await;
        assert!(matches!(none, SignError::OutsideMandate(RejectCode::NoMandate)), "{none}");
        // An approval of somebody is no mandate.
        let yes = desk.approved(&release.to_bytes().unwrap()).await;
        assert!(matches!(desk.refuses(&release, Some(yes)).await, SignError::OutsideMandate(_)));

        let mut approved = desk.plan(PlanKind::Provisioning, vec![fetch(OURS)]);
        approved.mandates = vec![mandate(desk.bench.app().now() + 3_600_000)];
        let approved = approved.to_bytes().unwrap();
        let yes = desk.approved(&approved).await;
        desk.sign(&approved, Some(yes)).await.unwrap();
        desk.sign(&release.to_bytes().unwrap(), None).await.unwrap();

        let whole = desk.plan(PlanKind::Release, swapping(build("hydron/p-api:2"), swap("hydron/p-api:2")));
        desk.sign(&whole.to_bytes().unwrap(), None).await.unwrap();

        for (what, steps) in beyond() {
            let refused = desk.refuses(&desk.plan(PlanKind::Release, steps), None).await;
            assert!(
                matches!(refused, SignError::OutsideMandate(RejectCode::OutsideMandate)),
                "{what}: {refused}"
            );
        }
        // Nor when its time is over, nor on another server.
        world.coordinator.clock.advance(3_600_000);
        assert!(matches!(desk.refuses(&release, None).await, SignError::OutsideMandate(_)));
        let elsewhere = Desk { server: enroll(&world, "beta").await, ..desk };
        let there = elsewhere.plan(PlanKind::Release, vec![fetch(OURS)]);
        let refused = elsewhere.refuses(&there, None).await;
        assert!(matches!(refused, SignError::OutsideMandate(RejectCode::NoMandate)), "{refused}");
    }

    async fn an_operation_is_one_of_the_closed_list(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let restart = Action::Operate(Operation::Restart { service: service() });
        let restart = Step { action: restart, risk: Risk::R2, ..probe_step("restart") };
        let plan = desk.plan(PlanKind::Operation, vec![restart.clone()]);
        desk.sign(&plan.to_bytes().unwrap(), None).await.unwrap();
        let mut free_text = serde_json::to_value(&plan).unwrap();
        for action in [
            serde_json::to_value(shell().action).unwrap(),
            json!({ "kind": "operate", "with": { "operation": "run", "command": "id" } }),
            json!({ "kind": "operate", "with": { "operation": "restart", "service": service(), "then": "id" } }),
        ] {
            free_text["steps"][0]["action"] = action;
            let refused = desk.sign(&serde_json::to_vec(&free_text).unwrap(), None).await.unwrap_err();
            assert!(matches!(refused, SignError::Plan(_)), "{refused}");
        }
        // A provisioning plan does not become allowed by calling itself an operation.
        let mut disguised = serde_json::to_value(desk.plan(PlanKind::Provisioning, vec![shell()])).unwrap();
        disguised["kind"] = json!("operation");
        let refused = desk.sign(&serde_json::to_vec(&disguised).unwrap(), None).await.unwrap_err();
        assert!(matches!(refused, SignError::Plan(_)), "{refused}");
    }

    async fn nothing_is_signed_for_a_server_that_was_removed(world: World) {
        let desk = Desk { bench: Bench::start(&world).await, server: enroll(&world, "alpha").await };
        let plan = desk.plan(PlanKind::Provisioning, steps(1));
        let yes = desk.approved(&plan.to_bytes().unwrap()).await;
        world.owner().delete(&format!("/servers/{}", desk.server)).await.ok(204);
        assert!(matches!(desk.refuses(&plan, Some(yes)).await, SignError::ServerGone));
    }
}
