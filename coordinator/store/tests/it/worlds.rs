//! A team to write rows for.

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;
use hydron_store::Store;
use hydron_store::teams::Team;

/// When the tests happen.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// Who writes in tests.
pub(crate) const ACTOR: Actor = Actor::System { name: "test" };

/// A team that exists; `n` tells several apart.
pub(crate) async fn team(store: &Store, n: u8) -> TeamId {
    let id = TeamId::new(1_700_000_000_000, [n; 10]);
    let mut tx = store.system().begin(NOW).await.unwrap();
    tx.insert_team(&Team { id, name: format!("team {n}"), created_at: NOW }).await.unwrap();
    tx.commit().await.unwrap();
    id
}
