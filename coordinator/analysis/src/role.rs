//! What a file is for, by its path alone: the program, what helps people, or somebody else's.
//!
//! One rule: names of directories and files decide, never content, so that it costs nothing to ask.

use crate::path;

/// What a file is for, judged by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Part of the program.
    Normal,
    /// Tests, docs, examples: context, never a service.
    Aux,
    /// Somebody else's code or build output.
    Vendored,
}

/// Directories of other people's code and of build output.
const VENDORED: [&str; 22] = [
    "node_modules",
    "bower_components",
    "vendor",
    "third_party",
    "thirdparty",
    ".git",
    ".yarn",
    ".next",
    ".nuxt",
    ".output",
    ".venv",
    "venv",
    "__pycache__",
    "site-packages",
    "target",
    "Pods",
    ".gradle",
    ".terraform",
    ".turbo",
    ".svelte-kit",
    "obj",
    ".idea",
];

/// Directories that help people, not the running program.
const AUX: [&str; 42] = [
    "docs",
    "doc",
    "documentation",
    "examples",
    "example",
    "demos",
    "samples",
    "test",
    "tests",
    "testing",
    "__tests__",
    "e2e",
    "spec",
    "specs",
    "fixtures",
    "__fixtures__",
    "testdata",
    "cypress",
    "playwright",
    "mocks",
    "__mocks__",
    ".storybook",
    "storybook",
    "benchmark",
    "benchmarks",
    "bench",
    ".devcontainer",
    ".github",
    ".gitlab",
    ".circleci",
    ".ci",
    ".gitpod",
    ".woodpecker",
    ".buildkite",
    ".vscode",
    "remix.init",
    "integration-tests",
    "e2e-tests",
    "acceptance",
    "dev",
    "example_configs",
    "stories",
];

/// Judges a path by its directories and, for sources, by its file name.
pub(crate) fn role(path: &str) -> Role {
    file_role(dir_role(path::parent(path)), path::base(path))
}

/// What everything in a directory is for.
pub(crate) fn dir_role(dirs: &str) -> Role {
    let mut role = Role::Normal;
    for part in dirs.split('/').filter(|p| !p.is_empty()) {
        if VENDORED.contains(&part) {
            return Role::Vendored;
        }
        if AUX.contains(&part)
            || part.ends_with("-e2e")
            || part.ends_with("_test")
            || part.ends_with("Tests")
            || part.ends_with(".Tests")
            || part.ends_with("-tests")
            || is_template(part)
        {
            role = Role::Aux;
        }
    }
    if dirs.contains("src/test/") || dirs.ends_with("src/test") { Role::Aux } else { role }
}

/// Whether a name waits for a generator to fill it in (`{{cookiecutter.slug}}`).
pub(crate) fn is_template(name: &str) -> bool {
    name.contains("{{") && name.contains("}}")
}

/// What a file is for, in a directory that is judged already.
pub(crate) fn file_role(directory: Role, name: &str) -> Role {
    match directory {
        Role::Normal if is_test_file(name) => Role::Aux,
        Role::Normal | Role::Aux | Role::Vendored => directory,
    }
}

fn is_test_file(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(s, _)| s);
    let mut after_dots = name.split('.').skip(1).peekable();
    let mut marked = false;
    while let Some(part) = after_dots.next() {
        let inside = after_dots.peek().is_some();
        marked |= part.starts_with("e2e") || inside && matches!(part, "test" | "spec" | "stories");
    }
    marked
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || (stem.starts_with("test_") && name.to_ascii_lowercase().ends_with(".py"))
        || stem == "conftest"
        || name.starts_with("playwright.config")
        || name.starts_with("cypress.config")
        || name.starts_with("vitest.config")
        || name.starts_with("jest.config")
        || name.ends_with(".min.js")
}
