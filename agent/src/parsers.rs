//! What reads bytes that a crash, a program or another process left, by name, with what it promises, for what throws
//! arbitrary bytes at it.
//!
//! Rule: a reading answers any bytes without a panic, and keeps its promise. Neighbours: `fuzz/` runs these under libFuzzer,
//! `tests/it/corpora.rs` on every change; `hydron_proto::parsers` has what crosses the network.

use hydron_proto::wire;
use prost::Message as _;

use crate::exec;
use crate::local;
use crate::redact::{MASK, Needles, Redactor};

/// A reading: its name, and what it does with bytes. An error is a promise that was broken.
pub type Parser = (&'static str, fn(&[u8]) -> Result<(), String>);

/// All of them.
pub const PARSERS: &[Parser] = &[("journal", journals), ("redactor", redactors), ("local", messages)];

/// Runs the reading of a name; an unknown name is an error too.
pub fn run(name: &str, bytes: &[u8]) -> Result<(), String> {
    let parser = PARSERS.iter().find(|(known, _)| *known == name);
    parser.map_or_else(|| Err(format!("there is no parser {name}")), |(_, parse)| parse(bytes))
}

/// What is whole stays what it is when the torn tail is cut off, which is what an executor does.
fn journals(bytes: &[u8]) -> Result<(), String> {
    let Some((whole, fits)) = exec::judge_journal(bytes) else { return Ok(()) };
    let cut = bytes.get(..whole).ok_or("more is whole than there is")?;
    kept(exec::judge_journal(cut) == Some((whole, fits)), "a journal changed when its torn tail was cut off")
}

/// The first line is the secret, the second says where the rest is cut; the rest is output. Wherever it is cut, the same
/// leaves, and the secret is not in it.
fn redactors(bytes: &[u8]) -> Result<(), String> {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(secret), Some(cuts), Some(output)) = (lines.next(), lines.next(), lines.next()) else {
        return Ok(());
    };
    let redactor = Redactor::new(Needles::of([secret]));
    let whole = through(&redactor, [output]);
    let mut rest = output;
    let parts: Vec<&[u8]> = cuts.iter().map(|cut| next_part(&mut rest, usize::from(*cut))).collect();
    let parted = through(&redactor, parts.into_iter().chain([rest]));
    kept(whole == parted, "what leaves depends on where the output was cut")?;
    // What stands in place of a secret may itself look like one.
    let secret = secret.trim_ascii();
    if secret.len() < 6 || secret.iter().any(|byte| MASK.contains(byte)) {
        return Ok(());
    }
    kept(!whole.windows(secret.len()).any(|part| part == secret), "a secret left")
}

fn next_part<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (part, after) = rest.split_at(length.min(rest.len()));
    *rest = after;
    part
}

fn through<'a>(redactor: &Redactor, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut stream = redactor.fresh();
    let mut out: Vec<u8> = parts.into_iter().flat_map(|part| stream.push(part)).collect();
    out.extend(stream.finish());
    out
}

/// Messages between the agent's own processes: what was read can be said again.
fn messages(bytes: &[u8]) -> Result<(), String> {
    said_again(wire::ToExecutor::decode(bytes))?;
    said_again(wire::FromExecutor::decode(bytes))?;
    said_again(wire::ToStepHost::decode(bytes))?;
    said_again(wire::FromStepHost::decode(bytes))
}

fn said_again<M: prost::Message + Default + PartialEq>(
    read: Result<M, prost::DecodeError>,
) -> Result<(), String> {
    let Ok(message) = read else { return Ok(()) };
    let Ok(bytes) = local::frame(&message) else { return Ok(()) };
    let again = bytes.get(4..).map(M::decode);
    kept(again.is_some_and(|again| again.is_ok_and(|again| again == message)), "a message changed on its way")
}

fn kept(promise: bool, broken: &str) -> Result<(), String> {
    if promise { Ok(()) } else { Err(broken.to_owned()) }
}
