//! Sources: a real git host over TLS, and repositories that mean harm.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use hydron_agent::step_context::Check;
use hydron_proto::names::{CommitId, RelPath};
use hydron_proto::plan::{Action, Dockerfile, GitCheckout, ImageBuild, SecretRef, StepResult};
use hydron_proto::source;
use hydron_proto::source::confine::Limits;
use secrecy::SecretString;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::git_host::{Access, GitHost, Options};
use crate::world::{World, docker};

/// A git host and one bare repository on it.
struct Source {
    host: GitHost,
    repository: tempfile::TempDir,
}

impl Source {
    async fn start(access: Access) -> Self {
        let repository = tempfile::tempdir().unwrap();
        let options =
            Options { root: repository.path().into(), listen: "127.0.0.1:0".parse().unwrap(), access };
        let source = Self { host: GitHost::start(options).await.unwrap(), repository };
        git(source.bare(), &["init", "--bare", "--quiet", "."], b"").await;
        git(source.bare(), &["config", "uploadpack.allowAnySHA1InWant", "true"], b"").await;
        source
    }

    fn bare(&self) -> &'static Path {
        let path = self.repository.path().join("app.git");
        std::fs::create_dir_all(&path).unwrap();
        Box::leak(path.into_boxed_path())
    }

    /// A commit of `(mode, path, content)`, made from objects, so that anything can stand in it.
    async fn commit(&self, entries: &[(&str, &str, &str)]) -> CommitId {
        let index = self.repository.path().join("index");
        let _ = std::fs::remove_file(&index);
        let mut lines = String::new();
        for (mode, path, content) in entries {
            let object = match *mode {
                "160000" => "1".repeat(40),
                _ => git(self.bare(), &["hash-object", "-w", "--stdin"], content.as_bytes()).await,
            };
            writeln!(lines, "{mode} {object}\t{path}").unwrap();
        }
        let environment = ("GIT_INDEX_FILE", index.as_path());
        run(self.bare(), &["update-index", "--index-info"], lines.as_bytes(), Some(environment)).await;
        let tree = run(self.bare(), &["write-tree"], b"", Some(environment)).await;
        self.commit_tree(&tree).await
    }

    async fn commit_tree(&self, tree: &str) -> CommitId {
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit-tree", "-m", "m", tree];
        let commit = git(self.bare(), &author, b"").await;
        git(self.bare(), &["update-ref", "refs/heads/main", &commit], b"").await;
        commit.parse().unwrap()
    }

    fn checkout(&self, commit: &CommitId) -> GitCheckout {
        GitCheckout {
            url: self.host.url("app.git").parse().unwrap(),
            reference: "main".parse().unwrap(),
            commit: commit.clone(),
            credential: None,
            checkout: "app".parse().unwrap(),
        }
    }
}

async fn git(directory: &Path, arguments: &[&str], input: &[u8]) -> String {
    run(directory, arguments, input, None).await
}

async fn run(
    directory: &Path,
    arguments: &[&str],
    input: &[u8],
    environment: Option<(&str, &Path)>,
) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").envs(environment);
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn world_for(source: &Source) -> World {
    let mut world = World::new().await;
    world.config.extra_source_ca = Some(source.host.ca().to_path_buf());
    world
}

