//! A coordinator in the wrong hands. It has its server's link, speaks the protocol, and sends what it likes; the whole
//! agent runs under strace. What nobody approved is refused by name, and not one program is executed for it.
//!
//! The same harness then sends approved work, which is executed: a test that saw nothing because it looked at nothing
//! fails there. Neighbours: `admission`, `permits` and `mandates` (the same checks one by one, without the link).

use ed25519_dalek::SigningKey;
use hydron_proto::envelope::{EnvelopeDraft, EnvelopeKind, sign};
use hydron_proto::ids::{ReleaseId, RunId, ServerId, TeamId};
use hydron_proto::plan::{Action, Operation, PlanDocument, PlanKind, Risk};
use hydron_proto::wire::{self, SignedEnvelope, event, frame::Body};
use prost::Message as _;

use crate::agent::Agent;
use crate::coordinator::{Connection, Coordinator};
use crate::mandates::{
    build, checkout, good, mandate, outside, release, release_steps, service, unspeakable,
};
use crate::world::{Signed, World, lines, now_ms, permit, shell, step};

/// What the executor says of a flipped bit, whichever it was.
const OF_A_FLIPPED_BIT: [&str; 4] = ["BAD_SIGNATURE", "MALFORMED", "KEY_UNKNOWN", "UNSIGNED"];

/// The coordinator, with what it took over: the link, and for some tests the plan key.
struct Hostile {
    /// Its authority holds the listener.
    _coordinator: Coordinator,
    agent: Agent,
    link: Connection,
    /// The plan key and the counter of its signatures.
    key: World,
    stream: u32,
    /// Runs whose envelope was taken.
    taken: Vec<RunId>,
    /// How much of what was executed is known.
    seen: usize,
}

/// Bytes that must not come in, and the code that says so.
struct Forged {
    what: &'static str,
    signed: Signed,
    code: &'static str,
}

impl Hostile {
    async fn start() -> Self {
        let mut coordinator = Coordinator::start().await;
        let mut agent = Agent::new();
        let output = agent.join(&coordinator);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        agent.start_traced();
        let mut link = coordinator.connection().await;
        link.welcome(vec![], vec![]).await;
        let key = World::joined();
        assert_eq!((key.team, key.server), (coordinator.team, coordinator.server));
        let seen = agent.executed().len();
        Self { _coordinator: coordinator, agent, link, key, stream: 1, taken: Vec::new(), seen }
    }

    /// A plan whose only step would leave a trace.
    fn tracer(&self) -> PlanDocument {
        self.key.plan(PlanKind::Provisioning, vec![self.trace("forged")])
    }

    /// A step that says in a file that it ran.
    fn trace(&self, name: &str) -> hydron_proto::plan::Step {
        shell(&format!("echo x >> {}", self.agent.path(name).display()))
    }

    fn traces(&self, name: &str) -> usize {
        lines(&self.agent.path(name))
    }

    /// Sends an envelope; the executor's code, empty when it is taken.
    async fn offer(&mut self, signed: &Signed) -> String {
        self.link.offer(self.stream, signed.run.to_string(), &signed.bytes).await;
        self.stream += 2;
        let code = self.decision().await;
        if code.is_empty() && !self.taken.contains(&signed.run) {
            self.taken.push(signed.run);
        }
        code
    }

    /// Sends a permit that must be refused; the code.
    async fn refused(&mut self, permit: wire::Permit) -> String {
        self.link.send(0, Body::Permit(permit)).await;
        self.decision().await
    }

    async fn decision(&mut self) -> String {
        loop {
            let (_, body) = self.link.next().await.expect("a decision");
            if let Body::Decision(decision) = body {
                return decision.code;
            }
        }
    }

    /// Forged work is refused by its code, and so is the permit that would start it.
    async fn holds_off(&mut self, forged: Vec<Forged>) {
        for Forged { what, signed, code } in forged {
            assert_eq!(self.offer(&signed).await, code, "{what}");
            assert_eq!(self.refused(permit(&signed, 0, 0)).await, "UNKNOWN_RUN", "{what}");
        }
    }

    /// Sends a permit whose range must be walked to its end.
    async fn walks(&mut self, permit: wire::Permit) {
        let run = permit.run_id.clone();
        self.link.send(0, Body::Permit(permit)).await;
        loop {
            match self.link.next().await.expect("an end of the range").1 {
                Body::Event(event) if event.run_id == run => {
                    if let Some(event::Body::RangeEnded(ended)) = event.body {
                        assert_eq!(ended.end(), wire::RangeEnd::Completed);
                        return;
                    }
                }
                Body::Decision(decision) => panic!("refused: {decision:?}"),
                _other => {}
            }
        }
    }

    /// What was executed since the last question, apart from what is the agent's own: the step host of a run that was
    /// taken, and the question for the proxy's version among the server's facts.
    fn executed(&mut self) -> Vec<String> {
        let all = self.agent.executed();
        let new = all.get(self.seen..).unwrap_or_default();
        let host = |line: &str| {
            line.contains("\"step-host\"") && self.taken.iter().any(|run| line.contains(&run.to_string()))
        };
        let work = new.iter().filter(|line| !host(line) && !line.contains("[\"nginx\", \"-v\"]"));
        let work = work.cloned().collect();
        self.seen = all.len();
        work
    }

