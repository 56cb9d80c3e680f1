//! The secret of every step, how programs print it, and where it is looked for.
//!
//! Rule: nothing here is the redactor's: a form that it forgets is found.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hydron_proto::wire::frame::Body;

use crate::dice::Dice;

pub(crate) const SECRET: &str = "Kn0w-n0th!ng/of=it'\"\\ &+>s3cret";

static FORMS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut forms: Vec<Vec<u8>> =
        [plain, hex, upper_hex, percent, json, shell, html].map(|form| form()).into();
    for shift in 0..3 {
        forms.push(base64_core(&STANDARD, shift));
        forms.push(base64_core(&URL_SAFE, shift));
    }
    AhoCorasick::new(forms).unwrap()
});

/// Whether the secret can be read in these bytes.
pub(crate) fn is_in(bytes: &[u8]) -> bool {
    FORMS.is_match(bytes)
}

/// Whether it can be read in any file below a directory.
pub(crate) fn is_below(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => is_below(&entry.path()),
        Ok(kind) if kind.is_file() => std::fs::read(entry.path()).is_ok_and(|bytes| is_in(&bytes)),
        Ok(_) | Err(_) => false,
    })
}

/// As a program prints it, with something in front.
pub(crate) fn printed(dice: &mut Dice) -> Vec<u8> {
    let before = "user:".repeat(dice.below(3) as usize).into_bytes();
    let basic = [before.clone(), plain(), b"@host".to_vec()].concat();
    let secret = match dice.below(9) {
        0 => STANDARD.encode(basic).into_bytes(),
        1 => URL_SAFE.encode(basic).into_bytes(),
        2 => hex(),
        3 => upper_hex(),
        4 => percent(),
        5 => json(),
        6 => shell(),
        7 => html(),
        _ => plain(),
    };
    [before, secret].concat()
}

/// The bytes of one direction of a connection: frames, and what streams carry over several of them.
#[derive(Debug, Default)]
pub(crate) struct Search {
    ends: HashMap<u32, Vec<u8>>,
}

impl Search {
    pub(crate) fn found(&mut self, frame: &[u8], stream: u32, body: &Body) -> bool {
        let Body::StreamData(data) = body else { return is_in(frame) };
        let end = self.ends.entry(stream).or_default();
        end.extend_from_slice(&data.data);
        let found = is_in(end);
        let longest = FORMS.max_pattern_len();
        end.drain(..end.len().saturating_sub(longest));
        found || is_in(frame)
    }
}

fn plain() -> Vec<u8> {
    SECRET.into()
}

fn hex() -> Vec<u8> {
    SECRET.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn upper_hex() -> Vec<u8> {
    hex().to_ascii_uppercase()
}

fn percent() -> Vec<u8> {
    let escaped = |byte: u8| match byte {
        b'-' | b'_' | b'.' | b'~' => vec![byte],
        _ if byte.is_ascii_alphanumeric() => vec![byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    SECRET.bytes().flat_map(escaped).collect()
}

fn json() -> Vec<u8> {
    let quoted = serde_json::to_string(SECRET).unwrap();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

/// `printf %q` of Bash.
fn shell() -> Vec<u8> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=@%+:".contains(&byte);
    SECRET.bytes().flat_map(|byte| if is_plain(byte) { vec![byte] } else { vec![b'\\', byte] }).collect()
}

fn html() -> Vec<u8> {
    let escaped = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;").into()
}

/// The characters that are the secret's alone when so many bytes (of three) stand in front of it.
fn base64_core(alphabet: &impl base64::Engine, shift: usize) -> Vec<u8> {
    let encoded = alphabet.encode([&vec![0; shift], SECRET.as_bytes(), &[0; 3]].concat());
    let (from, to) = ((shift * 4).div_ceil(3), (shift + SECRET.len()) * 4 / 3);
    encoded.as_bytes()[from..to].to_vec()
}
