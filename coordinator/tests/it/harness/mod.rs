//! A running coordinator, a world of two teams in it, and clients that speak to it.

#![allow(dead_code, unused_imports, reason = "an area uses what it needs")]

mod caller;
mod coordinator;
mod sse;
pub(crate) mod things;
mod world;

pub(crate) use caller::{Answer, Caller};
pub(crate) use coordinator::{ManualClock, TestCoordinator};
pub(crate) use sse::{EventStream, Received};
pub(crate) use world::{ACTOR, Party, Who, World};

/// Stamps `async fn name(world: World)` into one test an engine.
#[macro_export]
macro_rules! in_a_world {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            async fn run($world: $crate::harness::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let world = $crate::harness::World::start(hydron_store::testing::Engine::Sqlite).await;
                run(world.expect("SQLite is always there")).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                match $crate::harness::World::start(hydron_store::testing::Engine::Postgres).await {
                    Some(world) => run(world).await,
                    None => eprintln!("skipped: {} is not set", hydron_store::testing::POSTGRES_URL),
                }
            }
        }
    )*};
}
