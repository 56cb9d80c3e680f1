//! Reading repositories in the background: claim, fetch, analyse, keep.
//!
//! Rule: the row is the job. Killed anywhere, the reading is claimed again when its hold ends (at once after a restart
//! of the only coordinator), and after a few attempts it fails aloud. Several are read at once, and no team has more than
//! half of the places: a repository that answers slowly keeps its own team waiting, not the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hydron_analysis::{Options, TreeError};
use hydron_domain::analysis::{Analysis, AnalysisStep};
use hydron_domain::analysis_run::{self, AnalysisError, AnalysisRun, AnalysisState, MAX_ATTEMPTS};
use hydron_domain::identity::Actor;
use hydron_domain::service::{ReadAt, Service, ServiceState, detect, merge};
use hydron_proto::ids::{AnalysisId, ServiceId, TeamId};
use hydron_proto::names::{CommitId, GitRef, ServiceName};
use hydron_store::events::EventDraft;
use hydron_store::{Location, StoreError, TeamStore, TeamTx, Topic, Wake};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::AppState;
use crate::clients::git::{Checkout, FetchError, Request, Tree};
use crate::http::problem::chain;
use crate::services::analyses::WORK;
use crate::services::plans;
use crate::services::refusal::Refusal;

/// How long a claim holds without progress, milliseconds.
pub const HOLD_MS: i64 = 150_000;
/// Readings at once. Most of their time is waiting for git hosts.
const PLACES: usize = 4;
/// Of one team, on all coordinators together.
const PLACES_PER_TEAM: i64 = 2;
/// Rows are looked at this often even if no wakeup came.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);
/// How long the pure part may take.
const PATIENCE: Duration = Duration::from_secs(hydron_analysis::PATIENCE_S);
const ACTOR: Actor = Actor::System { name: "analyse" };

/// Why a reading ended early.
#[derive(Debug, thiserror::Error)]
enum ReadingError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the files could not be read")]
    Tree(#[from] TreeError),
    #[error("the reading was cut off")]
    Cut(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keep(#[from] Refusal),
}

/// Claims and performs readings until the coordinator stops.
pub async fn run(app: AppState) {
    if let Err(error) = app.git.clean() {
        tracing::warn!(%error, "directories of earlier fetches could not be removed");
    }
    if let Err(error) = take_back(&app).await {
        tracing::warn!(error = %chain(&error), "claims of an earlier process could not be taken back");
    }
    let mut wakeups = app.store.wakeups();
    let mut readings = JoinSet::new();
    while !app.stopping.is_cancelled() {
        if readings.len() < PLACES {
            match claim(&app).await {
                Ok(Some((team, id))) => {
                    let app = app.clone();
                    readings.spawn(async move { perform(&app, team, id).await });
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "readings could not be claimed; trying again");
                }
            }
        }
        tokio::select! {
            // A place is free, and perhaps one of a team that had no more.
            Some(ended) = readings.join_next() => if let Err(error) = ended {
                tracing::error!(%error, "a reading broke");
                return;
            },
            () = wait(&app, &mut wakeups) => {}
        }
    }
    while readings.join_next().await.is_some() {}
}

/// Performs a claimed reading to its end and keeps that end.
pub async fn perform(app: &AppState, team: TeamId, id: AnalysisId) {
    let team = app.store.team(team);
    let outcome = async {
        let run = team.analysis(id).await?.ok_or(StoreError::Stale { what: "analysis" })?;
        if run.attempts > MAX_ATTEMPTS {
            let error = AnalysisError {
                code: "interrupted".to_owned(),
                message: "the analysis was cut off several times; start it again".to_owned(),
                field: None,
            };
            return fail(app, &team, run, error).await;
        }
        let mut reading = Reading { app, team: &team, run };
        match reading.read().await {
            Ok(()) => Ok(()),
            Err(ReadingError::Store(error)) => Err(error),
            Err(error) => {
                let shown = shown(&error);
                fail(app, &team, reading.run, shown).await
            }
        }
    };
    if let Err(error) = outcome.await {
        tracing::warn!(analysis = %id, error = %chain(&error), "analysis {id} could not be kept; it will be begun again");
    }
}

struct Reading<'a> {
    app: &'a AppState,
    team: &'a TeamStore,
    run: AnalysisRun,
}

