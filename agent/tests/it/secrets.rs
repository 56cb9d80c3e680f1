//! A secret is in clear in the environment of the process that needs it, and nowhere else.

use hydron_proto::plan::PlanKind;
use hydron_proto::wire::{self, RangeEnd, StepOutcome};

use crate::world::{World, exited, permit, secret, shell, shell_with_secret};

const CANARY: &str = "canary-7f3a9c-value";

#[tokio::test]
async fn a_secret_reaches_its_process_and_neither_log_nor_disk() {
    let mut world = World::running();
    let password = secret("db/password");
    let script = "echo \"it is $PW.\"; printf %s \"$PW\" | base64; echo \"$PW\" >&2; test ${#PW} = 19 || exit 9; exit 4";
    let plan = world.plan(PlanKind::Provisioning, vec![shell_with_secret(script, "PW", &password)]);
    let run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    let secrets = vec![world.sealed(run.run, &password, CANARY)];
    link.permit(wire::Permit { secrets, ..permit(&run, 0, 0) }).await;
    let (events, _) = link.events_until_range_end().await;
    let result = exited(&events, 0);
    assert_eq!((result.outcome(), result.exit_code), (StepOutcome::Failed, Some(4)));
    let spool = String::from_utf8(world.spool(run.run, 0, 1)).unwrap();
    assert_eq!(spool.matches("[redacted]").count(), 3, "{spool}");
    let found = files_with(world.directory.path(), CANARY.as_bytes());
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_permit_needs_exactly_the_secrets_of_its_steps() {
    let mut world = World::running();
    let (first, second) = (secret("first"), secret("second"));
    let trace = format!("echo x >> {}", world.path("trace").display());
    let steps =
        vec![shell_with_secret(&trace, "A", &first), shell_with_secret(&trace, "B", &second), shell("true")];
    let plan = world.plan(PlanKind::Provisioning, steps);
    let run = world.sign(&plan);
    let other_run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    let good = world.sealed(run.run, &first, CANARY);
    let mut garbled = good.clone();
    garbled.ciphertext[0] ^= 1;
    let mut renamed = world.sealed(run.run, &second, CANARY);
    renamed.name = "first".into();
    let newer = wire::SealedSecret { version: 2, ..good.clone() };
    let elsewhere = world.sealed(other_run.run, &first, CANARY);
    let foreign = world.sealed(run.run, &second, CANARY);
    for secrets in [
        vec![],
        vec![garbled],
        vec![renamed],
        vec![newer],
        vec![elsewhere],
        vec![good.clone(), foreign.clone()],
    ] {
        link.permit(wire::Permit { secrets, ..permit(&run, 0, 0) }).await;
        assert_eq!(link.decision().await.code, "SECRET");
    }
    link.permit(wire::Permit { secrets: vec![good.clone()], ..permit(&run, 0, 2) }).await;
    assert_eq!(link.decision().await.code, "SECRET");
    assert!(!world.path("trace").exists());
    link.permit(wire::Permit { secrets: vec![good, foreign], ..permit(&run, 0, 2) }).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
}

#[tokio::test]
async fn the_sealing_key_and_the_journals_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::running();
    world.link().await;
    for (path, mode) in [
        (world.root().exec().join("keys/sealing"), 0o600),
        (world.root().exec().join("keys"), 0o700),
        (world.root().runs(), 0o700),
    ] {
        let found = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
}

fn files_with(directory: &std::path::Path, needle: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(needle.len()).any(|window| window == needle) {
                found.push(path);
            }
        }
    }
    found
}