    /// Approved work is taken and executed, and nothing besides it is.
    async fn executes_only_what_is_approved(&mut self) {
        assert_eq!(self.executed(), [] as [String; 0]);
        let steps = ["control"; 3].map(|name| self.trace(name));
        let plan = self.key.plan(PlanKind::Provisioning, steps.to_vec());
        let control = self.key.sign(&plan);
        assert_eq!(self.offer(&control).await, "");
        self.walks(permit(&control, 0, 2)).await;
        assert_eq!((self.traces("control"), self.traces("forged")), (3, 0));
        let executed = self.executed();
        assert!(executed.len() == 3 && executed.iter().all(|line| line.contains("/bin/sh")), "{executed:#?}");
    }
}

/// The signature, the addressee, the time: bytes that nobody would have had to read to refuse them.
fn foreign(hostile: &mut Hostile) -> Vec<Forged> {
    let plan = hostile.tracer();
    let key = &mut hostile.key;
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let honest = key.draft(&plan);
    let mut all = Vec::new();
    let mut forge = |what, code, signed| all.push(Forged { what, signed, code });

    let mut unsigned = key.sign(&plan);
    let mut envelope = SignedEnvelope::decode(unsigned.bytes.as_slice()).unwrap();
    envelope.signatures.clear();
    unsigned.bytes = envelope.encode_to_vec();
    forge("unsigned", "UNSIGNED", unsigned);
    for (what, id, code) in
        [("another key under a trusted name", "k1", "BAD_SIGNATURE"), ("another key", "k2", "KEY_UNKNOWN")]
    {
        let signed = key.sign_draft(honest.clone());
        let bytes = sign(honest.clone(), id, &stranger).encode_to_vec();
        forge(what, code, Signed { bytes, ..signed });
    }
    let elsewhere = ServerId::new(9, [9; 10]);
    let strangers = TeamId::new(9, [9; 10]);
    let foreign_plan = PlanDocument { server: elsewhere, ..plan.clone() };
    for (what, code, draft) in [
        ("another server's", "WRONG_SERVER", EnvelopeDraft { server: elsewhere, ..honest.clone() }),
        ("another team's", "WRONG_TEAM", EnvelopeDraft { team: strangers, ..honest.clone() }),
        (
            "another server's plan in an envelope of ours",
            "WRONG_SERVER",
            EnvelopeDraft { plan: foreign_plan.to_bytes().unwrap(), ..honest.clone() },
        ),
        ("expired", "EXPIRED", EnvelopeDraft { expires_unix_ms: now_ms() - 1, ..honest.clone() }),
        (
            "from the future",
            "NOT_YET_VALID",
            EnvelopeDraft { not_before_unix_ms: now_ms() + 3_600_000, ..honest.clone() },
        ),
        ("of another kind", "WRONG_KIND", EnvelopeDraft { kind: EnvelopeKind::Release, ..honest.clone() }),
        ("no plan", "MALFORMED", EnvelopeDraft { plan: b"echo x".to_vec(), ..honest }),
    ] {
        forge(what, code, key.sign_draft(draft));
    }
    all
}

