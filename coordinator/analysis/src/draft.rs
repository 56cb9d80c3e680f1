//! A service while it is being found: every value still has all its candidates.
//!
//! One rule: stacks create drafts, later passes only *offer* more; `finish` alone picks winners.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::{EnvNeed, NotAService, ServiceKind, VolumeNeed};

use crate::field::{At, Field};
use crate::path;
use crate::repo::Repo;
use crate::stacks::dotnet::DotnetFacts;
use crate::stacks::go::GoFacts;
use crate::stacks::java::JavaFacts;
use crate::stacks::node::NodeFacts;
use crate::stacks::php::PhpFacts;
use crate::stacks::python::PythonFacts;
use crate::stacks::ruby::RubyFacts;
use crate::stacks::rust::RustFacts;
use crate::stacks::site::SiteFacts;

/// What the recipe writer must know about the program, by ecosystem.
#[derive(Debug, Clone)]
pub(crate) enum Stack {
    Node(NodeFacts),
    Python(PythonFacts),
    Ruby(RubyFacts),
    Go(GoFacts),
    Rust(RustFacts),
    Java(JavaFacts),
    Php(PhpFacts),
    Dotnet(DotnetFacts),
    Site(SiteFacts),
    /// Only a Dockerfile tells how it is built.
    Image,
}

/// A dependency while it is being found.
#[derive(Debug, Clone, Default)]
pub(crate) struct NeedDraft {
    /// Reasons for it; the value is the source of the idea (`psycopg2`, `compose image postgres:15`).
    pub(crate) reasons: Field<String>,
    /// Something decides that it is required.
    pub(crate) required: bool,
    /// Something says it is only one of several ways, or can be switched off.
    pub(crate) alternative: bool,
    pub(crate) version: Option<String>,
    pub(crate) image: Option<String>,
    /// A driver package is used by the service itself.
    pub(crate) driver: bool,
    /// URL scheme that the driver expects.
    pub(crate) scheme: Option<String>,
}

/// Which Dockerfile of the repository belongs to a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DockerfileLink {
    pub(crate) path: String,
    pub(crate) context: String,
    pub(crate) target: Option<String>,
    /// Said by a compose or platform file, not only by place.
    pub(crate) declared: bool,
    pub(crate) args: Vec<(String, String)>,
}

/// A service being found.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) dir: String,
    pub(crate) name: Field<String>,
    pub(crate) kind: ServiceKind,
    pub(crate) language: String,
    pub(crate) version: Field<String>,
    pub(crate) framework: Field<String>,
    pub(crate) also: BTreeSet<String>,
    pub(crate) package_manager: Field<String>,
    pub(crate) build: Field<String>,
    pub(crate) start: Field<String>,
    pub(crate) release: Field<String>,
    pub(crate) output_dir: Field<String>,
    pub(crate) port: Field<u16>,
    pub(crate) health: Field<String>,
    pub(crate) prefix: Field<String>,
    /// Directories whose code is part of it: its own and those of local libraries.
    pub(crate) sources: Vec<String>,
    /// Directories inside `sources` that belong to others.
    pub(crate) nested: Vec<String>,
    pub(crate) stack: Stack,
    pub(crate) needs: BTreeMap<String, NeedDraft>,
    pub(crate) env: BTreeMap<String, EnvNeed>,
    pub(crate) depends_on: BTreeMap<String, At>,
    pub(crate) volumes: Vec<VolumeNeed>,
    pub(crate) optional: bool,
    pub(crate) dockerfile: Option<DockerfileLink>,
    /// Names by which other services reach it (compose keys).
    pub(crate) hosts: BTreeSet<String>,
    /// The compose services it is, by file and key: a name means something only inside of its file.
    pub(crate) composed: BTreeSet<(String, String)>,
    /// Why this is a service.
    pub(crate) why: Field<String>,
    /// Environment given by compose, platform or Dockerfile, for values that decide (switches, ports).
    pub(crate) given: BTreeMap<String, String>,
}

impl Draft {
    /// An empty draft for a directory.
    pub(crate) fn new(dir: &str, kind: ServiceKind, language: &str, stack: Stack) -> Self {
        Self {
            dir: dir.to_owned(),
            name: Field::default(),
            kind,
            language: language.to_owned(),
            version: Field::default(),
            framework: Field::default(),
            also: BTreeSet::new(),
            package_manager: Field::default(),
            build: Field::default(),
            start: Field::default(),
            release: Field::default(),
            output_dir: Field::default(),
            port: Field::default(),
            health: Field::default(),
            prefix: Field::default(),
            sources: vec![dir.to_owned()],
            nested: Vec::new(),
            stack,
            needs: BTreeMap::new(),
            env: BTreeMap::new(),
            depends_on: BTreeMap::new(),
            volumes: Vec::new(),
            optional: false,
            dockerfile: None,
            hosts: BTreeSet::new(),
            composed: BTreeSet::new(),
            why: Field::default(),
            given: BTreeMap::new(),
        }
    }

    /// Whether a file is part of this service's code.
    pub(crate) fn owns(&self, file: &str) -> bool {
        self.sources.iter().any(|s| path::within(file, s))
            && !self.nested.iter().any(|n| path::within(file, n))
    }

    /// The framework's name, empty if unknown.
    pub(crate) fn framework_name(&self) -> &str {
        self.framework.value().map_or("", String::as_str)
    }

    /// The dependency of a kind, made if needed.
    pub(crate) fn need(&mut self, kind: &str) -> &mut NeedDraft {
        self.needs.entry(kind.to_owned()).or_default()
    }

    /// A sibling process of the same code: same directory and build, other command.
    pub(crate) fn sibling(&self, name: &str, kind: ServiceKind) -> Self {
        let mut other = self.clone();
        other.kind = kind;
        other.name = Field::default();
        other.name.offer(name, 0.9, "sibling.process", At::nowhere());
        other.start = Field::default();
        other.release = Field::default();
        other.health = Field::default();
        other.prefix = Field::default();
        other.port = Field::default();
        other.hosts = BTreeSet::new();
        other.composed = BTreeSet::new();
        other.depends_on = BTreeMap::new();
        other
    }
}

/// How an edge names a compose service so that its file is meant and no other.
pub(crate) fn edge(file: &str, name: &str) -> String {
    format!("{file}#{name}")
}

/// What the stacks found: services and explained rejections.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) rejected: Vec<NotAService>,
}

impl Found {
    /// Keeps the first drafts of a tree that has more than any product would.
    pub(crate) fn cap(&mut self, repo: &Repo<'_>, most: usize) {
        if self.drafts.len() > most {
            self.drafts.sort_by(|a, b| (path::depth(&a.dir), &a.dir).cmp(&(path::depth(&b.dir), &b.dir)));
            self.drafts.truncate(most);
            repo.note_cap(&format!(
                "more than {most} possible services were found; the first {most} are described"
            ));
        }
    }

    /// Explains why a directory is not a service.
    pub(crate) fn reject(&mut self, dir: &str, rule: &str, reason: impl Into<String>) {
        self.rejected.push(NotAService {
            path: path::shown(dir),
            reason: reason.into(),
            rule: rule.to_owned(),
        });
    }
}