impl Reading<'_> {
    async fn read(&mut self) -> Result<(), ReadingError> {
        self.step(AnalysisStep::Resolving, None).await?;
        let source = self.run.source.clone();
        let request = Request {
            url: &source.url,
            reference: source.reference.as_ref(),
            commit: source.commit.as_ref(),
        };
        let resolved = self.app.git.resolve(&request).await?;
        self.run.reference = Some(resolved.reference.clone());
        self.run.commit = Some(resolved.commit.clone());
        let short: String = resolved.commit.as_str().chars().take(12).collect();
        self.step(AnalysisStep::Cloning, Some(&short)).await?;
        let checkout = self.app.git.fetch(&source.url, &resolved).await?;
        self.run.commit = Some(checkout.commit.clone());
        let (commit, reference) = (checkout.commit.clone(), checkout.reference.clone());
        let hashes = checkout.listing.hashes();
        let analysis = self.analyse(checkout).await?;
        self.keep(&analysis, &commit, &reference, &hashes).await
    }

    /// The pure part, on a thread that may block; its progress is kept as it goes.
    async fn analyse(&mut self, checkout: Checkout) -> Result<Analysis, ReadingError> {
        let (steps, mut told) = mpsc::unbounded_channel();
        let subdir = self.run.source.subdir.as_str().to_owned();
        let files = checkout.listing.files();
        let options = Options {
            default_versions: self.app.config.base_versions.clone(),
            caps: self.app.config.analysis_caps,
            repository_name: Some(self.run.source.url.repository_name().to_owned()),
            subdir: Some(subdir).filter(|subdir| !subdir.is_empty()),
            ..Options::default()
        };
        let work = tokio::task::spawn_blocking(move || -> Result<Analysis, ReadingError> {
            let tree = checkout.tree("")?.until(Instant::now() + PATIENCE);
            let mut progress = |step| {
                let _ = steps.send(step);
            };
            Ok(hydron_analysis::analyze(&tree, &options, &mut progress)?)
        });
        while let Some(step) = told.recv().await {
            let detail = (step == AnalysisStep::ReadingTree).then(|| format!("{files} files"));
            self.step(step, detail.as_deref()).await?;
        }
        work.await?
    }

    async fn step(&mut self, step: AnalysisStep, detail: Option<&str>) -> Result<(), StoreError> {
        if let Ok(state) = self.run.state.to(AnalysisState::of(step)) {
            self.run.state = state;
        }
        analysis_run::advance(&mut self.run.steps, step, detail);
        let now = self.app.now();
        let mut tx = self.team.begin(&ACTOR, now).await?;
        tx.save_analysis(&self.run, now + HOLD_MS).await?;
        announce(&mut tx, &self.run);
        tx.commit().await
    }

    /// The result, its services and the end of the job, in one transaction.
    async fn keep(
        &mut self,
        analysis: &Analysis,
        commit: &CommitId,
        reference: &GitRef,
        hashes: &Tree,
    ) -> Result<(), ReadingError> {
        let now = self.app.now();
        let mut tx = self.team.begin(&ACTOR, now).await?;
        tx.lock_project(self.run.project).await?;
        self.run.state = AnalysisState::Done;
        self.run.finished_at = Some(now);
        analysis_run::finish(&mut self.run.steps, false);
        tx.save_analysis(&self.run, 0).await?;
        tx.save_analysis_result(self.run.id, analysis).await?;
        let at = ReadAt { url: &self.run.source.url, reference, commit, trees: hashes };
        keep_services(self.app, &mut tx, &self.run, analysis, &at).await?;
        tx.touch_project(self.run.project).await?;
        plans::refresh(self.app, self.team, &mut tx, self.run.project).await?;
        announce(&mut tx, &self.run);
        Ok(tx.commit().await?)
    }
}

