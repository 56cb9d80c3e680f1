//! Images: built once, failing with the last lines, pulled or found here.

use hydron_agent::step_context::Check;
use hydron_proto::plan::{Action, Dockerfile, EnvPart, EnvVar, ImageBuild, ImagePull, SecretRef, StepResult};

use crate::world::{World, docker};

fn build(world: &World, content: &str) -> ImageBuild {
    ImageBuild {
        service: "app".parse().unwrap(),
        checkout: None,
        context: hydron_proto::names::RelPath::root(),
        dockerfile: Dockerfile::Inline { content: content.into() },
        args: vec![],
        tag: format!("hydron/{}-app:1", world.name).parse().unwrap(),
        memory_mb: 512,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_input_is_built_once_and_a_changed_one_again() {
    let world = World::new().await;
    let wanted = build(&world, "FROM debian:bookworm-slim\nRUN echo first line of output\n");
    assert_eq!(world.check(Action::ImageBuild(wanted.clone())).await, Check::Needed);
    let built = world.apply(Action::ImageBuild(wanted.clone())).await.unwrap();
    assert!(!built.already_done && world.log().contains("first line of output"));
    assert_eq!(
        world.check(Action::ImageBuild(wanted.clone())).await,
        Check::AlreadyDone(built.result.clone())
    );
    assert!(world.apply(Action::ImageBuild(wanted)).await.unwrap().already_done);
    let changed = build(&world, "FROM debian:bookworm-slim\nRUN echo other\n");
    let changed = world.apply(Action::ImageBuild(changed)).await.unwrap();
    assert!(!changed.already_done);
    assert_ne!(changed.result, built.result);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dockerfile_that_fails_says_which_command_with_which_code_and_what_it_said() {
    let world = World::new().await;
    let wanted = build(&world, "FROM debian:bookworm-slim\nRUN echo the reason is here && exit 7\n");
    let failure = world.apply(Action::ImageBuild(wanted)).await.unwrap_err();
    assert_eq!((failure.code, failure.exit_code), ("BUILD_FAILED", Some(7)));
    assert!(failure.message.contains("the reason is here"), "{}", failure.message);
    let wanted = build(&world, "FROM debian:bookworm-slim\nRUNN nothing\n");
    let failure = world.apply(Action::ImageBuild(wanted)).await.unwrap_err();
    assert_eq!(failure.code, "BUILD_FAILED");
    assert!(failure.message.to_lowercase().contains("runn"), "{}", failure.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_argument_that_names_a_secret_is_refused() {
    let world = World::new().await;
    let secret = SecretRef { name: "token".parse().unwrap(), version: 1 };
    let args = vec![EnvVar { name: "TOKEN".parse().unwrap(), value: vec![EnvPart::Secret(secret)] }];
    let wanted = ImageBuild { args, ..build(&world, "FROM debian:bookworm-slim\n") };
    assert_eq!(world.apply(Action::ImageBuild(wanted)).await.unwrap_err().code, "BUILD_ARGUMENT_SECRET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_ends_and_leaves_no_container() {
    let world = World::new().await;
    let marker = format!("sleep 4242{}", std::process::id());
    let wanted = build(&world, &format!("FROM debian:bookworm-slim\nRUN {marker}\n"));
    let stop = async {
        crate::world::eventually("the build runs", async || processes(&marker) > 0).await;
        world.cancel.cancel();
    };
    let (built, ()) = tokio::join!(world.apply(Action::ImageBuild(wanted)), stop);
    assert_eq!(built.unwrap_err().code, "CANCELLED");
    crate::world::eventually("the build is gone", async || processes(&marker) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_here_counts_when_no_registry_answers() {
    let world = World::new().await;
    // A name of our own, so that it does not matter which registries this machine reaches.
    let reference = format!("127.0.0.1:9/{}:1", world.name);
    let pull = |image: &str| Action::ImagePull(ImagePull { image: image.parse().unwrap(), credential: None });
    assert_eq!(world.apply(pull(&reference)).await.unwrap_err().code, "PULL_FAILED");
    docker(&["tag", "debian:bookworm-slim", &reference]).await;
    let pulled = world.apply(pull(&reference)).await;
    docker(&["rmi", &reference]).await;
    let StepResult::Image { image_id } = pulled.unwrap().result else { panic!() };
    assert_eq!(image_id, docker(&["image", "inspect", "-f", "{{.Id}}", "debian:bookworm-slim"]).await);
    assert!(world.log().contains("is already here and is used"));
}

fn processes(marker: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
    entries
        .map(line)
        .filter(|bytes| String::from_utf8_lossy(bytes).replace('\0', " ").trim() == marker)
        .count()
}
