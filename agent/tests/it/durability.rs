//! Nothing is said or started before it is durable: watched from outside, system call by system call.

use std::path::Path;
use std::process::{Command, Stdio};

use hydron_proto::wire::{self, event, journal_record};
use prost::Message as _;

use crate::world::{BINARY, World, eventually, lines, permit};

/// Runs an executor under strace; its step hosts are traced as well.
fn traced(world: &World) -> std::process::Child {
    Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-o"])
        .arg(world.path("trace"))
        .args(["-e", "trace=write,writev,sendto,sendmsg,fsync,fdatasync"])
        .arg(BINARY)
        .arg("--root")
        .arg(world.directory.path())
        .arg("exec")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("strace is installed (tests/lab/install)")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Bytes for the journal.
    Note,
    /// The journal is durable.
    Sync,
    /// An attempt's beginning or its end.
    Attempt,
    /// A message to the link or to the step host or to the executor.
    Say,
}

fn calls(trace: &Path) -> Vec<(u32, Call)> {
    let text = std::fs::read_to_string(trace).unwrap();
    let call = |line: &str| {
        let (pid, rest) = line.split_once(' ')?;
        let rest = rest.trim_start();
        let is = |names: &[&str]| names.iter().any(|name| rest.starts_with(name));
        let call = if is(&["write(", "writev("]) && rest.contains("/journal.log>") {
            Call::Note
        } else if is(&["fdatasync(", "fsync("]) && rest.contains("/journal.log>") {
            Call::Sync
        } else if is(&["write("]) && rest.contains("/attempts.log>") {
            Call::Attempt
        } else if is(&["write(", "writev(", "sendto(", "sendmsg("]) && rest.contains("<socket:") {
            Call::Say
        } else {
            return None;
        };
        Some((pid.parse().ok()?, call))
    };
    text.lines().filter_map(call).collect()
}

#[tokio::test]
async fn an_event_is_told_and_a_step_started_only_after_the_journal_is_durable() {
    let mut world = World::joined();
    let mut child = traced(&world);
    let run = world.shell_run(&["true", "true", "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 2)).await;
    link.events_until_range_end().await;
    for pid in crate::world::pids_with(&[world.directory.path().to_str().unwrap(), "exec"]) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    world.kill_hosts();
    eventually("strace is done", || child.try_wait().unwrap().is_some()).await;
    let calls = calls(&world.path("trace"));
    let count = |wanted| calls.iter().filter(|(_, call)| *call == wanted).count();
    assert!(count(Call::Note) >= 5 && count(Call::Say) >= 10 && count(Call::Attempt) == 6, "{calls:?}");
    let mut dirty = std::collections::BTreeSet::new();
    for (pid, call) in &calls {
        match call {
            Call::Note => drop(dirty.insert(*pid)),
            Call::Sync => drop(dirty.remove(pid)),
            Call::Say => assert!(!dirty.contains(pid), "something was said before the journal was durable"),
            Call::Attempt => {}
        }
    }
    let host = calls.iter().find(|(_, call)| *call == Call::Attempt).map(|(pid, _)| *pid).unwrap();
    let of_host: Vec<Call> = calls.iter().filter(|(pid, _)| *pid == host).map(|(_, call)| *call).collect();
    let ends: Vec<usize> = of_host
        .iter()
        .enumerate()
        .filter(|(_, call)| **call == Call::Attempt)
        .map(|(at, _)| at)
        .skip(1)
        .step_by(2)
        .collect();
    for end in ends {
        let next = of_host.get(end + 1);
        assert_eq!(next, Some(&Call::Say), "the host writes an end down and then says it: {of_host:?}");
    }
}

/// Every write into the journal takes half a second, so that whoever does not wait for it is seen to be early.
#[tokio::test]
async fn a_step_runs_only_when_its_intent_is_in_the_journal() {
    let mut world = World::joined();
    let counter = world.path("counter");
    let run = world.shell_run(&[&format!("echo x >> {}", counter.display())]);
    let journal = world.journal(run.run);
    let slowly = "inject=write:delay_enter=500000";
    world.start_traced_executor(&["-P", journal.to_str().unwrap(), "-e", "trace=write", "-e", slowly]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    eventually("the step runs", || lines(&counter) == 1).await;
    let intended = records(&std::fs::read(&journal).unwrap()).into_iter().any(|record| {
        matches!(
            record.body,
            Some(journal_record::Body::Event(wire::Event {
                body: Some(event::Body::StepStarting(wire::StepStarting { step: 0, attempt: 1 })),
                ..
            }))
        )
    });
    link.events_until_range_end().await;
    world.end_traced_executor();
    assert!(intended, "the step ran before its intent was written down");
}

/// Length, checksum, payload; one after the other.
fn records(mut bytes: &[u8]) -> Vec<wire::JournalRecord> {
    let mut records = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let end = 4 + u32::from_be_bytes(*head) as usize;
        records.push(wire::JournalRecord::decode(&rest[4..end]).unwrap());
        bytes = &rest[end..];
    }
    records
}