/// New services wait for a decision; known ones get what was read, except what a person edited.
async fn keep_services(
    app: &AppState,
    tx: &mut TeamTx,
    run: &AnalysisRun,
    analysis: &Analysis,
    at: &ReadAt<'_>,
) -> Result<(), StoreError> {
    let services = tx.services(run.project).await?;
    let known: BTreeMap<_, _> = services
        .into_iter()
        .map(|service| (service.spec.found_as.clone().unwrap_or_else(|| service.name.clone()), service))
        .collect();
    let all = detect(analysis, at);
    let there: BTreeSet<ServiceName> =
        all.iter().map(|found| found.name.clone()).chain(known.keys().cloned()).collect();
    for mut found in all {
        // Services are known by the name that a person gave them.
        let named =
            |name: &ServiceName| known.get(name).map_or_else(|| name.clone(), |service| service.name.clone());
        found.spec.depends_on =
            found.spec.depends_on.iter().filter(|name| there.contains(*name)).map(named).collect();
        let now = tx.now();
        let (id, kind, state) = if let Some(service) = known.get(&found.name) {
            let spec = merge(service, &found.spec, at.trees);
            let changed = Service { spec, analysis: Some(run.id), ..service.clone() };
            tx.save_service(&changed).await?;
            (service.id, "service.changed", service.state)
        } else {
            let service = Service {
                id: app.ids.next(ServiceId::new),
                project: run.project,
                name: found.name.clone(),
                state: ServiceState::Pending,
                locked: false,
                revision: 1,
                analysis: Some(run.id),
                spec: found.spec,
                created_at: now,
                updated_at: now,
            };
            tx.insert_service(&service).await?;
            (service.id, "service.found", service.state)
        };
        let data = json!({ "name": found.name, "state": state });
        tx.event(EventDraft::new(kind, id, data).in_project(run.project));
    }
    Ok(())
}

async fn fail(
    app: &AppState,
    team: &TeamStore,
    mut run: AnalysisRun,
    error: AnalysisError,
) -> Result<(), StoreError> {
    let now = app.now();
    tracing::info!(analysis = %run.id, code = error.code, "analysis {} failed: {}", run.id, error.code);
    run.state = AnalysisState::Failed;
    run.finished_at = Some(now);
    run.error = Some(error);
    analysis_run::finish(&mut run.steps, true);
    let mut tx = team.begin(&ACTOR, now).await?;
    tx.save_analysis(&run, 0).await?;
    announce(&mut tx, &run);
    tx.commit().await
}

fn announce(tx: &mut TeamTx, run: &AnalysisRun) {
    let data = json!({ "state": run.state, "steps": run.steps, "error": run.error });
    tx.event(EventDraft::new("analysis.changed", run.id, data).in_project(run.project));
}

fn shown(error: &ReadingError) -> AnalysisError {
    let (code, field) = match error {
        ReadingError::Fetch(error) => (error.code(), Some(error.field().to_owned())),
        ReadingError::Tree(_) | ReadingError::Cut(_) | ReadingError::Store(_) | ReadingError::Keep(_) => {
            tracing::error!(error = %chain(error), "an analysis failed inside");
            ("analysis_failed", None)
        }
    };
    AnalysisError { code: code.to_owned(), message: error.to_string(), field }
}

async fn claim(app: &AppState) -> Result<Option<(TeamId, AnalysisId)>, StoreError> {
    let now = app.now();
    let mut tx = app.store.system().begin(now).await?;
    let claimed = tx.claim_analysis(now + HOLD_MS, PLACES_PER_TEAM).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// With SQLite there is no other coordinator, so whatever is claimed was ours and has died.
async fn take_back(app: &AppState) -> Result<(), StoreError> {
    if matches!(app.config.database, Location::Sqlite(_)) {
        let mut tx = app.store.system().begin(app.now()).await?;
        tx.release_analyses().await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn wait(app: &AppState, wakeups: &mut tokio::sync::broadcast::Receiver<Wake>) {
    let work = Wake::new(Topic::Work, WORK);
    let woken = async {
        loop {
            match wakeups.recv().await {
                Ok(wake) if wake != work => {}
                Ok(_) | Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = app.stopping.cancelled() => {}
        () = tokio::time::sleep(LOOK_ANYWAY) => {}
        () = woken => {}
    }
}
