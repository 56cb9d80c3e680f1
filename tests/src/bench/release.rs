//! A release of an image that is there already: ours beside `docker compose up -d` and `nginx -s reload`, and beside the same
//! swap by hand with the Docker client.
//!
//! Rule: each round gives every side's service a new variable and replaces its container; all end when the site answers
//! through nginx. Ours is the released agent from signed plan to durable result: candidate beside the old one, health,
//! switch, probe, drain, stop. The peers stop the old one first, so they are down meanwhile, and look at nothing; bake and
//! drain, which are waits on purpose, are off. Neighbour: `release/by_hand` (the peers).

mod by_hand;

use std::time::Duration;

use anyhow::Context as _;
use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::plan::{
    Action, Certificate, CertificateIssuer, EnvVar, Health, HealthKind, Limits, Network, ReleaseImage,
    ReleaseOrder, ReleaseSpec, Route, RoutePath, Step,
};

use self::by_hand::{ByHand, Way};
use super::Options;
use super::hydron::Hydron;
use super::report::{Bar, Finding, Measured, Ratio, say};
use super::samples::Samples;
use super::steps::milliseconds;
use crate::approved::shell_step;

/// Rounds, unless asked otherwise.
const ROUNDS: usize = 7;
/// Ours does more (health, probe, no moment without an answer) and should not be slower for it.
const MOST_OF_COMPOSE: f64 = 1.0;
/// The image that all of them run; `by_hand` makes it.
const IMAGE: &str = "hydron-bench/app:1";
/// Where it listens.
const PORT: u16 = 8080;

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    let Some(by_hand) = ByHand::prepare(&options.place.join("release-by-hand")).await? else {
        say("\n  busybox or Docker is absent: releases are not measured");
        return Ok(Vec::new());
    };
    let mut hydron = Hydron::start(&options.agent, &options.place.join("release"), Duration::ZERO).await?;
    hydron.whole(site(release("0")?)?).await.context("the first release")?;
    let (mut ours, mut compose, mut client) = (Samples::default(), Samples::default(), Samples::default());
    for round in 1..=options.rounds.unwrap_or(ROUNDS) {
        let version = round.to_string();
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => ours
                    .push(milliseconds(hydron.whole(vec![step(Action::Release(release(&version)?))]).await?)),
                1 if by_hand.has_compose() => {
                    compose.push(milliseconds(by_hand.swap(Way::Compose, &version).await?));
                }
                1 => {}
                _client => client.push(milliseconds(by_hand.swap(Way::Client, &version).await?)),
            }
        }
    }
    hydron.stop()?;
    by_hand.remove().await?;
    Ok(vec![finding(ours, compose, client)])
}

fn finding(ours: Samples, compose: Samples, client: Samples) -> Finding {
    let measured = |who, samples| Measured { who, unit: "ms", samples };
    let (mut ratios, mut bars, mut all) = (Vec::new(), Vec::new(), Vec::new());
    if compose.count() > 0 {
        let ratio = Ratio::of("docker-compose up -d and nginx -s reload", &ours, &compose);
        bars.push(Bar {
            what: "a release to docker-compose and a reload",
            is: ratio.value,
            most: MOST_OF_COMPOSE,
        });
        ratios.push(ratio);
        all.push(measured("docker-compose up -d, nginx -s reload (down meanwhile)", compose));
    } else {
        say("  docker-compose is absent: it is not measured");
    }
    ratios.push(Ratio::of("docker rm, docker run and nginx -s reload", &ours, &client));
    all.insert(0, measured("hydron, health, switch and probe, never down", ours));
    all.push(measured("docker rm, docker run, nginx -s reload (down meanwhile)", client));
    let title = "A release of an image that is there already";
    Finding { title, ratios, measured: all, bars, curves: vec![] }
}

/// A network, the release, and a site in front of it.
fn site(release: ReleaseSpec) -> anyhow::Result<Vec<Step>> {
    let site = "bench".parse()?;
    let hosts = vec!["bench.localhost".parse()?];
    let path = RoutePath { prefix: "/".to_owned(), service: release.service, streaming: false };
    let issuer = CertificateIssuer::ServerAuthority;
    Ok(vec![
        step(Action::Network(Network { name: release.network.clone() })),
        step(Action::Release(release)),
        step(Action::Certificate(Certificate { site, hosts: hosts.clone(), issuer })),
        step(Action::Route(Route { site: "bench".parse()?, hosts, paths: vec![path], max_body_mb: 10 })),
    ])
}

fn release(version: &str) -> anyhow::Result<ReleaseSpec> {
    Ok(ReleaseSpec {
        service: ServiceId::new(1, [2; 10]),
        name: "app".parse()?,
        release: ReleaseId::new(1, rand::random()),
        image: ReleaseImage::Pulled { image: IMAGE.parse()? },
        command: None,
        env: vec![EnvVar::literal("VERSION".parse()?, version)],
        port: Some(PORT),
        network: "hydron-bench".parse()?,
        volumes: vec![],
        limits: Limits { memory_mb: 64, cpu_milli: 1000, pids: 64 },
        health: Health {
            check: HealthKind::Http { path: "/".to_owned() },
            successes: 1,
            interval_ms: 100,
            deadline_s: 30,
        },
        order: ReleaseOrder::StartFirst,
        pre_deploy: None,
        bake_s: 0,
        drain_s: 0,
        stop_grace_s: 1,
    })
}

fn step(action: Action) -> Step {
    Step { risk: action.risk(), action, ..shell_step("true") }
}
