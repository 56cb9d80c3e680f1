//! From a token to a finished run, over a link that is cut, superseded, refused and renewed.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use hydron_proto::envelope::{EnvelopeDraft, PlanDigest, sign};
use hydron_proto::ids::{ProjectId, RunId};
use hydron_proto::plan::{PlanDocument, PlanKind, RepairBounds};
use hydron_proto::wire::{self, frame::Body};
use prost::Message as _;

use crate::agent::Agent;
use crate::coordinator::{Connection, Coordinator, Stored};
use crate::world::{Signed, eventually, lines, now_ms, permit, results, shell};

/// A signed plan of shell steps for the coordinator's server.
fn signed(coordinator: &Coordinator, sequence: u64, scripts: &[String]) -> Signed {
    let plan = PlanDocument {
        version: 1,
        kind: PlanKind::Provisioning,
        team: coordinator.team,
        project: ProjectId::new(1, [1; 10]),
        server: coordinator.server,
        steps: scripts.iter().map(|script| shell(script)).collect(),
        mandates: vec![],
        repair: RepairBounds { per_step: 0, per_run: 0 },
    };
    let plan = plan.to_bytes().unwrap();
    // A step host's control group has the run's name, and tests run beside each other.
    let run = RunId::new(sequence, rand::random());
    let digest = PlanDigest::of(&plan).0.to_vec();
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&sequence.to_be_bytes());
    let draft = EnvelopeDraft {
        kind: plan_kind(),
        team: coordinator.team,
        server: coordinator.server,
        run,
        not_before_unix_ms: now_ms() - 1000,
        expires_unix_ms: now_ms() + 3_600_000,
        nonce,
        sequence,
        plan,
    };
    let key: &SigningKey = &coordinator.signer;
    Signed { run, bytes: sign(draft, "k1", key).encode_to_vec(), digest }
}

fn plan_kind() -> hydron_proto::envelope::EnvelopeKind {
    PlanKind::Provisioning.envelope()
}

/// A joined, connected agent and its first connection, welcomed.
async fn connected() -> (Coordinator, Agent, Connection) {
    let mut coordinator = Coordinator::start().await;
    let mut agent = Agent::new();
    let output = agent.join(&coordinator);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    agent.start();
    let mut connection = coordinator.connection().await;
    connection.welcome(vec![], vec![]).await;
    (coordinator, agent, connection)
}

