//! Users, sessions, tokens, set-up, login limits, idempotency keys.

use hydron_domain::identity::Role;
use hydron_proto::ids::{SessionId, TokenId, UserId};
use hydron_store::idempotency::IdempotencyKey;
use hydron_store::on_every_engine;
use hydron_store::sessions::NewSession;
use hydron_store::tokens::Token;
use hydron_store::users::User;

use crate::worlds::{ACTOR, NOW, team};

fn user(n: u8) -> User {
    let id = UserId::new(1, [n; 10]);
    User { id, email: format!("u{n}@example.com"), name: format!("U {n}"), created_at: NOW }
}

on_every_engine! {
    async fn an_address_belongs_to_one_person_whatever_its_case(db: TestStore) {
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        assert!(!tx.has_users().await.unwrap());
        tx.insert_user(&user(1), "$argon2id$").await.unwrap();
        tx.commit().await.unwrap();
        let found = db.store.system().user_by_email("U1@Example.com").await.unwrap().unwrap();
        assert_eq!((found.user, found.password_hash.as_str()), (user(1), "$argon2id$"));
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        let twin = User { email: "U1@EXAMPLE.COM".into(), ..user(2) };
        assert!(tx.insert_user(&twin, "x").await.unwrap_err().is_exists());
    }

    async fn a_session_ends_when_idle_or_old(db: TestStore) {
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        tx.insert_user(&user(1), "x").await.unwrap();
        let session = NewSession {
            id: SessionId::new(1, [1; 10]), user: user(1).id, secret_hash: "h", expires_at: NOW + 100,
        };
        tx.insert_session(&session).await.unwrap();
        tx.commit().await.unwrap();
        let system = db.store.system();
        assert_eq!(system.session("h", NOW - 1, NOW + 99).await.unwrap().unwrap().user, user(1));
        assert!(system.session("h", NOW, NOW + 50).await.unwrap().is_none(), "idle");
        assert!(system.session("h", NOW - 1, NOW + 100).await.unwrap().is_none(), "old");
        let mut tx = system.begin(NOW + 60).await.unwrap();
        tx.touch_session(session.id).await.unwrap();
        tx.commit().await.unwrap();
        assert!(system.session("h", NOW, NOW + 70).await.unwrap().is_some(), "used again");
    }

    async fn a_token_is_found_by_its_hash_until_it_expires_or_is_revoked(db: TestStore) {
        let (a, b) = (team(&db.store, 1).await, team(&db.store, 2).await);
        let token = Token {
            team: a, id: TokenId::new(1, [1; 10]), name: "ci".into(), prefix: "hyd_pat_abcd".into(),
            role: Role::Developer, created_by: None, created_at: NOW, expires_at: NOW + 10, last_used_at: None,
        };
        let mut tx = db.store.team(a).begin(&ACTOR, NOW).await.unwrap();
        tx.insert_token(&token, "hash").await.unwrap();
        tx.commit().await.unwrap();
        let system = db.store.system();
        assert_eq!(system.token_by_hash("hash", NOW + 9).await.unwrap(), Some(token.clone()));
        assert_eq!(system.token_by_hash("hash", NOW + 10).await.unwrap(), None);
        let mut tx = db.store.team(b).begin(&ACTOR, NOW).await.unwrap();
        assert!(!tx.delete_token(token.id).await.unwrap(), "another team's token");
        drop(tx);
        let mut tx = db.store.team(a).begin(&ACTOR, NOW).await.unwrap();
        assert!(tx.delete_token(token.id).await.unwrap());
        tx.commit().await.unwrap();
        assert!(db.store.team(a).tokens().await.unwrap().is_empty());
    }

    async fn members_and_teams_are_those_of_one_team_and_one_person(db: TestStore) {
        let (a, b) = (team(&db.store, 1).await, team(&db.store, 2).await);
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        for n in [1, 2] {
            tx.insert_user(&user(n), "x").await.unwrap();
        }
        tx.insert_member(a, user(1).id, Role::Owner).await.unwrap();
        tx.insert_member(b, user(2).id, Role::Viewer).await.unwrap();
        tx.commit().await.unwrap();
        let members = db.store.team(a).members().await.unwrap();
        assert_eq!(members.iter().map(|m| (m.user, m.role)).collect::<Vec<_>>(), [(user(1).id, Role::Owner)]);
        let teams = db.store.system().memberships(user(2).id).await.unwrap();
        assert_eq!(teams.iter().map(|m| (m.team.id, m.role)).collect::<Vec<_>>(), [(b, Role::Viewer)]);
    }

    async fn a_set_up_link_works_once_even_for_two_at_once(db: TestStore) {
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        tx.replace_setup_link("old").await.unwrap();
        tx.replace_setup_link("new").await.unwrap();
        tx.commit().await.unwrap();
        let mut wins = 0;
        let tries = ["old", "new", "new", "new"].map(|secret| {
            let system = db.store.system();
            tokio::spawn(async move {
                let mut tx = system.begin(NOW).await.unwrap();
                let used = tx.use_setup_link(secret).await.unwrap();
                tx.commit().await.unwrap();
                used
            })
        });
        for one in tries {
            wins += u32::from(one.await.unwrap());
        }
        assert_eq!(wins, 1);
    }

    async fn login_attempts_count_up_in_a_window_and_start_again_after_it(db: TestStore) {
        let mut counts = Vec::new();
        for at in [0, 1, 2, 1000, 1001] {
            let mut tx = db.store.system().begin(NOW + at).await.unwrap();
            counts.push(tx.count_login_attempt("account:x", 1000).await.unwrap());
            tx.commit().await.unwrap();
        }
        assert_eq!(counts, [1, 2, 3, 1, 2]);
    }

    async fn a_success_takes_its_own_attempt_back_and_no_other(db: TestStore) {
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        for subject in ["address:a", "address:a", "address:b"] {
            tx.count_login_attempt(subject, 1000).await.unwrap();
        }
        tx.uncount_login_attempt("address:a").await.unwrap();
        assert_eq!(tx.count_login_attempt("address:a", 1000).await.unwrap(), 2);
        for _ in 0..3 {
            tx.uncount_login_attempt("address:b").await.unwrap();
        }
        assert_eq!(tx.count_login_attempt("address:b", 1000).await.unwrap(), 1, "never below none");
    }

    async fn an_address_is_known_for_its_account_until_its_time_is_over(db: TestStore) {
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        for _ in 0..2 {
            tx.remember_login_address("ada", "192.0.2.1").await.unwrap();
        }
        assert!(tx.knows_login_address("ada", "192.0.2.1", NOW - 1).await.unwrap());
        assert!(!tx.knows_login_address("ada", "192.0.2.1", NOW).await.unwrap());
        assert!(!tx.knows_login_address("ada", "192.0.2.2", 0).await.unwrap());
        assert!(!tx.knows_login_address("bob", "192.0.2.1", 0).await.unwrap());
        assert_eq!(tx.delete_old_login_addresses(NOW - 1).await.unwrap(), 0);
        assert_eq!(tx.delete_old_login_addresses(NOW).await.unwrap(), 1);
    }

    async fn an_idempotency_key_is_claimed_once_and_remembers_its_answer(db: TestStore) {
        let key = IdempotencyKey { team: team(&db.store, 1).await, actor: "usr".into(), key: "k".into() };
        let other = IdempotencyKey { team: team(&db.store, 2).await, ..key.clone() };
        let mut tx = db.store.system().begin(NOW).await.unwrap();
        assert!(tx.claim_idempotency_key(&key, "h").await.unwrap());
        assert!(!tx.claim_idempotency_key(&key, "h").await.unwrap());
        assert!(tx.claim_idempotency_key(&other, "h").await.unwrap(), "another team's key is another key");
        tx.remember(&key, 201, "{}").await.unwrap();
        tx.release_idempotency_key(&key).await.unwrap();
        tx.commit().await.unwrap();
        let kept = db.store.system().remembered(&key).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.body.as_deref()), (Some(201), Some("{}")));
    }
}
