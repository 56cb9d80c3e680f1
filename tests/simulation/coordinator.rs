//! A coordinator as a process of the simulation.

use std::sync::{Arc, Mutex};

use hydron_coordinator::agents::inside::Inside;
use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::Clock;
use hydron_coordinator::jobs::{drive_runs, reaper};
use hydron_store::Store;

use crate::dice::Dice;
use crate::person;
use crate::template::{SeededEntropy, config};
use crate::world::{Node, World};

/// Where agents dial.
pub(crate) const PORT: u16 = 7444;

#[derive(Debug)]
struct Watch(Arc<World>, Node);

impl Clock for Watch {
    fn now_ms(&self) -> i64 {
        self.0.clock(self.1)
    }
}

/// Runs until it dies.
pub(crate) async fn run(world: Arc<World>, node: Node) -> turmoil::Result {
    world.enter(node);
    // In a task of the runtime: what it holds goes while the runtime is still there.
    let served = tokio::spawn(serve(world, node)).await;
    panic!("a coordinator ended: {served:?}");
}

async fn serve(world: Arc<World>, node: Node) {
    let config = config(world.data.clone());
    let store = Store::open_beside(&config.database).await.unwrap();
    let entropy = Arc::new(SeededEntropy(Mutex::new(Dice::new(world.dice().next()))));
    let app = AppState::build(config, store, Arc::new(Watch(world.clone(), node)), entropy).unwrap();
    world.apps.lock().unwrap()[node as usize] = Some(app.clone());
    let (inside, recording) = Inside::new(app.clone());
    let inside = Arc::new(inside);
    tokio::spawn(recording);
    tokio::spawn(drive_runs::run(app.clone()));
    tokio::spawn(reaper::run(app.clone()));
    tokio::spawn(person::act(world.clone(), app.clone()));
    let listener = turmoil::net::TcpListener::bind(("0.0.0.0", PORT)).await.unwrap();
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let (app, inside, template) = (app.clone(), inside.clone(), world.template.clone());
        tokio::spawn(async move {
            let server = app.store.system().server_of_agent(template.team, template.server).await;
            // As the door judges a certificate.
            if let Ok(Some(server)) = server
                && server.revoked_at.is_none()
            {
                inside.serve(stream, server, peer).await;
            }
        });
    }
}