fn tree(world: &World) -> std::path::PathBuf {
    world.root.steps().join("checkouts/app/tree")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_fetched_unpacked_and_built_from_its_own_dockerfile() {
    let source = Source::start(Access::Public).await;
    let world = world_for(&source).await;
    let dockerfile = "FROM debian:bookworm-slim\nCOPY . /app\nRUN test -x /app/run && test ! -e /app/secret && cat /app/word\n";
    let first = source
        .commit(&[
            ("100644", "web/Dockerfile", dockerfile),
            ("100755", "web/run", "#!/bin/sh\n"),
            ("100644", "web/word", "the word is here\n"),
            ("100644", "web/secret", "x"),
            ("100644", "web/.dockerignore", "secret\n"),
            ("120000", "web/link", "word"),
        ])
        .await;
    let wanted = Action::GitCheckout(source.checkout(&first));
    assert_eq!(world.check(wanted.clone()).await, Check::Needed);
    let applied = world.apply(wanted.clone()).await.unwrap();
    assert_eq!(applied.result, StepResult::CheckedOut { commit: first.clone(), files: 5 });
    assert!(world.apply(wanted).await.unwrap().already_done);
    let build = |(): ()| ImageBuild {
        service: "web".parse().unwrap(),
        checkout: Some("app".parse().unwrap()),
        context: "web".parse().unwrap(),
        dockerfile: Dockerfile::Repository { path: "web/Dockerfile".parse().unwrap() },
        args: vec![],
        tag: format!("hydron/{}-web:1", world.name).parse().unwrap(),
        memory_mb: 512,
    };
    world.log();
    world.apply(Action::ImageBuild(build(()))).await.unwrap();
    assert!(world.log().contains("the word is here"));
    let second = source.commit(&[("100644", "web/Dockerfile", dockerfile)]).await;
    world.apply(Action::GitCheckout(source.checkout(&second))).await.unwrap();
    assert!(!tree(&world).join("web/word").exists(), "nothing of the old commit stays");
    let failure = world.apply(Action::ImageBuild(build(()))).await.unwrap_err();
    assert_eq!(failure.code, "BUILD_FAILED");
    assert_eq!(std::fs::read_dir(world.root.fetch()).unwrap().count(), 0, "no repository stays");
    let _ = docker(&["images", "-q"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_lead_out_submodules_and_hooks_do_nothing() {
    let source = Source::start(Access::Public).await;
    let world = world_for(&source).await;
    let commit = source
        .commit(&[
            ("100644", "good", "x"),
            ("120000", "Dockerfile", "/etc/passwd"),
            ("120000", "up", "../../../../etc/passwd"),
            ("120000", "here", "."),
            ("120000", "round", "here/../../etc/passwd"),
            ("120000", "fine", "good"),
            ("160000", "submodule", ""),
            ("100755", "hooks/post-checkout", "#!/bin/sh\ntouch /tmp/hydron-hook-ran\n"),
            ("100644", ".gitattributes", "* filter=evil\n"),
            ("100644", ".lfsconfig", "[lfs]\nurl = https://evil.example\n"),
        ])
        .await;
    world.apply(Action::GitCheckout(source.checkout(&commit))).await.unwrap();
    let log = world.log();
    for name in ["Dockerfile", "up", "round"] {
        assert!(std::fs::symlink_metadata(tree(&world).join(name)).is_err(), "{name}");
        assert!(log.contains(&format!("link {name} leads out")), "{log}");
    }
    assert!(log.contains("submodule submodule is not fetched"));
    assert_eq!(std::fs::read_to_string(tree(&world).join("fine")).unwrap(), "x");
    assert!(!Path::new("/tmp/hydron-hook-ran").exists());
    let build = ImageBuild {
        service: "web".parse().unwrap(),
        checkout: Some("app".parse().unwrap()),
        context: RelPath::root(),
        dockerfile: Dockerfile::Repository { path: "Dockerfile".parse().unwrap() },
        args: vec![],
        tag: format!("hydron/{}-web:1", world.name).parse().unwrap(),
        memory_mb: 512,
    };
    let failure = world.apply(Action::ImageBuild(build)).await.unwrap_err();
    assert!(!failure.message.contains("root:"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_writes_into_git_or_above_itself_is_refused() {
    let source = Source::start(Access::Public).await;
    let world = world_for(&source).await;
    let blob = git(source.bare(), &["hash-object", "-w", "--stdin"], b"evil").await;
    let inner = git(source.bare(), &["mktree"], format!("100644 blob {blob}\tconfig\n").as_bytes()).await;
    for name in [".git", ".GIT", ".."] {
        let mut raw = format!("40000 {name}\0").into_bytes();
        raw.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&inner[at..at + 2], 16).unwrap()));
        let tree =
            git(source.bare(), &["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &raw).await;
        let commit = source.commit_tree(&tree).await;
        let failure = world.apply(Action::GitCheckout(source.checkout(&commit))).await.unwrap_err();
        assert!(matches!(failure.code, "GIT_FETCH_FAILED" | "GIT_NAME_REFUSED"), "{name}: {failure:?}");
    }
    assert!(!tree(&world).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_unless_the_configuration_allows_it() {
    let source = Source::start(Access::Public).await;
    let mut world = world_for(&source).await;
    let commit = source.commit(&[("100644", "a", "a")]).await;
    world.config.allow_private_sources = false;
    let failure = world.apply(Action::GitCheckout(source.checkout(&commit))).await.unwrap_err();
    assert_eq!(failure.code, "SOURCE_ADDRESS_REFUSED");
    assert!(!world.root.fetch().exists(), "git was not started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_trusted_and_a_commit_that_is_not_there_fail_with_words() {
    let source = Source::start(Access::Public).await;
    let mut world = world_for(&source).await;
    let missing: CommitId = "0123456789012345678901234567890123456789".parse().unwrap();
    let failure = world.apply(Action::GitCheckout(source.checkout(&missing))).await.unwrap_err();
    assert_eq!(failure.code, "GIT_FETCH_FAILED");
    assert!(failure.message.contains("not our ref"), "{}", failure.message);
    world.config.extra_source_ca = None;
    let failure = world.apply(Action::GitCheckout(source.checkout(&missing))).await.unwrap_err();
    assert!(failure.message.contains("certificate"), "{}", failure.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_a_private_repository_and_is_in_no_argument() {
    let token = "canary-token-4711";
    let source = Source::start(Access::Token(std::sync::Arc::new(SecretString::from(token)))).await;
    let mut world = world_for(&source).await;
    let commit = source.commit(&[("100644", "a", "a")]).await;
    let failure = world.apply(Action::GitCheckout(source.checkout(&commit))).await.unwrap_err();
    assert_eq!(failure.code, "GIT_FETCH_FAILED");
    let secret = SecretRef { name: "git/token".parse().unwrap(), version: 1 };
    world.secrets.insert(secret.clone(), Zeroizing::new(token.as_bytes().to_vec()));
    let wanted = GitCheckout { credential: Some(secret), ..source.checkout(&commit) };
    world.apply(Action::GitCheckout(wanted)).await.unwrap();
    let found = Command::new("grep").args(["-r", token]).arg(world.path()).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

/// What a git that was taken over could do: the alias runs any program as the fetch's child.
async fn taken_over(world: &World, directory: &Path, program: &str) -> std::process::Output {
    let limits =
        Limits { dir: directory.into(), connect: 0, file_bytes: 1 << 20, memory_bytes: 2 << 30, cpu_s: 10 };
    Command::new(world.config.confiner.as_ref().unwrap())
        .args(limits.to_args())
        .args(["--", "-c", &format!("alias.x=!{program}"), "x"])
        .env_clear()
        .envs(source::environment(directory))
        .current_dir("/")
        .output()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_that_is_taken_over_reads_and_writes_nothing_but_its_own_directory_and_gains_nothing() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("own");
    let secret = world.root.path().join("secret");
    std::fs::create_dir_all(world.root.path()).unwrap();
    std::fs::write(&secret, "the key").unwrap();
    let output = taken_over(&world, directory.path(), &format!("echo mine > {}", own.display())).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine\n");
    let output =
        taken_over(&world, directory.path(), "grep NoNewPrivs /proc/self/status || echo closed").await;
    assert!(!String::from_utf8_lossy(&output.stdout).contains('0'), "{output:?}");
    if std::fs::read_to_string("/sys/kernel/security/lsm").is_ok_and(|list| !list.contains("landlock")) {
        println!("this kernel has no landlock: the file rules were not tried");
        return;
    }
    for harm in
        [format!("cat {}", secret.display()), format!("tee {}", secret.display()), "ls /root".to_owned()]
    {
        let output = taken_over(&world, directory.path(), &harm).await;
        assert!(!output.status.success() && output.stdout.is_empty(), "{harm}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("ermission denied"), "{harm}: {output:?}");
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "the key");
}
