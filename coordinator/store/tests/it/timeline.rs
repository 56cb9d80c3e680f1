//! Events and audit: order, atomicity, wakeups.

use std::time::Duration;

use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::{Location, Store, StoreError, Topic, Wake, on_every_engine};
use serde_json::json;

use crate::worlds::{ACTOR, NOW, team};

on_every_engine! {
    async fn events_of_a_team_are_numbered_without_gaps_in_commit_order(db: TestStore) {
        let (a, b) = (team(&db.store, 1).await, team(&db.store, 2).await);
        for round in 0..3 {
            let mut tx = db.store.team(a).begin(&ACTOR, NOW + round).await.unwrap();
            tx.event(EventDraft::new("thing.changed", "x", json!({ "round": round })));
            tx.event(EventDraft::new("thing.changed", "y", json!(null)));
            tx.commit().await.unwrap();
        }
        let events = db.store.team(a).events_after(1, 100).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!((events[1].data.clone(), events[1].at), (json!({ "round": 1 }), NOW + 1));
        assert_eq!(db.store.team(a).last_event().await.unwrap(), 6);
        assert!(db.store.team(b).events_after(0, 100).await.unwrap().is_empty());
        let mut tx = db.store.team(b).begin(&ACTOR, NOW).await.unwrap();
        tx.audit(AuditDraft::new("thing.changed", "x", json!({})));
        tx.rename_team("renamed").await.unwrap();
        tx.commit().await.unwrap();
        assert!(db.store.team(a).audit_before(None, 100).await.unwrap().is_empty(), "another team's log");
        assert_eq!(db.store.team(a).team().await.unwrap().unwrap().name, "team 1", "another team's name");
    }

    async fn many_writers_leave_no_gap(db: TestStore) {
        let a = team(&db.store, 1).await;
        let writers = (0..20).map(|n| {
            let store = db.store.clone();
            tokio::spawn(async move {
                let mut tx = store.team(a).begin(&ACTOR, NOW).await.unwrap();
                tx.event(EventDraft::new("n", n, json!(n)));
                tx.audit(AuditDraft::new("n", n, json!(n)));
                tx.commit().await.unwrap();
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let seqs: Vec<i64> = db.store.team(a).events_after(0, 100).await.unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(seqs, (1..=20).collect::<Vec<_>>());
        let audits: Vec<i64> = db.store.team(a).audit_before(None, 100).await.unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(audits, (1..=20).rev().collect::<Vec<_>>());
    }

    async fn a_dropped_change_leaves_neither_event_nor_audit(db: TestStore) {
        let a = team(&db.store, 1).await;
        let mut tx = db.store.team(a).begin(&ACTOR, NOW).await.unwrap();
        tx.rename_team("never").await.unwrap();
        tx.event(EventDraft::new("n", "n", json!(null)));
        tx.audit(AuditDraft::new("n", "n", json!(null)));
        drop(tx);
        assert!(db.store.team(a).events_after(0, 10).await.unwrap().is_empty());
        assert!(db.store.team(a).audit_before(None, 10).await.unwrap().is_empty());
        assert_eq!(db.store.team(a).team().await.unwrap().unwrap().name, "team 1");
    }

    async fn a_commit_wakes_listeners_of_its_team_after_the_rows_are_there(db: TestStore) {
        let a = team(&db.store, 1).await;
        let mut wakeups = db.store.wakeups();
        let mut tx = db.store.team(a).begin(&ACTOR, NOW).await.unwrap();
        tx.event(EventDraft::new("n", "n", json!(null)));
        tx.wake(Wake::new(Topic::Work, "runs"));
        tx.commit().await.unwrap();
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.push(tokio::time::timeout(Duration::from_secs(5), wakeups.recv()).await.unwrap().unwrap());
        }
        assert!(seen.contains(&Wake::new(Topic::Events, a)) && seen.contains(&Wake::new(Topic::Work, "runs")));
        assert_eq!(db.store.team(a).events_after(0, 10).await.unwrap().len(), 1);
    }

    async fn a_second_coordinator_is_refused_on_sqlite_and_woken_on_postgresql(db: TestStore) {
        match &db.location {
            Location::Sqlite(dir) => {
                let refused = Store::open(&db.location).await.unwrap_err();
                assert!(matches!(&refused, StoreError::InUse(path) if path == dir), "{refused}");
            }
            Location::Postgres(_) => {
                let other = Store::open(&db.location).await.unwrap();
                let mut wakeups = other.wakeups();
                db.store.wake(Wake::new(Topic::Doing, "run")).await;
                let wake = tokio::time::timeout(Duration::from_secs(5), wakeups.recv()).await.unwrap().unwrap();
                assert_eq!(wake, Wake::new(Topic::Doing, "run"));
            }
        }
    }

    async fn the_schema_says_how_far_it_is(db: TestStore) {
        let state = db.store.migration_state().await.unwrap();
        assert!(!state.is_behind() && state.applied > 0, "{state:?}");
        db.store.migrate().await.unwrap();
        db.store.ping().await.unwrap();
    }
}
