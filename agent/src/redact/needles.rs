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
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.sorted.iter().map(|needle| needle.as_slice())
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
        let encoded = Zeroizing::new(base64_inside(form, 0, &STANDARD_NO_PAD));
        for width in BASE64_LINES {
            encoded.chunks(width).for_each(|line| self.keep(line.to_vec()));
        }
        self.keep(form.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        self.keep(form.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
        for (unescaped, space) in URI_FORMS {
            self.keep(uri_escaped(form, unescaped, space, |byte| format!("%{byte:02X}")));
            self.keep(uri_escaped(form, unescaped, space, |byte| format!("%{byte:02x}")));
        }
        self.keep(replaced(form, b'\'', b"'\\''"));
        self.keep(replaced(form, b'\'', b"'\"'\"'"));
        for (plain, plain_inside) in SHELL_FORMS {
            self.keep(backslashed(form, plain, plain_inside));
        }
        for [double, single] in MARKUP_QUOTES {
            self.keep(in_markup(form, double, single));
        }
        if let Ok(text) = std::str::from_utf8(form) {
            self.add_json(text);
        }
        let crlf: Vec<u8> = replaced(form, b'\n', b"\r\n");
        self.keep(crlf);
    }

    /// As strings of JSON are written: plainly, for pages (Go), with slashes escaped (PHP), in ASCII alone (Python, Java).
    fn add_json(&mut self, text: &str) {
        let quoted = serde_json::Value::from(text).to_string();
        let json = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
        let for_pages = |letter: char| matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        let not_ascii = |letter: char| !letter.is_ascii();
        self.keep(json.as_bytes().to_vec());
        self.keep(json.replace('/', "\\/").into_bytes());
        self.keep(unicode_escaped(json, for_pages, |unit| format!("\\u{unit:04x}")));
        self.keep(unicode_escaped(json, not_ascii, |unit| format!("\\u{unit:04x}")));
        self.keep(unicode_escaped(json, not_ascii, |unit| format!("\\u{unit:04X}")));
        let slashes = json.replace('/', "\\/");
        self.keep(unicode_escaped(&slashes, not_ascii, |unit| format!("\\u{unit:04x}")));
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

/// How long lines of base64 are: PEM and openssl (RFC 7468 §2), MIME and the program of that name (RFC 2045 §6.8). A long
/// secret that begins with the encoded text fills such lines; the few characters of a last one that is shorter than a needle stay.
const BASE64_LINES: [usize; 2] = [64, 76];

/// Characters besides letters and digits that stay as they are, and what a space becomes: RFC 3986 §2.3, Python's `quote` and
/// `quote_plus`, JavaScript's `encodeURIComponent`, and the encoding of forms (WHATWG URL §5.2).
const URI_FORMS: [(&[u8], &[u8]); 5] =
    [(b"-._~", b"%20"), (b"-._~/", b"%20"), (b"-._~", b"+"), (b"-._~!*'()", b"%20"), (b"-._*", b"+")];

/// How markup writes double and single quotes: not at all, XML, Python, Go, HTML.
const MARKUP_QUOTES: [[&[u8]; 2]; 5] = [
    [b"\"", b"'"],
    [b"&quot;", b"&apos;"],
    [b"&quot;", b"&#x27;"],
    [b"&#34;", b"&#39;"],
    [b"&quot;", b"&#39;"],
];

fn uri_escaped(form: &[u8], unescaped: &[u8], space: &[u8], escape: impl Fn(u8) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(form.len());
    for byte in form {
        match byte {
            b' ' => out.extend_from_slice(space),
            plain if plain.is_ascii_alphanumeric() || unescaped.contains(plain) => out.push(*plain),
            other => out.extend(escape(*other).into_bytes()),
        }
    }
    out
}

fn in_markup(form: &[u8], double: &[u8], single: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(form.len());
    for byte in form {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(double),
            b'\'' => out.extend_from_slice(single),
            other => out.push(*other),
        }
    }
    out
}

/// UTF-16 units of the letters that are escaped.
fn unicode_escaped(text: &str, which: impl Fn(char) -> bool, escape: impl Fn(u16) -> String) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if which(letter) {
            let mut units = [0; 2];
            out.extend(letter.encode_utf16(&mut units).iter().map(|unit| escape(*unit)));
        } else {
            out.push(letter);
        }
    }
    out.into_bytes()
}

fn replaced(form: &[u8], byte: u8, with: &[u8]) -> Vec<u8> {
    form.iter().flat_map(|b| if *b == byte { with.to_vec() } else { vec![*b] }).collect()
}

/// What stays as it is when a shell puts a backslash before everything else: as Bash's `printf %q` does it, where only a first
/// `~` or `#` gets one (measured with 5.2), and as others do.
const SHELL_FORMS: [(&[u8], &[u8]); 2] = [(b"_-./:=@%+", b"~#"), (b"_-./:=@%+,", b"")];

fn backslashed(form: &[u8], plain: &[u8], plain_inside: &[u8]) -> Vec<u8> {
    let is_plain = |at: usize, byte: &u8| {
        byte.is_ascii_alphanumeric()
            || !byte.is_ascii()
            || plain.contains(byte)
            || (at > 0 && plain_inside.contains(byte))
    };
    let escaped =
        |(at, byte): (usize, &u8)| if is_plain(at, byte) { vec![*byte] } else { vec![b'\\', *byte] };
    form.iter().enumerate().flat_map(escaped).collect()
}
