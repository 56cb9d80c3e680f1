//! A way between an agent and its coordinators, or between one of them and its database, that the test holds in its hand: it leads elsewhere, breaks, or falls silent.
//!
//! Rule: what was silenced stays silent; a connection that comes later goes where the relay leads then.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to the connections that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Bytes go through.
    Open,
    /// The agent's half is closed; the coordinator's half stays open, and nothing comes of it.
    HalfOpen,
    /// Both halves stay open, and nothing goes through.
    Silent,
}

/// A listening relay; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    way: Arc<Mutex<Way>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Way {
    target: SocketAddr,
    fate: watch::Sender<Fate>,
}

impl Relay {
    /// A relay that leads to `target`.
    pub(super) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(Mutex::new(Way { target, fate: watch::Sender::new(Fate::Open) }));
        let task = tokio::spawn(serve(listener, way.clone()));
        Self { address, way, task }
    }

    /// Where agents dial it.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its port on loopback.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that come later go elsewhere; those that are open stay as they are.
    pub(super) fn lead_to(&self, target: SocketAddr) {
        self.way.lock().unwrap().target = target;
    }

    /// Agents lose their connections and find another coordinator; the one before is not told.
    pub(super) fn part_and_lead_to(&self, target: SocketAddr) {
        self.turn(target, Fate::HalfOpen);
    }

    /// Nobody is told anything; a connection that comes later finds another coordinator.
    pub(super) fn fall_silent_and_lead_to(&self, target: SocketAddr) {
        self.turn(target, Fate::Silent);
    }

    fn turn(&self, target: SocketAddr, fate: Fate) {
        let mut way = self.way.lock().unwrap();
        way.fate.send_replace(fate);
        *way = Way { target, fate: watch::Sender::new(Fate::Open) };
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, way: Arc<Mutex<Way>>) {
    while let Ok((agent, _)) = listener.accept().await {
        let (target, fate) = {
            let way = way.lock().unwrap();
            (way.target, way.fate.subscribe())
        };
        tokio::spawn(pass(agent, target, fate));
    }
}

async fn pass(mut agent: TcpStream, target: SocketAddr, mut fate: watch::Receiver<Fate>) {
    let Ok(mut coordinator) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ended = tokio::io::copy_bidirectional(&mut agent, &mut coordinator) => return,
        _changed = fate.wait_for(|fate| *fate != Fate::Open) => {}
    }
    let silent = *fate.borrow() == Fate::Silent;
    let _kept = (silent.then_some(agent), coordinator);
    // Until the test is over.
    std::future::pending::<()>().await;
}