/// Signed with the right key: a session of the coordinator was used to have something signed that no rule allows.
fn unruly(hostile: &mut Hostile) -> Vec<Forged> {
    let mut understated = hostile.tracer();
    understated.steps[0].risk = Risk::R1;
    let key = &mut hostile.key;
    let unmandated = key.plan(PlanKind::Release, good());
    let operation = |operation| {
        let mut step = step(Action::Operate(operation));
        step.risk = Risk::R2;
        vec![step]
    };
    let restart = key.plan(PlanKind::Operation, operation(Operation::Restart { service: service() }));
    let release = ReleaseId::new(9, [9; 10]);
    let rollback = Operation::Rollback { service: service(), release, secrets: vec![] };
    let rollback = key.plan(PlanKind::Operation, operation(rollback));
    [
        ("a shell step that claims to be harmless", "RISK_UNDERSTATED", understated),
        ("a release that no mandate allows", "NO_MANDATE", unmandated),
        ("a restart of what is not here", "UNKNOWN_OBJECT", restart),
        ("a rollback to what was never live", "UNKNOWN_OBJECT", rollback),
    ]
    .into_iter()
    .map(|(what, code, plan)| Forged { what, code, signed: key.sign(&plan) })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_signed_or_that_is_not_for_this_server_executes_nothing() {
    let mut hostile = Hostile::start().await;
    let forged = foreign(&mut hostile);
    hostile.holds_off(forged).await;
    let forged = unruly(&mut hostile);
    hostile.holds_off(forged).await;

    let plan = hostile.tracer();
    let honest = hostile.key.sign(&plan);
    for at in (0..honest.bytes.len()).step_by(5) {
        let mut bytes = honest.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let flipped = Signed { bytes, digest: honest.digest.clone(), ..honest };
        let code = hostile.offer(&flipped).await;
        assert!(OF_A_FLIPPED_BIT.contains(&code.as_str()), "byte {at}: {code:?}");
    }
    assert_eq!(hostile.refused(permit(&honest, 0, 0)).await, "UNKNOWN_RUN");
    hostile.executes_only_what_is_approved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_came_before_or_in_another_order_executes_nothing() {
    let mut hostile = Hostile::start().await;
    let plan = hostile.tracer();
    let older = hostile.key.sign(&plan);
    let newer = hostile.key.draft(&plan);
    let nonce = newer.nonce;
    let newer = hostile.key.sign_draft(newer);
    assert_eq!(hostile.offer(&newer).await, "", "taken, and not started");
    let reused = EnvelopeDraft { nonce, ..hostile.key.draft(&plan) };
    let reused = hostile.key.sign_draft(reused);
    let plan = hostile.key.plan(PlanKind::Provisioning, vec![shell("true")]);
    let other = EnvelopeDraft { run: newer.run, ..hostile.key.draft(&plan) };
    let other = hostile.key.sign_draft(other);
    hostile
        .holds_off(vec![
            Forged { what: "an older one after a newer one", signed: older, code: "REPLAY" },
            Forged { what: "a used nonce", signed: reused, code: "REPLAY" },
        ])
        .await;
    assert_eq!(hostile.offer(&other).await, "REPLAY", "another plan for a run that is held");
    assert_eq!(hostile.refused(permit(&other, 0, 0)).await, "DIGEST_MISMATCH");
    hostile.executes_only_what_is_approved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_outside_its_mandate_executes_nothing() {
    let mut hostile = Hostile::start().await;
    let steps = release_steps(checkout(), build("hydron/p-api:1"), release("hydron/p-api:1"));
    let mut approved = hostile.key.plan(PlanKind::Provisioning, steps);
    approved.mandates = vec![mandate()];
    let approved = hostile.key.sign(&approved);
    assert_eq!(hostile.offer(&approved).await, "");
    let mut forged = Vec::new();
    for (what, steps) in outside() {
        let plan = hostile.key.plan(PlanKind::Release, steps);
        forged.push(Forged { what, code: "OUTSIDE_MANDATE", signed: hostile.key.sign(&plan) });
    }
    let plan = hostile.key.plan(PlanKind::Release, good());
    for (what, bytes) in unspeakable(&plan) {
        let draft = EnvelopeDraft { plan: bytes, ..hostile.key.draft(&plan) };
        forged.push(Forged { what, code: "MALFORMED", signed: hostile.key.sign_draft(draft) });
    }
    hostile.holds_off(forged).await;
    let inside = hostile.key.sign(&plan);
    assert_eq!(hostile.offer(&inside).await, "", "what lies inside is taken");
    hostile.executes_only_what_is_approved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_beyond_its_plan_or_of_an_older_epoch_executes_nothing() {
    let mut hostile = Hostile::start().await;
    let names = ["first", "second", "third"];
    let plan = hostile.key.plan(PlanKind::Provisioning, names.map(|name| hostile.trace(name)).to_vec());
    let run = hostile.key.sign(&plan);
    assert_eq!(hostile.offer(&run).await, "");
    let good = |first, last| wire::Permit { epoch: 5, ..permit(&run, first, last) };
    for (what, code, permit) in [
        ("a step that the plan does not have", "NO_SUCH_STEP", good(0, 3)),
        ("a range backwards", "NO_SUCH_STEP", good(2, 1)),
        ("the second before the first", "OUT_OF_ORDER", good(1, 1)),
        ("a second attempt before the first", "WRONG_ATTEMPT", wire::Permit { attempt: 2, ..good(0, 0) }),
        (
            "another plan's digest",
            "DIGEST_MISMATCH",
            wire::Permit { envelope_digest: vec![1; 32], ..good(0, 0) },
        ),
        ("another run", "UNKNOWN_RUN", wire::Permit { run_id: "run_00".into(), ..good(0, 0) }),
    ] {
        assert_eq!(hostile.refused(permit).await, code, "{what}");
    }
    assert_eq!(hostile.executed(), [] as [String; 0]);

    hostile.walks(good(0, 0)).await;
    assert_eq!(hostile.executed().len(), 1);
    for (what, code, permit) in [
        ("an older epoch", "STALE_EPOCH", wire::Permit { epoch: 4, ..good(1, 1) }),
        ("the first again", "ALREADY_DONE", wire::Permit { attempt: 2, ..good(0, 0) }),
        ("the first again and more", "ALREADY_DONE", good(0, 2)),
    ] {
        assert_eq!(hostile.refused(permit).await, code, "{what}");
    }
    // What was answered once is not answered again, and not executed again.
    hostile.link.send(0, Body::Permit(good(0, 0))).await;
    assert_eq!(hostile.offer(&run).await, "", "the bytes that are held are no news");
    assert_eq!(hostile.executed(), [] as [String; 0]);
    assert_eq!(names.map(|name| hostile.traces(name)), [1, 0, 0]);
    hostile.walks(good(1, 2)).await;
    assert_eq!(names.map(|name| hostile.traces(name)), [1, 1, 1]);
    assert_eq!(hostile.executed().len(), 2);
}
