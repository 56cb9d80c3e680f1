//! Everything that planning needs, read from the rows; and the check whether open plans still fit it.
//!
//! Rule: staleness is decided by digests of content; whoever changes an input calls [`refresh`] in the same transaction.

use std::collections::BTreeMap;
use std::future::Future;

use hydron_domain::approval::ApprovalSubject;
use hydron_domain::env::{EnvSetting, EnvValue};
use hydron_domain::infrastructure::{InfrastructurePlan, PlanState};
use hydron_domain::planning::{
    AnnouncedRelease, InputDigests, LiveRelease, PlannedService, Planning, ServerFacts, inputs,
};
use hydron_domain::project::Project;
use hydron_domain::service::{Service, ServiceState};
use hydron_proto::ids::{ProjectId, ReleaseId, ServerId, ServiceId, TeamId};
use hydron_proto::names::{Hostname, SecretName};
use hydron_store::env_vars::{EnvVarRow, StoredValue};
use hydron_store::events::EventDraft;
use hydron_store::servers::Server;
use hydron_store::{Result as StoreResult, TeamStore, TeamTx};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;
use crate::keys::kek::hex;
use crate::services::refusal::Refusal;
use crate::services::secrets;

/// An agent that was silent for longer counts as offline, milliseconds.
const ONLINE_WITHIN_MS: i64 = 90_000;

/// What a plan is made from, owned.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Owner.
    pub team: TeamId,
    /// Project.
    pub project: Project,
    /// Accepted services with their variables.
    pub services: Vec<PlannedService>,
    /// Servers that may be used.
    pub servers: Vec<ServerFacts>,
    /// Newest version of every secret.
    pub secrets: BTreeMap<SecretName, u32>,
    /// What serves now.
    pub live: BTreeMap<ServiceId, LiveRelease>,
}

impl Gathered {
    /// The same, as planning takes it.
    pub fn planning<'a>(
        &'a self,
        zone: &'a Hostname,
        preferences: &'a BTreeMap<ServiceId, ServerId>,
        now_unix_ms: i64,
    ) -> Planning<'a> {
        Planning {
            team: self.team,
            project: &self.project,
            zone,
            services: &self.services,
            servers: &self.servers,
            preferences,
            secrets: &self.secrets,
            live: &self.live,
            now_unix_ms,
        }
    }

    /// The digests of these inputs.
    pub fn digests(&self, zone: &Hostname) -> InputDigests {
        inputs(&self.planning(zone, &BTreeMap::new(), 0))
    }
}

/// Reads that planning needs, inside or outside a change.
pub trait Rows: Send {
    /// The project.
    fn project(&mut self, id: ProjectId) -> impl Future<Output = StoreResult<Option<Project>>> + Send;
    /// Its services.
    fn services(&mut self, id: ProjectId) -> impl Future<Output = StoreResult<Vec<Service>>> + Send;
    /// Their variables.
    fn env_vars(&mut self, id: ProjectId) -> impl Future<Output = StoreResult<Vec<EnvVarRow>>> + Send;
    /// Its secrets.
    fn secret_versions(
        &mut self,
        id: ProjectId,
    ) -> impl Future<Output = StoreResult<Vec<(SecretName, u32, bool)>>> + Send;
    /// What a release was made from.
    fn planned_release(
        &mut self,
        id: ReleaseId,
    ) -> impl Future<Output = StoreResult<Option<AnnouncedRelease>>> + Send;
}

macro_rules! rows {
    ($handle:ty) => {
        impl Rows for $handle {
            async fn project(&mut self, id: ProjectId) -> StoreResult<Option<Project>> {
                <$handle>::project(self, id).await
            }
            async fn services(&mut self, id: ProjectId) -> StoreResult<Vec<Service>> {
                <$handle>::services(self, id).await
            }
            async fn env_vars(&mut self, id: ProjectId) -> StoreResult<Vec<EnvVarRow>> {
                <$handle>::env_vars(self, id).await
            }
            async fn secret_versions(&mut self, id: ProjectId) -> StoreResult<Vec<(SecretName, u32, bool)>> {
                <$handle>::secret_versions(self, id).await
            }
            async fn planned_release(&mut self, id: ReleaseId) -> StoreResult<Option<AnnouncedRelease>> {
                <$handle>::planned_release(self, id).await
            }
        }
    };
}
rows!(TeamStore);
rows!(TeamTx);

