//! A secret is in clear in the environment of the process that needs it, and nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hydron_proto::plan::{Action, EnvPart, EnvVar, PlanKind, Shell};
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

/// Twenty steps with fifty secrets each, said raw, in base64 and in hex: into logs, events, journals, whatever is on disk
/// or is told to the link.
#[tokio::test]
async fn of_a_thousand_canaries_none_leaves_its_process() {
    let mut world = World::running();
    let name = |step: usize, number: usize| secret(&format!("canary/c{step}-{number}"));
    let value = |step: usize, number: usize| {
        format!("c{step:02}-{number:02}<&\"'{:08x}>", step * 7919 + number * 104_729)
    };
    let script =
        "env; env | base64 -w 0; echo; env | od -An -v -tx1 | tr -d ' \\n'; echo; exit $((${#C0} != 19))";
    let steps = (0..20).map(|step| {
        let env = (0..50).map(|number| EnvVar {
            name: format!("C{number}").parse().unwrap(),
            value: vec![EnvPart::Secret(name(step, number))],
        });
        crate::world::step(Action::Shell(Shell {
            script: script.into(),
            env: env.collect(),
            expect: vec![0],
        }))
    });
    let plan = world.plan(PlanKind::Provisioning, steps.collect());
    let run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    let mut told = Vec::new();
    for step in 0..20 {
        let secrets = (0..50).map(|n| world.sealed(run.run, &name(step, n), &value(step, n))).collect();
        let index = u32::try_from(step).unwrap();
        link.permit(wire::Permit { secrets, ..permit(&run, index, index) }).await;
        let (events, ended) = link.events_until_range_end().await;
        assert_eq!(ended.end(), RangeEnd::Completed, "{events:?}");
        let spool = world.spool(run.run, index, 1);
        let masked = spool.windows(10).filter(|part| *part == b"[redacted]").count();
        assert!(masked >= 150, "only {masked} of step {step}: {}", String::from_utf8_lossy(&spool));
        told.extend(events.iter().flat_map(prost::Message::encode_to_vec));
    }
    told.extend(all_bytes_below(world.directory.path()));
    let canaries = (0..20).flat_map(|step| (0..50).map(move |number| value(step, number)));
    let forms = canaries.flat_map(|canary| {
        let hex = canary.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        // What base64 makes of the middle, whatever stands before it.
        let shifted = (0..3).map(|skip| STANDARD.encode(&canary.as_bytes()[skip..skip + 15]));
        [canary.clone(), hex].into_iter().chain(shifted).collect::<Vec<_>>()
    });
    let forms: Vec<String> = forms.collect();
    assert_eq!(forms.len(), 5000);
    let search = aho_corasick::AhoCorasick::new(&forms).unwrap();
    let found: Vec<&str> = search.find_iter(&told).map(|found| forms[found.pattern()].as_str()).collect();
    assert!(found.is_empty(), "{} forms left, first {:?}", found.len(), found.first());
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

fn all_bytes_below(directory: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            bytes.extend(all_bytes_below(&path));
        } else if path.is_file() {
            bytes.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    bytes
}
