//! One server, more and more sites behind its proxy: how long a change of a route takes until it serves, and the proxy's
//! memory.
//!
//! Rule: sites are made as plans make them, a certificate and a route each, by the released agent; a change is timed from
//! its signed plan to the durable result, the proxy's confirmation in between. Their services are stopped: routes answer
//! 503, and nothing but the proxy is measured.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use hydron_proto::ids::ServiceId;
use hydron_proto::plan::{Action, Certificate, CertificateIssuer, Route, RoutePath, Step};

use super::{Curve, Growth};
use crate::approved::shell_step;
use crate::bench::Options;
use crate::bench::footprint::{self, Memory};
use crate::bench::hydron::Hydron;
use crate::bench::report::Bar;
use crate::bench::samples::Samples;
use crate::bench::steps::milliseconds;

const SIZES: [usize; 5] = [1, 25, 50, 100, 200];
/// Changes of a route at each size.
const CHANGES: u32 = 7;
/// After the last change.
const SETTLE: Duration = Duration::from_secs(2);
/// Steps of one plan while sites are made.
const PLAN: usize = 100;
/// A person waits for a route.
const MOST_MS: f64 = 1000.0;

pub(super) async fn measure(options: &Options) -> anyhow::Result<Growth> {
    let root = options.place.join("growth-sites");
    let mut hydron = Hydron::start(&options.agent, &root, Duration::ZERO).await?;
    let mut change = Curve::new("a change of a route, until it serves", "ms");
    let mut memory = Curve::new("the proxy's memory", "MiB PSS");
    let mut there = 0;
    for size in SIZES {
        let steps: Vec<Step> = (there..size).map(site).collect::<anyhow::Result<Vec<_>>>()?.concat();
        for plan in steps.chunks(PLAN) {
            hydron.whole(plan.to_vec()).await.context("make sites")?;
        }
        there = size;
        let mut changes = Samples::default();
        for number in 1..=CHANGES {
            let changed = step(Action::Route(route(0, 10 + number)?));
            changes.push(milliseconds(hydron.whole(vec![changed]).await.context("change a route")?));
        }
        change.push(size, changes.median());
        memory.push(size, settled(&root).await?.pss_kib / 1024.0);
    }
    hydron.stop()?;
    let because = format!(
        "A change costs {:.0} ms with one site and {:.1} ms more for each further one: nginx reads all of its configuration and loads \
         every certificate twice (`nginx -t`, then the reload), and a new generation of workers begins before the old one ends. A \
         release changes an address and pays the same. Memory grows by {:.0} KiB a site for its two TLS contexts.",
        change.first(),
        change.slope(),
        memory.slope() * 1024.0,
    );
    Ok(Growth {
        name: "sites",
        title: "From 1 to 200 sites on one server",
        of: "sites",
        logarithmic: false,
        bars: vec![Bar { what: "ms to change a route among 200", is: change.last(), most: MOST_MS }],
        curves: vec![change, memory],
        because,
    })
}

fn site(number: usize) -> anyhow::Result<Vec<Step>> {
    let Route { site, hosts, .. } = route(number, 10)?;
    let issuer = CertificateIssuer::ServerAuthority;
    let certificate = Action::Certificate(Certificate { site, hosts, issuer });
    Ok(vec![step(certificate), step(Action::Route(route(number, 10)?))])
}

fn route(number: usize, max_body_mb: u32) -> anyhow::Result<Route> {
    let mut id = [0; 10];
    if let Some(last) = id.last_chunk_mut() {
        *last = u32::try_from(number)?.to_be_bytes();
    }
    let path = RoutePath { prefix: "/".to_owned(), service: ServiceId::new(1, id), streaming: false };
    Ok(Route {
        site: format!("site-{number}").parse()?,
        hosts: vec![format!("site-{number}.bench.localhost").parse()?],
        paths: vec![path],
        max_body_mb,
    })
}

fn step(action: Action) -> Step {
    Step { risk: action.risk(), action, ..shell_step("true") }
}

/// Its memory once the workers of earlier generations are gone: one that ends while it is looked at has none.
async fn settled(root: &Path) -> anyhow::Result<Memory> {
    let mut tries = 0;
    loop {
        tokio::time::sleep(SETTLE).await;
        tries += 1;
        match proxy(root).and_then(|pids| footprint::memory(&pids)) {
            Err(_) if tries < 5 => {}
            memory => return memory,
        }
    }
}

/// Pids of the proxy's master, found by its configuration below this root, and of its workers.
fn proxy(root: &Path) -> anyhow::Result<Vec<u32>> {
    let root = root.display().to_string();
    let mut masters = Vec::new();
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok());
        if line.starts_with("nginx: master") && line.contains(&root) {
            masters.push(pid);
        }
        all.push((pid, parent));
    }
    anyhow::ensure!(!masters.is_empty(), "the proxy does not run");
    let workers = all.iter().filter(|(_, parent)| parent.is_some_and(|parent| masters.contains(&parent)));
    let workers: Vec<u32> = workers.map(|(pid, _)| *pid).collect();
    Ok([masters, workers].concat())
}
