//! The ecosystems: each finds its candidates, names the framework, and says how the program is built and started.
//!
//! One rule: a stack knows only its own manifests and sources; compose files, Procfiles and Dockerfiles come later in `overlay`.

pub(crate) mod dotnet;
pub(crate) mod go;
pub(crate) mod java;
pub(crate) mod node;
pub(crate) mod php;
pub(crate) mod python;
pub(crate) mod ruby;
pub(crate) mod rust;
pub(crate) mod site;

use crate::draft::Found;
use crate::repo::Repo;
use crate::workspace::Workspaces;

/// What every stack is given.
pub(crate) struct Scan<'r, 't> {
    pub(crate) repo: &'r Repo<'t>,
    pub(crate) workspaces: &'r Workspaces,
    pub(crate) packages: &'r [node::package::Package],
}

/// Runs every stack; static sites come last because they yield to all others.
pub(crate) fn find(scan: &Scan<'_, '_>) -> Found {
    let mut found = Found::default();
    python::find(scan, &mut found);
    ruby::find(scan, &mut found);
    php::find(scan, &mut found);
    java::find(scan, &mut found);
    dotnet::find(scan, &mut found);
    go::find(scan, &mut found);
    rust::find(scan, &mut found);
    site::find_generators(scan, &mut found);
    node::find(scan, &mut found);
    site::find_plain(scan, &mut found);
    found
}

/// Directory names of parts that support a product and are not part of what is deployed.
const SUPPORT: [&str; 43] = [
    "e2e",
    "test",
    "tests",
    "testing",
    "docs",
    "doc",
    "documentation",
    "example",
    "examples",
    "sample",
    "samples",
    "tool",
    "tools",
    "tooling",
    "scripts",
    "script",
    "benchmark",
    "benchmarks",
    "bench",
    "fixtures",
    "storybook",
    "cypress",
    "playwright",
    "playground",
    "playgrounds",
    "sandbox",
    "devcontainer",
    "gitpod",
    "eslint",
    "prettier",
    "hack",
    "loadtest",
    "loadgen",
    "loadgenerator",
    "loadtester",
    "testutils",
    "load",
    "mock",
    "mocks",
    "codegen",
    "generators",
    "dev-env",
    "devenv",
];

/// Whether a directory or name says that this supports a product (`cart-e2e`, `tools/gen`).
pub(crate) fn is_support(path: &str) -> bool {
    let last = crate::path::base(path).to_lowercase();
    let joined = last.replace(['-', '_'], "");
    let by_dir = crate::path::parent(path).split('/').any(|p| SUPPORT.contains(&p.to_lowercase().as_str()));
    by_dir
        || SUPPORT.contains(&last.as_str())
        || SUPPORT.contains(&joined.as_str())
        || [
            "-e2e",
            "-tests",
            "-test",
            "-storybook",
            "-docs",
            "-example",
            "-examples",
            "-cli",
            "-mock",
            "-loadgen",
            "-benchmark",
            "-test-utils",
            "-testing",
        ]
        .iter()
        .any(|s| last.ends_with(s))
}

/// Whether a name says that this works in the background.
pub(crate) fn is_worker_name(name: &str) -> bool {
    crate::path::words(name).any(|w| {
        matches!(
            w.as_str(),
            "worker"
                | "workers"
                | "job"
                | "jobs"
                | "queue"
                | "queues"
                | "consumer"
                | "consumers"
                | "scheduler"
                | "cron"
                | "daemon"
                | "processor"
                | "background"
                | "sidekiq"
                | "celery"
                | "beat"
                | "crawler"
                | "indexer"
                | "dispatcher"
        )
    })
}
