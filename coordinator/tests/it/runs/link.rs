//! One connection: who is let in, which one counts, how it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hydron_proto::frame::HANDSHAKE_STAGE_S;
use hydron_proto::wire::{self, frame::Body};
use hydron_store::testing::Engine;
use hydron_tests::sim_agent::{LinkEnd, SimAgent};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::bench::{Bench, easy};
use crate::harness::{EventStream, TestCoordinator, World};
use crate::in_a_world;

in_a_world! {
    async fn a_newer_connection_takes_the_place_of_the_older_one(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let first = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        let second = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        let epoch = |link: &hydron_tests::sim_agent::RawLink| link.welcome.as_ref().unwrap().connection_epoch;
        assert!(epoch(&second) > epoch(&first));
        assert_eq!(first.end().await, LinkEnd::Closed(4001));
        let seen = bench.owner().get(&format!("/servers/{}", agent.identity.server)).await.ok(200);
        assert_eq!(seen["online"], json!(true), "the older one's end does not make it offline");
    }

    async fn a_copy_of_the_disk_is_refused_and_told(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let mut late = agent.hello();
        let original = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        "boot-of-the-copy".clone_into(&mut late.boot_id);
        let copy = hydron_tests::sim_agent::RawLink::open(bench.address(), &agent.identity, late.clone()).await.unwrap();
        assert_eq!(copy.end().await, LinkEnd::Closed(4002));
        "boot-1".clone_into(&mut late.boot_id);
        let replay = hydron_tests::sim_agent::RawLink::open(bench.address(), &agent.identity, late).await.unwrap();
        assert_eq!(replay.end().await, LinkEnd::Closed(4002));
        let log = bench.owner().get("/audit").await.ok(200);
        assert!(log["items"].as_array().unwrap().iter().any(|line| line["action"] == "server.clone_suspected"));
        drop(original);
    }

    async fn revoking_a_server_ends_its_connection_within_five_seconds_and_keeps_it_out(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let link = agent.connect().await.unwrap();
        let path = format!("/servers/{}", agent.identity.server);
        let began = Instant::now();
        bench.owner().delete(&path).await.ok(204);
        assert_eq!(link.ended().await, LinkEnd::Closed(4003));
        assert!(began.elapsed() < Duration::from_secs(5));
        let refused = agent.connect_raw().await.unwrap_err();
        assert!(refused.to_string().contains("revoked"), "{refused}");
        assert_eq!(bench.owner().get(&path).await.problem(404), "not_found");
    }

    async fn a_restart_calls_nobody_down_who_may_still_come_back(world: World) {
        let (comes_back, stays_away) = {
            let bench = Bench::start(&world).await;
            (bench.agent("alpha", easy()).await, bench.agent("beta", easy()).await)
        };
        let links = (comes_back.connect_welcomed().await.unwrap(), stays_away.connect_welcomed().await.unwrap());
        let (config, clock, dir) = (world.coordinator.config.clone(), world.coordinator.clock.clone(), Arc::clone(&world.coordinator.dir));
        world.coordinator.stop().await;
        drop(links);
        clock.advance(10 * 60 * 1000);
        let again = TestCoordinator::start_with(config, clock.clone(), dir).await;
        let owner = again.nobody().with_cookie("ours-owner-session");
        let online = async |agent: &SimAgent| {
            owner.get(&format!("/servers/{}", agent.identity.server)).await.ok(200)["online"].clone()
        };
        assert_eq!((online(&comes_back).await, online(&stays_away).await), (json!(true), json!(true)));
        let mut events = EventStream::open(&owner, &format!("/teams/{}/events", world.ours.team)).await;
        let _link = comes_back.at(again.app.agents.address().unwrap()).connect_welcomed().await.unwrap();
        clock.advance(4 * 60 * 1000);
        assert_eq!((online(&comes_back).await, online(&stays_away).await), (json!(true), json!(true)));
        clock.advance(2 * 60 * 1000);
        assert_eq!((online(&comes_back).await, online(&stays_away).await), (json!(true), json!(false)));
        let told = loop {
            let event = events.next().await;
            if event.event.as_deref() == Some("server.online") && event.data.to_string().contains("false") {
                break event.data.to_string();
            }
        };
        assert!(told.contains(&stays_away.identity.server.to_string()), "{told}");
    }

    async fn what_makes_no_sense_ends_the_connection(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let mut hello = agent.hello();
        hello.protocol = 99;
        let old = hydron_tests::sim_agent::RawLink::open(bench.address(), &agent.identity, hello).await.unwrap();
        assert_eq!(old.end().await, LinkEnd::Closed(1002));
        let odd_stream = wire::StreamOpen {
            kind: Some(wire::stream_open::Kind::Log(wire::LogStream::default())),
        };
        for nonsense in [
            (0, Body::Welcome(wire::Welcome::default())),
            (3, Body::StreamOpen(odd_stream)),
            (0, Body::Event(wire::Event::default())),
            (0, Body::Permit(wire::Permit::default())),
        ] {
            let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
            link.send(nonsense.0, nonsense.1).await.unwrap();
            assert_eq!(link.end().await, LinkEnd::Closed(1002));
        }
    }

    async fn a_ping_is_answered_and_a_certificate_renewed_over_the_link(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        link.send(0, Body::Ping(wire::Ping { nonce: 7 })).await.unwrap();
        let nonce = link.until(|_, body| if let Body::Pong(pong) = body { Some(pong.nonce) } else { None }).await.unwrap();
        assert_eq!(nonce, 7);
        let request = wire::RenewRequest { csr_der: agent.identity.renewal().unwrap() };
        link.send(0, Body::RenewRequest(request)).await.unwrap();
        let reply = link.until(|_, body| if let Body::RenewReply(reply) = body { Some(reply) } else { None }).await.unwrap();
        assert_eq!(reply.certificate_chain_der.len(), 2);
        assert_ne!(reply.certificate_chain_der[0], agent.identity.certificate());
    }
}

/// Whoever opens connections and says nothing holds a small task each, for ten seconds, and nobody else up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_strangers_are_hung_up_on_and_keep_no_agent_out() {
    let world = World::start(Engine::Sqlite).await.unwrap();
    let bench = Bench::start(&world).await;
    let mut strangers = Vec::new();
    for _ in 0..200 {
        strangers.push(TcpStream::connect(bench.address()).await.unwrap());
    }
    let began = Instant::now();
    let _link = bench.agent("alpha", easy()).await.connect_welcomed().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "an agent waited {:?}", began.elapsed());
    for mut stranger in strangers {
        let left = Duration::from_secs(HANDSHAKE_STAGE_S + 3).saturating_sub(began.elapsed());
        let end = tokio::time::timeout(left, stranger.read(&mut [0; 1])).await.expect("it is hung up on");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
}
