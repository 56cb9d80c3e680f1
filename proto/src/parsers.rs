//! Everything that reads foreign bytes in this crate, by name, with what it promises, for what throws arbitrary bytes at it.
//!
//! Rule: a reading answers any bytes without a panic; what it accepts keeps its promise (the same bytes back, nothing that
//! could become an option or a second word). Neighbours: `fuzz/` runs these under libFuzzer, `tests/corpora.rs` on every
//! change; the agent has a list of its own.

use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;

use crate::envelope::{PinnedSigner, Verifier};
use crate::frame;
use crate::ids::{ServerId, TeamId};
use crate::names::{
    AbsolutePath, CommitId, EnvName, GitRef, GitUrl, Hostname, ImageRef, RelPath, ResourceName, ServiceName,
};
use crate::plan::PlanDocument;
use crate::source::{HostKind, Pin, host_kind};
use crate::token::EnrollmentToken;
use crate::wire;

/// A reading: its name, and what it does with bytes. An error is a promise that was broken.
pub type Parser = (&'static str, fn(&[u8]) -> Result<(), String>);

/// All of them.
pub const PARSERS: &[Parser] =
    &[("frame", frames), ("envelope", envelopes), ("plan", plans), ("git_url", git_urls), ("name", names)];

/// Runs the reading of a name; an unknown name is an error too.
pub fn run(name: &str, bytes: &[u8]) -> Result<(), String> {
    let parser = PARSERS.iter().find(|(known, _)| *known == name);
    parser.map_or_else(|| Err(format!("there is no parser {name}")), |(_, parse)| parse(bytes))
}

/// A frame that was accepted can be sent on and says the same.
fn frames(bytes: &[u8]) -> Result<(), String> {
    let Ok((stream, body)) = frame::decode(bytes) else { return Ok(()) };
    let Ok(again) = frame::encode(stream, body.clone()) else { return Ok(()) };
    let read = frame::decode(&again).map_err(|error| error.to_string())?;
    kept(read == (stream, body), "a frame changed on its way")
}

/// Bytes that somebody signed, as they come; then the same bytes rightly signed, so that what lies behind the signature
/// is reached too.
fn envelopes(bytes: &[u8]) -> Result<(), String> {
    let signers = [PinnedSigner { key_id: "k1".to_owned(), key: key().verifying_key() }];
    let (team, server) = (TeamId::new(1, [1; 10]), ServerId::new(1, [2; 10]));
    let verifier = Verifier { signers: &signers, team, server };
    if let Ok(signed) = wire::SignedEnvelope::decode(bytes) {
        kept(verifier.verify(&signed).is_err(), "a signature was taken that the key did not make")?;
    }
    let Ok(verified) = verifier.verify(&rightly_signed(bytes)) else { return Ok(()) };
    kept(verified.plan.server == server && verified.plan.team == team, "a plan for somebody else was taken")
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[0x5f; 32])
}

fn rightly_signed(envelope: &[u8]) -> wire::SignedEnvelope {
    let message = [&b"hydron-envelope-v1\0"[..], envelope].concat();
    let signature = wire::Signature {
        key_id: "k1".to_owned(),
        algorithm: "ed25519".to_owned(),
        signature: key().sign(&message).to_bytes().to_vec(),
    };
    wire::SignedEnvelope { envelope: envelope.to_vec(), signatures: vec![signature] }
}

/// A plan that was accepted can be stored, and is the same when it is read again.
fn plans(bytes: &[u8]) -> Result<(), String> {
    let Ok(plan) = PlanDocument::from_bytes(bytes) else { return Ok(()) };
    let stored = plan.to_bytes().map_err(|error| error.to_string())?;
    let again = PlanDocument::from_bytes(&stored).map_err(|error| error.to_string())?;
    kept(again == plan, "a plan changed when it was stored")
}

/// A URL that was accepted is one plain word, names a host, and leads to no private address.
fn git_urls(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let Ok(url) = text.parse::<GitUrl>() else { return Ok(()) };
    let (host, port) = url.host_and_port();
    let shown = url.to_string();
    kept(shown == text && text.starts_with("https://") && is_one_word(text), "a URL is not one plain word")?;
    kept(!text.contains(['@', '?', '#', '%', '\\']), "a URL has room for more than a place")?;
    kept(!host.is_empty() && !host.starts_with('-') && port > 0, "a URL without a host")?;
    if let Ok(HostKind::Address(address)) = host_kind(host) {
        let private = crate::source::refusal(address).is_some();
        kept(
            Pin::check(&url, &[address], false).is_err() == private,
            "an address is not judged by its bits",
        )?;
    }
    let loopback = [IpAddr::from([127, 0, 0, 1])];
    kept(Pin::check(&url, &loopback, false).is_err(), "a name may resolve to this machine")
}

fn names(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    name::<ServiceName>(text)?;
    name::<ResourceName>(text)?;
    name::<ImageRef>(text)?;
    name::<Hostname>(text)?;
    name::<EnvName>(text)?;
    name::<GitRef>(text)?;
    name::<CommitId>(text)?;
    path::<AbsolutePath>(text)?;
    path::<RelPath>(text)?;
    let Ok(token) = EnrollmentToken::parse(text) else { return Ok(()) };
    kept(token.encode().as_str() == text.trim(), "a token changed")
}

/// A name is itself, one word, and no option.
fn name<T: FromStr + Display + Debug>(text: &str) -> Result<(), String> {
    let Ok(name) = text.parse::<T>() else { return Ok(()) };
    let plain = name.to_string() == text && is_one_word(text) && !text.starts_with('-');
    kept(plain, &format!("{name:?} is not one plain word"))
}

/// A path is itself and stays inside; it may have spaces.
fn path<T: FromStr + Display + Debug>(text: &str) -> Result<(), String> {
    let Ok(path) = text.parse::<T>() else { return Ok(()) };
    let inside = !text.split('/').any(|part| part == "..") && !text.contains(['\0', '\\']);
    kept(path.to_string() == text && inside, &format!("{path:?} leads elsewhere"))
}

fn is_one_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\"`$;&|<>(){}!*\\".contains(&byte))
}

fn kept(promise: bool, broken: &str) -> Result<(), String> {
    if promise { Ok(()) } else { Err(broken.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_breaks_its_promise_is_found() {
        for text in ["a b", "-a", "$a", "\u{e9}"] {
            assert!(name::<String>(text).is_err(), "{text}");
        }
        for text in ["../a", "a/..", "a\0", "a\\b"] {
            assert!(path::<String>(text).is_err(), "{text}");
        }
        assert!(name::<u8>("007").is_err() && path::<u8>("007").is_err(), "it does not say the same again");
        assert_eq!((name::<u8>("7"), path::<String>("a b/..c")), (Ok(()), Ok(())));
    }

    #[test]
    fn a_signature_that_is_taken_is_found_and_the_seeds_reach_behind_it() {
        let seed = include_bytes!("../fuzz/corpus/envelope/release");
        assert_eq!(run("envelope", seed), Ok(()));
        assert!(run("envelope", &rightly_signed(seed).encode_to_vec()).is_err());
    }
}
