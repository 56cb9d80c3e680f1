//! Visitors: requests through the proxy's TLS side, alone or in a crowd, every one on a fresh connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hydron_agent::edge::{Answer, ask_tls};
use tokio::task::JoinHandle;

use crate::world::World;

pub(crate) async fn get(world: &World, path: &str) -> Result<Answer, String> {
    let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, world.config.https_port));
    let authority = std::fs::read_to_string(world.root.site_ca_pem()).unwrap();
    ask_tls(proxy, &world.host(), path, &authority, None, Duration::from_secs(20)).await
}

/// Status and first word.
pub(crate) async fn version(world: &World) -> String {
    match get(world, "/").await {
        Ok(answer) => format!("{} {}", answer.status, answer.text().split(' ').next().unwrap_or("").trim()),
        Err(reason) => reason,
    }
}

/// Visitors that ask without pause until they are told to stop.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<(usize, Vec<String>)>>,
}

impl Crowd {
    pub(crate) fn come(world: &World, size: usize, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, world.config.https_port));
        let authority = std::fs::read_to_string(world.root.site_ca_pem()).unwrap();
        let visitors = (0..size).map(|_| {
            let (stop, host, authority) = (Arc::clone(&stop), world.host(), authority.clone());
            tokio::spawn(async move {
                let (mut asked, mut failures) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    asked += 1;
                    match ask_tls(proxy, &host, path, &authority, None, Duration::from_secs(20)).await {
                        Ok(answer) if answer.status == 200 => {}
                        Ok(answer) => failures.push(format!("status {}", answer.status)),
                        Err(reason) => failures.push(reason),
                    }
                }
                (asked, failures)
            })
        });
        let visitors = visitors.collect();
        Self { stop, visitors }
    }

    /// How many requests there were, and what went wrong.
    pub(crate) async fn leave(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut asked, mut failures) = (0, Vec::new());
        for visitor in self.visitors {
            let (count, wrong) = visitor.await.unwrap();
            asked += count;
            failures.extend(wrong);
        }
        (asked, failures)
    }
}
