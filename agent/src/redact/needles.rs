//! What to look for: every form in which a secret usually shows itself in a log.
//!
//! Rule: a needle has at least [`SHORTEST`] bytes; shorter ones would blacken half a log and hide nothing
//! (secrets that short are refused where they are entered).

use aho_corasick::{AhoCorasick, MatchKind};
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Shortest needle, bytes.
pub(super) const SHORTEST: usize = 6;

/// Sorted forms of all secrets of a run. Neither printed nor copied.
#[derive(Default)]
pub struct Needles {
    sorted: Vec<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needles").field("count", &self.sorted.len()).finish_non_exhaustive()
    }
}

impl Needles {
    /// The needles of all `secrets`.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut needles = Self::default();
        for secret in secrets {
            needles.add(secret);
        }
        needles.sorted.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
        needles.sorted.dedup_by(|a, b| a.as_slice() == b.as_slice());
        needles
    }

    /// None when there is nothing to look for.
    pub(super) fn automaton(&self) -> Option<AhoCorasick> {
        if self.sorted.is_empty() {
            return None;
        }
        AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(self.sorted.iter().map(|n| n.as_slice()))
            .ok()
    }

    /// Length of the longest end of `bytes` with which a needle begins that does not end there.
    pub(super) fn longest_open_tail(&self, bytes: &[u8]) -> usize {
        let longest = self.sorted.iter().map(|needle| needle.len()).max().unwrap_or(0);
        let first = bytes.len().saturating_sub(longest.saturating_sub(1));
        (first..bytes.len())
            .find(|start| bytes.get(*start..).is_some_and(|tail| self.continues(tail)))
            .map_or(0, |start| bytes.len() - start)
    }

    /// Whether some needle is longer than `tail` and begins with it.
    fn continues(&self, tail: &[u8]) -> bool {
        let from = self.sorted.partition_point(|needle| needle.as_slice() <= tail);
        self.sorted.get(from).is_some_and(|needle| needle.starts_with(tail))
    }

    #[cfg(test)]
    pub(super) fn sorted_lengths(&self) -> impl Iterator<Item = usize> {
        self.sorted.iter().map(|needle| needle.len())
    }

    fn add(&mut self, secret: &[u8]) {
        let trimmed = secret.trim_ascii();
        let lines = trimmed.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let mut plain: Vec<&[u8]> = vec![secret, trimmed];
        plain.extend(lines);
        for form in plain.into_iter().filter(|form| form.len() >= SHORTEST) {
            self.keep(form.to_vec());
            self.add_encoded(form);
        }
    }

    fn add_encoded(&mut self, form: &[u8]) {
        for shift in 0..3 {
            self.keep(base64_inside(form, shift, &STANDARD_NO_PAD));
            self.keep(base64_inside(form, shift, &URL_SAFE_NO_PAD));
        }
        self.keep(form.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        self.keep(form.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
        self.keep(uri_escaped(form, |byte| format!("%{byte:02X}")));
        self.keep(uri_escaped(form, |byte| format!("%{byte:02x}")));
        self.keep(replaced(form, b'\'', b"'\\''"));
        self.keep(replaced(form, b'\'', b"'\"'\"'"));
        self.keep(backslashed(form));
        if let Ok(text) = std::str::from_utf8(form) {
            let json = serde_json::Value::from(text).to_string();
            self.keep(json.trim_matches('"').as_bytes().to_vec());
            self.keep(json.trim_matches('"').replace('/', "\\/").into_bytes());
        }
        let crlf: Vec<u8> = replaced(form, b'\n', b"\r\n");
        self.keep(crlf);
    }

    fn keep(&mut self, needle: Vec<u8>) {
        if needle.len() >= SHORTEST {
            self.sorted.push(Zeroizing::new(needle));
        }
    }
}

/// The characters of base64 that depend on `form` alone when `shift` other bytes stand before it.
fn base64_inside(form: &[u8], shift: usize, alphabet: &impl base64::Engine) -> Vec<u8> {
    let mut padded = Zeroizing::new(vec![0; shift]);
    padded.extend_from_slice(form);
    let encoded = Zeroizing::new(alphabet.encode(padded.as_slice()));
    let mixed_in_front = if shift == 0 { 0 } else { shift + 1 };
    let mixed_behind = usize::from(!padded.len().is_multiple_of(3));
    let end = encoded.len().saturating_sub(mixed_behind);
    encoded.as_bytes().get(mixed_in_front..end).unwrap_or_default().to_vec()
}

/// RFC 3986 §2.3: everything but the unreserved characters is escaped.
fn uri_escaped(form: &[u8], escape: impl Fn(u8) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(form.len());
    for byte in form {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(*byte);
        } else {
            out.extend(escape(*byte).into_bytes());
        }
    }
    out
}

fn replaced(form: &[u8], byte: u8, with: &[u8]) -> Vec<u8> {
    form.iter().flat_map(|b| if *b == byte { with.to_vec() } else { vec![*b] }).collect()
}

/// As `printf %q` and `set -x` write it.
fn backslashed(form: &[u8]) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(b) || !b.is_ascii();
    form.iter().flat_map(|b| if plain(b) { vec![*b] } else { vec![b'\\', *b] }).collect()
}
