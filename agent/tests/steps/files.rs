//! Files, directories, volumes, packages, shell: run twice, and led astray by links.

use std::os::unix::fs::PermissionsExt as _;

use hydron_agent::step_context::Check;
use hydron_proto::plan::{
    Action, Directory, DockerEngine, EnvPart, EnvVar, File, Packages, SecretRef, Shell, StepResult, Volume,
};
use zeroize::Zeroizing;

use crate::world::World;

fn file(path: &str, content: &str, mode: u32) -> Action {
    Action::File(File { path: path.parse().unwrap(), content: content.into(), mode })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_once_and_put_right_when_it_changed() {
    let world = World::new().await;
    let wanted = file("/srv/deep/config", "hello\n", 0o640);
    assert_eq!(world.check(wanted.clone()).await, Check::Needed);
    assert!(!world.apply(wanted.clone()).await.unwrap().already_done);
    assert!(world.apply(wanted.clone()).await.unwrap().already_done);
    let path = world.path().join("srv/deep/config");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    std::fs::write(&path, "changed").unwrap();
    assert!(!world.apply(wanted.clone()).await.unwrap().already_done);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(world.check(wanted.clone()).await, Check::Needed);
    let evil = file("/srv/tool", "x", 0o4755);
    world.apply(evil).await.unwrap();
    let mode = std::fs::metadata(world.path().join("srv/tool")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755, "no set-user-id");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_on_the_way_are_not_followed() {
    let world = World::new().await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(world.path().join("srv")).unwrap();
    std::os::unix::fs::symlink(outside.path(), world.path().join("srv/way")).unwrap();
    let failure = world.apply(file("/srv/way/file", "x", 0o600)).await.unwrap_err();
    assert_eq!(failure.code, "PATH_UNSAFE");
    let directory = Directory { path: "/srv/way/sub".parse().unwrap(), mode: 0o700 };
    assert_eq!(world.apply(Action::Directory(directory)).await.unwrap_err().code, "PATH_UNSAFE");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    let target = outside.path().join("target");
    std::fs::write(&target, "mine").unwrap();
    std::os::unix::fs::symlink(&target, world.path().join("srv/file")).unwrap();
    world.apply(file("/srv/file", "new", 0o600)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine", "a link at the end is replaced");
    assert!(!std::fs::symlink_metadata(world.path().join("srv/file")).unwrap().is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_and_volumes_are_made_once() {
    let world = World::new().await;
    let directory = Action::Directory(Directory { path: "/srv/data".parse().unwrap(), mode: 0o1777 });
    assert!(!world.apply(directory.clone()).await.unwrap().already_done);
    assert!(world.apply(directory).await.unwrap().already_done);
    let volume = Action::Volume(Volume { name: format!("{}-v", world.name).parse().unwrap() });
    assert!(!world.apply(volume.clone()).await.unwrap().already_done);
    assert!(world.apply(volume.clone()).await.unwrap().already_done);
    world.undo(volume.clone()).await;
    assert_eq!(world.check(volume).await, Check::AlreadyDone(StepResult::Done {}), "undo never removes data");
    let engine = Action::DockerEngine(DockerEngine { install: false });
    assert!(world.apply(engine).await.unwrap().already_done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_answer_is_reported_with_what_to_do() {
    let mut world = World::new().await;
    world.config.docker_socket = world.path().join("no.sock");
    let failure = world.apply(Action::Volume(Volume { name: "x".parse().unwrap() })).await.unwrap_err();
    assert_eq!(failure.code, "DOCKER_UNREACHABLE");
    assert!(
        failure.message.contains("no.sock") && failure.message.contains("start it"),
        "{}",
        failure.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_are_installed_are_left_alone_and_unknown_ones_fail_with_a_code() {
    let world = World::new().await;
    let packages = |name: &str| Action::Packages(Packages { names: vec![name.parse().unwrap()] });
    assert!(world.apply(packages("coreutils")).await.unwrap().already_done);
    let failure = world.apply(packages("no-such-package-of-hydron")).await.unwrap_err();
    assert_eq!(failure.code, "PACKAGES_FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_its_data_by_environment_and_its_exit_code_counts() {
    let mut world = World::new().await;
    let secret = SecretRef { name: "word".parse().unwrap(), version: 1 };
    world.secrets.insert(secret.clone(), Zeroizing::new(b"$(touch evil)".to_vec()));
    let env = vec![EnvVar { name: "WORD".parse().unwrap(), value: vec![EnvPart::Secret(secret)] }];
    let shell = |script: &str, expect: &[i32]| {
        Action::Shell(Shell { script: script.into(), env: env.clone(), expect: expect.to_vec() })
    };
    world.apply(shell("echo out; echo err >&2; echo \"$WORD\"; cat", &[0])).await.unwrap();
    assert_eq!(world.log(), "out\nerr\n$(touch evil)\n");
    world.apply(shell("exit 3", &[0, 3])).await.unwrap();
    let failure = world.apply(shell("exit 4", &[0, 3])).await.unwrap_err();
    assert_eq!((failure.code, failure.exit_code), ("SHELL_FAILED", Some(4)));
    let failure = world.apply(shell("kill -9 $$", &[0])).await.unwrap_err();
    assert_eq!(failure.signal, Some(9));
    assert!(!world.root.steps().join("scripts").exists(), "a script is never on the disk");
}