/// Reads everything. `only` narrows the servers; all enrolled ones of the team when empty.
pub async fn gather(
    app: &AppState,
    team: &TeamStore,
    rows: &mut impl Rows,
    project: ProjectId,
    only: &[ServerId],
) -> Result<Gathered, Refusal> {
    let project = rows.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    let mut env = settings(app, team.id(), rows.env_vars(project.id).await?)?;
    let accepted = rows.services(project.id).await?.into_iter().filter(|s| s.state == ServiceState::Accepted);
    let services = accepted
        .map(|service| {
            let own = env.remove(&service.id).unwrap_or_default();
            PlannedService { service, env: own }
        })
        .collect();
    let secrets = rows.secret_versions(project.id).await?;
    let mut live = BTreeMap::new();
    for release in team.live_releases(project.id).await? {
        let fingerprint = rows.planned_release(release.id).await?.map(|planned| planned.fingerprint);
        live.insert(release.service, LiveRelease { id: release.id, server: release.server, fingerprint });
    }
    let now = app.now();
    let servers = team.servers().await?.into_iter().filter(|server| server.enrolled_at.is_some());
    let servers = servers.filter(|server| only.is_empty() || only.contains(&server.id));
    Ok(Gathered {
        team: team.id(),
        services,
        servers: servers.map(|server| facts(&server, now)).collect(),
        secrets: secrets.into_iter().map(|(name, version, _)| (name, version)).collect(),
        live,
        project,
    })
}

/// Variables by service, plain values opened.
pub fn settings(
    app: &AppState,
    team: TeamId,
    rows: Vec<EnvVarRow>,
) -> Result<BTreeMap<ServiceId, Vec<EnvSetting>>, Refusal> {
    let mut by_service: BTreeMap<ServiceId, Vec<EnvSetting>> = BTreeMap::new();
    for row in rows {
        let value = match row.value {
            StoredValue::Secret(secret) => EnvValue::Secret(secret),
            StoredValue::Sealed(sealed) => {
                EnvValue::Plain(secrets::open_plain(&app.kek, team, row.service, &row.name, &sealed)?)
            }
        };
        let setting = EnvSetting { service: row.service, name: row.name, value, updated_at: row.updated_at };
        by_service.entry(row.service).or_default().push(setting);
    }
    Ok(by_service)
}

/// Marks open plans whose inputs changed in this transaction, and voids what was asked about them.
pub async fn refresh(
    app: &AppState,
    team: &TeamStore,
    tx: &mut TeamTx,
    project: ProjectId,
) -> Result<(), Refusal> {
    for plan in tx.infrastructure_plans(project, 10).await? {
        let open = matches!(plan.state, PlanState::Draft | PlanState::Ready | PlanState::Approved);
        if !open || plan.run.is_some() {
            continue;
        }
        let now = gather(app, team, tx, project, &plan.servers).await?.digests(&app.config.zone);
        let reasons = plan.staleness(&now);
        if !reasons.is_empty() {
            make_stale(tx, plan, reasons).await?;
        }
    }
    Ok(())
}

/// Takes a plan out of play.
pub(super) async fn make_stale(
    tx: &mut TeamTx,
    plan: InfrastructurePlan,
    reasons: Vec<String>,
) -> Result<(), Refusal> {
    let from = plan.state;
    let stale = InfrastructurePlan { state: PlanState::Stale, stale_reasons: reasons, ..plan };
    tx.save_infrastructure_plan(&stale, from).await?;
    tx.void_approvals(ApprovalSubject::Infrastructure(stale.id)).await?;
    for provisioning in tx.provisioning_plans(stale.id).await? {
        tx.void_approvals(ApprovalSubject::Provisioning(provisioning.id)).await?;
    }
    let data = json!({ "state": stale.state, "stale_reasons": stale.stale_reasons });
    tx.event(EventDraft::new("plan.changed", stale.id, data).in_project(stale.project));
    Ok(())
}

fn facts(server: &Server, now: i64) -> ServerFacts {
    let mut hash = Sha256::new();
    for part in [server.public_key.as_deref().unwrap_or_default(), server.facts.arch.as_str()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(server.sealing_key.as_deref().unwrap_or_default());
    ServerFacts {
        id: server.id,
        name: server.name.clone(),
        online: server.last_seen_at.is_some_and(|seen| now - seen < ONLINE_WITHIN_MS),
        cpus: server.facts.cpu_count,
        memory_mb: server.facts.memory_bytes >> 20,
        https_port: u16::try_from(server.facts.https_port).ok().filter(|port| *port > 0).unwrap_or(443),
        fingerprint: hex(&hash.finalize()),
    }
}
