//! Which reading is taken up next.

use hydron_domain::analysis_run::{AnalysisRun, AnalysisState, SourceSpec, pending_steps};
use hydron_domain::project::{Project, ProjectType, Slug};
use hydron_proto::ids::{AnalysisId, DomainId, ProjectId, TeamId};
use hydron_proto::names::RelPath;
use hydron_store::{Store, on_every_engine};

use crate::worlds::{ACTOR, NOW, team};

/// Most readings of one team at once.
const PER_TEAM: i64 = 2;

/// Queues a reading that is `age` younger than the first.
async fn queue(store: &Store, team: TeamId, age: u8) -> AnalysisId {
    let at = NOW + i64::from(age);
    let project = ProjectId::new(1, [age; 10]);
    let run = AnalysisRun {
        id: AnalysisId::new(1, [age; 10]),
        project,
        source: SourceSpec {
            url: "https://git.example/app.git".parse().unwrap(),
            reference: None,
            commit: None,
            subdir: RelPath::root(),
        },
        commit: None,
        reference: None,
        state: AnalysisState::Queued,
        steps: pending_steps(),
        error: None,
        attempts: 0,
        created_at: at,
        finished_at: None,
    };
    let project = Project {
        id: project,
        name: format!("app {age}"),
        slug: Slug::of(&format!("app {age}")),
        kind: ProjectType::WebApp,
        host: format!("app-{age}.localhost").parse().unwrap(),
        created_at: at,
        updated_at: at,
    };
    let mut tx = store.team(team).begin(&ACTOR, at).await.unwrap();
    tx.insert_project(&project, DomainId::new(1, [age; 10])).await.unwrap();
    tx.insert_analysis(&run).await.unwrap();
    tx.commit().await.unwrap();
    run.id
}

/// Claims at a time, for ten milliseconds.
async fn claim(store: &Store, at: i64) -> Option<AnalysisId> {
    let mut tx = store.system().begin(at).await.unwrap();
    let claimed = tx.claim_analysis(at + 10, PER_TEAM).await.unwrap();
    tx.commit().await.unwrap();
    claimed.map(|(_, id)| id)
}

on_every_engine! {
    async fn a_team_with_many_readings_keeps_none_from_another(db: TestStore) {
        let (many, few) = (team(&db.store, 1).await, team(&db.store, 2).await);
        let mut ids = Vec::new();
        for age in 1..=4 {
            ids.push(queue(&db.store, many, age).await);
        }
        let later = queue(&db.store, few, 5).await;
        let now = NOW + 100;
        let mut claimed = Vec::new();
        while let Some(id) = claim(&db.store, now).await {
            claimed.push(id);
        }
        assert_eq!(claimed, [ids[0], later, ids[1]], "the oldest, then each team in its turn, and two of a team");
        // Whoever held them died.
        assert_eq!(claim(&db.store, now + 11).await, Some(ids[0]));
    }
}
