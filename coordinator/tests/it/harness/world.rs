//! Two teams with people of every role, and a token: what the authorisation tests walk through.

use hydron_coordinator::clock::Clock as _;
use hydron_domain::identity::{Actor, Role};
use hydron_proto::ids::{SessionId, TeamId, UserId};
use hydron_store::sessions::NewSession;
use hydron_store::teams::Team;
use hydron_store::testing::Engine;
use hydron_store::users::User;
use sha2::{Digest as _, Sha256};

use super::{Caller, TestCoordinator};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Not signed in.
    Nobody,
    /// Somebody of this role, with a session.
    Session(Role),
    /// A token of this role.
    Token(Role),
}

/// One team and its people.
pub(crate) struct Party {
    pub(crate) team: TeamId,
    pub(crate) callers: Vec<(Who, Caller)>,
}

/// A coordinator with two teams.
pub(crate) struct World {
    pub(crate) coordinator: TestCoordinator,
    /// The team whose things are used.
    pub(crate) ours: Party,
    /// The team that tries to reach them.
    pub(crate) theirs: Party,
}

/// Who acts when a test writes rows itself.
pub(crate) const ACTOR: Actor = Actor::System { name: "test" };

impl World {
    pub(crate) async fn start(engine: Engine) -> Option<Self> {
        let coordinator = TestCoordinator::start(engine).await?;
        let ours = Party::make(&coordinator, "ours").await;
        let theirs = Party::make(&coordinator, "theirs").await;
        Some(Self { coordinator, ours, theirs })
    }

    /// Our owner, in a browser.
    pub(crate) fn owner(&self) -> &Caller {
        self.ours.caller(Who::Session(Role::Owner))
    }

    /// Our developer, in a browser.
    pub(crate) fn developer(&self) -> &Caller {
        self.ours.caller(Who::Session(Role::Developer))
    }
}

impl Party {
    pub(crate) fn caller(&self, who: Who) -> &Caller {
        &self.callers.iter().find(|(known, _)| *known == who).expect("one of the party").1
    }

    async fn make(coordinator: &TestCoordinator, name: &str) -> Self {
        let app = &coordinator.app;
        let now = coordinator.clock.now_ms();
        let team = Team { id: app.ids.next(TeamId::new), name: name.to_owned(), created_at: now };
        let mut tx = app.store.system().begin(now).await.unwrap();
        tx.insert_team(&team).await.unwrap();
        let mut callers = vec![(Who::Nobody, coordinator.nobody())];
        for role in Role::ALL {
            let email = format!("{role}@{name}.example");
            let user = User {
                id: app.ids.next(UserId::new),
                email,
                name: format!("{name} {role}"),
                created_at: now,
            };
            tx.insert_user(&user, "not a hash: these people sign in by their session").await.unwrap();
            tx.insert_member(team.id, user.id, role).await.unwrap();
            let secret = format!("{name}-{role}-session");
            let session = NewSession {
                id: app.ids.next(SessionId::new),
                user: user.id,
                secret_hash: &hex(&Sha256::digest(secret.as_bytes())),
                expires_at: now + 30 * 24 * 60 * 60 * 1000,
            };
            tx.insert_session(&session).await.unwrap();
            callers.push((Who::Session(role), coordinator.nobody().with_cookie(&secret)));
        }
        tx.commit().await.unwrap();
        let mut party = Self { team: team.id, callers };
        for role in [Role::Developer, Role::Owner] {
            let body = serde_json::json!({ "name": "matrix", "role": role });
            let made = party.caller(Who::Session(Role::Owner)).post("/tokens", body).await.ok(201);
            let token = coordinator.nobody().with_token(made["token"].as_str().unwrap());
            party.callers.push((Who::Token(role), token));
        }
        party
    }
}

fn hex(bytes: &[u8]) -> String {
    hydron_coordinator::keys::kek::hex(bytes)
}