async fn accepted(connection: &mut Connection, signed: &Signed) {
    connection.offer(1, signed.run.to_string(), &signed.bytes).await;
    loop {
        match connection.next().await.expect("a decision") {
            (_, Body::Decision(decision)) => {
                assert_eq!(decision.code, "");
                return;
            }
            (_, Body::WindowUpdate(_) | Body::Facts(_)) => {}
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_becomes_a_server_that_runs_an_approved_plan() {
    let (coordinator, agent, mut connection) = connected().await;
    assert_eq!(connection.hello.protocol, 1);
    assert_eq!(connection.hello.session_counter, 1);
    let facts = connection.hello.facts.clone().unwrap();
    assert!(!facts.hostname.is_empty() && facts.policy_mode == "manage" && facts.https_port == 443);
    let counter = agent.path("counter");
    let script = |n: u32| format!("echo {n} >> {}; seq 1 {}", counter.display(), n * 60_000);
    let run = signed(&coordinator, 1, &[script(0), script(1), script(2)]);
    accepted(&mut connection, &run).await;
    connection.send(0, Body::Permit(permit(&run, 0, 2))).await;
    let mut stored = Stored::default();
    let whole = |stored: &Stored| stored.range_ended() && stored.closed.len() == 3;
    assert!(stored.take_until(&mut connection, whole).await);
    assert_eq!(results(&stored.events).len(), 3);
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "0\n1\n2\n");
    for (key, bytes) in &stored.logs {
        let spool = agent.root().run(run.run).join(format!("steps/{}.{}/spool", key.0, key.1));
        assert_eq!(&std::fs::read(spool).unwrap_or_default(), bytes, "{key:?}");
    }
    assert_eq!(stored.logs.values().map(Vec::len).max(), Some(728_895));
    let status = agent.call(&["status"]);
    let text = String::from_utf8(status.stdout).unwrap();
    assert!(text.contains(&coordinator.server.to_string()) && text.contains(&run.run.to_string()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cutting_the_connection_anywhere_loses_nothing_and_repeats_nothing() {
    let (mut coordinator, agent, mut connection) = connected().await;
    let counter = agent.path("counter");
    let script = |n: u32| format!("echo {n} >> {}; seq 1 30000; sleep 0.05", counter.display());
    let run = signed(&coordinator, 1, &(0..6).map(script).collect::<Vec<_>>());
    accepted(&mut connection, &run).await;
    connection.send(0, Body::Permit(permit(&run, 0, 5))).await;
    let id = run.run.to_string();
    let mut stored = Stored::default();
    let mut counters = vec![connection.hello.session_counter];
    let mut frames = 1;
    loop {
        for _ in 0..frames {
            match connection.next().await {
                Some((_, Body::Ping(_))) => panic!("the agent has no more to say after {:?}", stored.events),
                Some((stream, body)) => stored.take(&mut connection, stream, body).await,
                None => break,
            }
            if stored.range_ended() && stored.closed.len() == 6 {
                break;
            }
        }
        if stored.range_ended() && stored.closed.len() == 6 {
            break;
        }
        drop(connection);
        connection = coordinator.connection().await;
        counters.push(connection.hello.session_counter);
        connection.welcome(vec![stored.resume(&id)], vec![]).await;
        frames = frames % 23 + 4;
    }
    assert!(counters.len() > 3 && counters.is_sorted_by(|a, b| a < b), "{counters:?}");
    assert_eq!(results(&stored.events).len(), 6);
    assert_eq!(lines(&counter), 6);
    for (key, bytes) in &stored.logs {
        let spool = agent.root().run(run.run).join(format!("steps/{}.{}/spool", key.0, key.1));
        assert_eq!(&std::fs::read(spool).unwrap(), bytes, "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn link_executor_and_supervisor_killed_in_a_step_change_nothing_of_it() {
    for victims in [&["link"][..], &["exec"], &["link", "exec"], &["supervisor"]] {
        let (mut coordinator, mut agent, mut connection) = connected().await;
        let (counter, go) = (agent.path("counter"), agent.path("go"));
        let script = format!(
            "echo begin; echo x >> {}; while ! test -e {}; do sleep 0.02; done; echo end",
            counter.display(),
            go.display()
        );
        let run = signed(&coordinator, 1, &[script, format!("echo x >> {}", counter.display())]);
        accepted(&mut connection, &run).await;
        connection.send(0, Body::Permit(permit(&run, 0, 1))).await;
        let mut stored = Stored::default();
        assert!(stored.take_until(&mut connection, |stored| !stored.logs.is_empty()).await);
        if victims == ["supervisor"] {
            agent.kill_supervisor();
            eventually("the supervisor's children are gone", || agent.pids("exec").is_empty()).await;
            agent.start();
        }
        for role in victims {
            agent.kill(role);
        }
        while let Some((stream, body)) = connection.next().await {
            stored.take(&mut connection, stream, body).await;
        }
        let mut connection = coordinator.connection().await;
        assert_eq!(connection.hello.runs.len(), 1);
        let id = run.run.to_string();
        connection.welcome(vec![stored.resume(&id)], vec![]).await;
        std::fs::write(&go, "").unwrap();
        let whole = |stored: &Stored| stored.range_ended() && stored.closed.len() == 2;
        assert!(stored.take_until(&mut connection, whole).await, "{victims:?}");
        assert_eq!(results(&stored.events).len(), 2);
        assert_eq!(lines(&counter), 2, "{victims:?}");
        assert_eq!(stored.logs[&(0, 1)], b"begin\nend\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_coordinator_forgets_is_forgotten() {
    let (mut coordinator, agent, mut connection) = connected().await;
    let run = signed(&coordinator, 1, &["true".to_owned()]);
    accepted(&mut connection, &run).await;
    connection.send(0, Body::Permit(permit(&run, 0, 0))).await;
    let mut stored = Stored::default();
    stored.take_until(&mut connection, Stored::range_ended).await;
    drop(connection);
    let mut connection = coordinator.connection().await;
    connection.welcome(vec![], vec![run.run.to_string()]).await;
    eventually("the run is gone", || !agent.root().run(run.run).exists()).await;
    drop(connection);
    let connection = coordinator.connection().await;
    assert!(connection.hello.runs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_over_is_asked_about_on_the_same_connection_and_forgotten() {
    let (coordinator, agent, mut connection) = connected().await;
    let run = signed(&coordinator, 1, &["echo hello".to_owned()]);
    accepted(&mut connection, &run).await;
    connection.send(0, Body::Permit(permit(&run, 0, 0))).await;
    let mut stored = Stored::default();
    let asked = loop {
        match connection.next().await.expect("the same connection") {
            (0, Body::RunsHeld(held)) if stored.closed.len() == 1 => break held,
            // Asked before its log is here: it stays.
            (0, Body::RunsHeld(_)) => connection.send(0, Body::RunsKnown(wire::RunsKnown::default())).await,
            (stream, body) => stored.take(&mut connection, stream, body).await,
        }
    };
    assert!(!asked.resume && asked.runs.len() == 1, "{asked:?}");
    let report = asked.runs.first().unwrap();
    assert_eq!(
        (report.run_id.clone(), report.last_seq),
        (run.run.to_string(), stored.events.last().unwrap().seq)
    );
    assert!(report.logs.iter().all(|log| log.finished && log.length == 6));
    assert!(agent.root().run(run.run).exists());
    let forget = vec![run.run.to_string()];
    connection.send(0, Body::RunsKnown(wire::RunsKnown { resume: vec![], forget })).await;
    eventually("the run is gone", || !agent.root().run(run.run).exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_refused_keeps_its_identity_and_asks_again() {
    let (mut coordinator, agent, connection) = connected().await;
    connection.close(4003).await;
    let mut connection = coordinator.connection().await;
    connection.welcome(vec![], vec![]).await;
    assert!(agent.root().link().join("tls.key").exists());
    let away = wire::GoAway { reason: "restart".into(), after_ms: 20, spread_ms: 20 };
    connection.send(0, Body::GoAway(away)).await;
    drop(coordinator.connection().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_on_the_live_connection_and_after_its_end() {
    let mut coordinator = Coordinator::start().await;
    // Issued an hour ago, so already past four fifths of its life.
    coordinator.issue_for(600);
    let mut agent = Agent::new();
    assert!(agent.join(&coordinator).status.success());
    let before = std::fs::read(agent.root().link().join("chain.pem")).unwrap();
    agent.start();
    let mut connection = coordinator.connection().await;
    connection.welcome(vec![], vec![]).await;
    let csr = loop {
        match connection.next().await.unwrap() {
            (0, Body::RenewRequest(request)) => break request.csr_der,
            (_, Body::Facts(_)) => {}
            (_, other) => panic!("{other:?}"),
        }
    };
    // A certificate for somebody else's key is not taken.
    let stranger = wire::RenewReply { certificate_chain_der: vec![b"nonsense".to_vec()] };
    connection.send(0, Body::RenewReply(stranger)).await;
    connection.send(0, Body::Ping(wire::Ping { nonce: 7 })).await;
    while !matches!(connection.next().await.unwrap(), (0, Body::Pong(pong)) if pong.nonce == 7) {}
    assert_eq!(std::fs::read(agent.root().link().join("chain.pem")).unwrap(), before);
    coordinator.issue_for(1);
    let chain = vec![coordinator.certify(&csr)];
    connection.send(0, Body::RenewReply(wire::RenewReply { certificate_chain_der: chain })).await;
    while connection.next().await.is_some() {}
    assert_ne!(std::fs::read(agent.root().link().join("chain.pem")).unwrap(), before);
    // That one ends at once: the next is asked for under the name that overlooks it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    coordinator.issue_for(30 * 86_400);
    let renewed = coordinator.renewed();
    loop {
        let mut connection = coordinator.connection().await;
        connection.welcome(vec![], vec![]).await;
        if coordinator.renewed() > renewed {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_again_after_a_lost_reply_offers_the_same_keys() {
    let coordinator = Coordinator::start().await;
    let agent = Agent::new();
    assert!(agent.join(&coordinator).status.success());
    let (key, sealing) =
        (std::fs::read(agent.root().link().join("tls.key")).unwrap(), coordinator.sealing_key());
    std::fs::remove_file(agent.root().exec().join("identity.json")).unwrap();
    assert!(agent.join(&coordinator).status.success());
    assert_eq!(std::fs::read(agent.root().link().join("tls.key")).unwrap(), key);
    assert_eq!(coordinator.sealing_key(), sealing);
    assert_eq!(coordinator.enrolled(), 2);
    let config = std::fs::read_to_string(agent.root().agent_toml()).unwrap();
    assert_eq!(config.matches("coordinator").count(), 1, "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_used_or_of_another_authority_joins_nothing() {
    let coordinator = Coordinator::start().await;
    let other = Coordinator::start().await;
    let agent = Agent::new();
    let mut used = hydron_proto::token::EnrollmentToken::parse(&coordinator.token).unwrap();
    used.secret = zeroize::Zeroizing::new([5; 32]);
    for (token, words) in [
        ("hyd1.x", "not an enrollment token"),
        (used.encode().as_str(), "used before"),
        (other.token.as_str(), "no secure connection"),
    ] {
        let output = agent.join_with(&coordinator, token);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{said}");
        assert!(!said.contains(&token[token.len() - 5..]) || token.len() < 10, "the token is not repeated");
    }
    assert_eq!(other.enrolled(), 0);
    assert!(!agent.root().exec().join("identity.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_leaves_only_when_it_does_not_run_and_then_is_nobody() {
    let (_coordinator, mut agent, _connection) = connected().await;
    let output = agent.call(&["leave"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("stop the agent first"));
    let doctor = agent.call(&["doctor"]);
    let text = String::from_utf8(doctor.stdout).unwrap();
    assert!(text.contains("ok     executor") && text.contains("WRONG  docker"), "{text}");
    agent.kill_supervisor();
    eventually("the processes are gone", || agent.pids("exec").is_empty()).await;
    assert!(agent.call(&["leave"]).status.success());
    assert!(!agent.root().link().exists() && !agent.root().exec().join("keys").exists());
    let text = String::from_utf8(agent.call(&["status"]).stdout).unwrap();
    assert!(text.contains("has not joined"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_not_root_holds_no_capability_and_cannot_gain_one() {
    let (_coordinator, agent, _connection) = connected().await;
    let link = agent.pids("link")[0];
    let status = std::fs::read_to_string(format!("/proc/{link}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    if nix::unistd::geteuid().is_root() {
        assert_ne!(field("Uid:"), "0");
        assert_eq!(field("CapEff:"), "0000000000000000");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
    assert!(!agent.log().contains("not confined"), "{}", agent.log());
}
