//! What these tests share: a git host that the coordinator trusts, an enrolled server, and the steps of the pipeline.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hydron_domain::server::AgentFacts;
use hydron_domain::service::{
    DockerfileOrigin, Service, ServiceDockerfile, ServiceKind, ServiceSpec, ServiceState,
};
use hydron_proto::ids::{ProjectId, ServerId, ServiceId};
use hydron_proto::names::RelPath;
use hydron_tests::git_host::{Access, GitHost, Options, publish_folder};
use serde_json::{Value, json};

use crate::harness::{ACTOR, Caller, World};

/// A world with a git host.
pub(crate) struct Bench<'a> {
    pub(crate) world: &'a World,
    pub(crate) git: GitHost,
}

impl<'a> Bench<'a> {
    pub(crate) async fn start(world: &'a World) -> Self {
        let root = world.coordinator.dir.path().join("git");
        let listen = "127.0.0.1:0".parse().unwrap();
        let git = GitHost::start(Options { root, listen, access: Access::Public }).await.unwrap();
        Self { world, git }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.world.coordinator.dir.path().join("git")
    }

    pub(crate) fn owner(&self) -> &Caller {
        self.world.owner()
    }

    /// Publishes the sample; `change` may edit the copy first.
    pub(crate) fn publish(&self, branch: &str, change: impl FnOnce(&Path)) -> String {
        let copy = tempfile::tempdir().unwrap();
        copy_dir(&sample(), copy.path());
        change(copy.path());
        publish_folder(&self.root().join("app.git"), branch, copy.path(), "Test").unwrap().commit
    }

    pub(crate) async fn project(&self) -> String {
        let project = self.owner().post("/projects", json!({ "name": "Guest; rm -rf /" })).await.ok(201);
        project["id"].as_str().unwrap().to_owned()
    }

    /// Reads a repository to the end.
    pub(crate) async fn analyse(&self, project: &str, body: Value) -> Value {
        // The clock of tests stands still, and readings are in the order of their time.
        self.world.coordinator.clock.advance(1);
        let started = self.owner().post(&format!("/projects/{project}/analyses"), body).await.ok(202);
        self.until_over(started["id"].as_str().unwrap()).await
    }

    pub(crate) async fn until_over(&self, analysis: &str) -> Value {
        for _ in 0..600 {
            let found = self.owner().get(&format!("/analyses/{analysis}")).await.ok(200);
            if matches!(found["state"].as_str(), Some("done" | "failed")) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the analysis never ended");
    }

    /// A project whose services are read and accepted, and a server for them.
    pub(crate) async fn accepted(&self) -> String {
        self.publish("main", |_| {});
        let project = self.project().await;
        let analysis = self.analyse(&project, json!({ "url": self.git.url("app.git") })).await;
        assert_eq!(analysis["state"], "done", "{analysis}");
        self.owner().post(&format!("/projects/{project}/services/accept-all"), json!({})).await.ok(200);
        enroll(self.world, "alpha").await;
        project
    }

    pub(crate) async fn plan(&self, project: &str) -> Value {
        self.owner().post(&format!("/projects/{project}/infrastructure-plans"), json!({})).await.ok(201)
    }

    /// Approves everything by the digests shown; the run.
    pub(crate) async fn approve(&self, plan: &Value) -> Value {
        let id = plan["id"].as_str().unwrap();
        let body = json!({ "digest": plan["digest"], "start": true, "provisioning_digests": digests(plan) });
        self.owner().post(&format!("/infrastructure-plans/{id}/approve"), body).await.ok(200)
    }

    pub(crate) async fn services(&self, project: &str) -> Vec<Value> {
        let found = self.owner().get(&format!("/projects/{project}/services")).await.ok(200);
        found["items"].as_array().unwrap().clone()
    }

    /// The id of a service by name.
    pub(crate) async fn service(&self, project: &str, name: &str) -> String {
        let services = self.services(project).await;
        let found = services.iter().find(|service| service["name"] == name);
        found.unwrap_or_else(|| panic!("no service {name}"))["id"].as_str().unwrap().to_owned()
    }
}

/// The digests of a plan's provisioning plans, as approving takes them.
pub(crate) fn digests(plan: &Value) -> Value {
    let parts = plan["provisioning_plans"].as_array().unwrap();
    parts.iter().map(|part| (part["id"].as_str().unwrap().to_owned(), part["digest"].clone())).collect()
}

/// An enrolled server of our team.
pub(crate) async fn enroll(world: &World, name: &str) -> ServerId {
    let app = &world.coordinator.app;
    let id = app.ids.next(ServerId::new);
    let mut tx = app.store.team(world.ours.team).begin(&ACTOR, app.now()).await.unwrap();
    tx.insert_server(id, &format!("{name}-{}", id.short())).await.unwrap();
    let facts = AgentFacts {
        cpu_count: 2,
        memory_bytes: 4 << 30,
        https_port: 8443,
        arch: "x86_64".into(),
        ..AgentFacts::default()
    };
    tx.enroll_server(id, &id.to_string(), &[7; 32], &facts, "test").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = app.store.system().begin(app.now()).await.unwrap();
    tx.touch_servers(&[id]).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A small service without source, stored as a reading would.
pub(crate) async fn plain_service(world: &World, project: ProjectId, name: &str) -> ServiceId {
    let app = &world.coordinator.app;
    let id = app.ids.next(ServiceId::new);
    let spec = ServiceSpec {
        kind: ServiceKind::Web,
        language: "python".to_owned(),
        framework: None,
        package_manager: None,
        build: None,
        start: None,
        release: None,
        port: Some(8000),
        health_path: None,
        route_prefix: None,
        dockerfile: ServiceDockerfile {
            origin: DockerfileOrigin::Generated,
            path: None,
            content: Some("FROM python:3.11\n".to_owned()),
            verdict: None,
            diff: None,
            notes: Vec::new(),
        },
        source: None,
        context: RelPath::root(),
        depends_on: BTreeSet::default(),
        needs: Vec::new(),
        env: Vec::new(),
        volumes: Vec::new(),
        dependency: None,
        evidence: Vec::new(),
        found_as: None,
        edited: BTreeSet::default(),
    };
    let service = Service {
        id,
        project,
        name: name.parse().unwrap(),
        state: ServiceState::Pending,
        locked: false,
        revision: 1,
        analysis: None,
        spec,
        created_at: app.now(),
        updated_at: app.now(),
    };
    let mut tx = app.store.team(world.ours.team).begin(&ACTOR, app.now()).await.unwrap();
    tx.insert_service(&service).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/samples/guestbook")
}

fn copy_dir(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
