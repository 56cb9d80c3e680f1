//! Takes the values of variables and other secrets out of a message before anything keeps or reads it.
//!
//! Rule: rather one word too many than a password in the database. What was taken out lives in a [`Vault`] for the length
//! of one turn; the text keeps a placeholder that a tool's handler can exchange for it, and nobody else.

use std::ops::Range;

use hydron_domain::env::looks_secret;
use zeroize::Zeroizing;

/// A message that may be stored.
#[derive(Debug)]
pub struct Hidden {
    /// The text with placeholders.
    pub text: String,
    /// What they stand for.
    pub vault: Vault,
}

/// Values taken out of one message; wiped when dropped, never printed.
#[derive(Default)]
pub struct Vault(Vec<Zeroizing<String>>);

impl Vault {
    /// The value behind a placeholder.
    pub fn open(&self, placeholder: &str) -> Option<&str> {
        let number = placeholder_number(placeholder)?;
        self.0.get(number.checked_sub(1)?).map(|value| value.as_str())
    }

    fn keep(&mut self, value: &str) -> String {
        self.0.push(Zeroizing::new(value.to_owned()));
        format!("[hidden-{}]", self.0.len())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} values)", self.0.len())
    }
}

/// Whether a word stands for a value that was taken out of a message.
pub fn is_placeholder(word: &str) -> bool {
    placeholder_number(word).is_some()
}

/// Stands for a value of which nobody can say where it ends: it needs quotes. It is not kept anywhere.
pub const UNCLEAR: &str = "[hidden]";

/// Whether what was taken for a value may be a value and more of the sentence.
fn says_more(value: &str) -> bool {
    let mut words = value.split_whitespace().skip(1);
    words
        .any(|word| matches!(word.to_ascii_lowercase().as_str(), "for" | "of" | "in" | "on" | "and" | "then"))
}

/// Whether a value is a placeholder that somebody copied from an earlier message: its secret is not in it.
pub fn is_copied_placeholder(value: &str) -> bool {
    value
        .strip_prefix("(hidden-")
        .and_then(|rest| rest.strip_suffix(')').or_else(|| rest.strip_suffix(']')))
        .is_some()
}

/// Takes out what must not be kept.
pub fn hide(text: &str) -> Hidden {
    let mut vault = Vault::default();
    // A placeholder that a person typed must not stand for a value of this message.
    let text = hide_private_keys(&text.replace("[hidden-", "(hidden-"), &mut vault);
    let lines: Vec<String> = text.split('\n').map(|line| hide_line(line, &mut vault)).collect();
    Hidden { text: lines.join("\n"), vault }
}

/// PEM blocks stand on many lines, so they are taken out of the whole text.
fn hide_private_keys(text: &str, vault: &mut Vault) -> String {
    const BEGIN: &str = "-----BEGIN ";
    const KEY_END: &str = "PRIVATE KEY-----";
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(start);
        shown.push_str(before);
        let label = block
            .get(BEGIN.len()..)
            .and_then(|label| label.find("-----"))
            .map_or(block.len(), |at| BEGIN.len() + at + 5);
        let (head, body) = block.split_at(label);
        if !head.ends_with(KEY_END) {
            shown.push_str(head);
            rest = body;
            continue;
        }
        let end = body.find(KEY_END).map_or(body.len(), |at| at + KEY_END.len());
        shown.push_str(&vault.keep(block.get(..label + end).unwrap_or(block)));
        rest = body.get(end..).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

fn placeholder_number(word: &str) -> Option<usize> {
    word.strip_prefix("[hidden-")?.strip_suffix(']')?.parse().ok()
}

fn hide_line(line: &str, vault: &mut Vault) -> String {
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for found in [assigned(line), told(line), url_credentials(line), known_shapes(line)] {
        for cut in found {
            let known = line.get(cut.clone()).is_some_and(is_placeholder);
            if !cut.is_empty()
                && !known
                && cuts.iter().all(|known| cut.end <= known.start || known.end <= cut.start)
            {
                cuts.push(cut);
            }
        }
    }
    cuts.sort_by_key(|cut| cut.start);
    let mut shown = String::new();
    let mut from = 0;
    for cut in cuts {
        shown.push_str(line.get(from..cut.start).unwrap_or_default());
        let value = line.get(cut.clone()).unwrap_or_default();
        let quoted = line.get(..cut.start).is_some_and(|before| before.ends_with(['"', '\'', '`']));
        if !quoted && says_more(value) {
            shown.push_str(UNCLEAR);
        } else {
            shown.push_str(&vault.keep(value));
        }
        from = cut.end;
    }
    shown.push_str(line.get(from..).unwrap_or_default());
    shown
}

/// A word and where it stands.
#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    start: usize,
    text: &'a str,
}

impl Spot<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn is(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.bare().eq_ignore_ascii_case(word))
    }

    fn bare(&self) -> &str {
        self.text.trim_matches(|c: char| matches!(c, ',' | '.' | ':' | ';' | '!' | '?' | '"' | '\'' | '`'))
    }
}

fn spots(line: &str) -> Vec<Spot<'_>> {
    line.split_whitespace()
        .map(|text| Spot { start: text.as_ptr() as usize - line.as_ptr() as usize, text })
        .collect()
}

const SETTING: [&str; 10] =
    ["set", "add", "change", "update", "define", "export", "put", "use", "env", "secret"];
const ABOUT_VARIABLES: [&str; 7] = ["env", "environment", "variable", "variables", "var", "vars", "secret"];
const FIELDS: [&str; 6] = ["port", "start", "build", "health", "healthcheck", "framework"];

/// `NAME=value`: every value of a sentence that sets variables, and elsewhere those whose name says so.
fn assigned(line: &str) -> Vec<Range<usize>> {
    let names = assignments(line);
    let bare =
        names.first().is_some_and(|name| line.get(..name.start).is_some_and(|text| text.trim().is_empty()));
    let mut cuts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let limit = names.get(index + 1).map_or(line.len(), |next| next.start);
        let secret = looks_secret(line.get(name.start..name.end).unwrap_or_default());
        let set = name.sign == '=' && (bare || sets_variables(line, name.start));
        if set || secret {
            cuts.push(value_range(line, name.value, limit));
        }
    }
    cuts
}

/// Where a name is given a value.
struct Assignment {
    start: usize,
    end: usize,
    value: usize,
    sign: char,
}

fn assignments(line: &str) -> Vec<Assignment> {
    let bytes = line.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(b' ');
    let mut found = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let boundary = index == 0 || b" \t\"'`(,?&;{".contains(&at(index - 1));
        if !boundary || !(at(index).is_ascii_alphabetic() || at(index) == b'_') {
            index += 1;
            continue;
        }
        let start = index;
        while at(index).is_ascii_alphanumeric() || at(index) == b'_' {
            index += 1;
        }
        let end = index;
        while at(index) == b' ' && index < bytes.len() {
            index += 1;
        }
        let sign = char::from(at(index));
        let assigns = match sign {
            '=' => at(index + 1) != b'=',
            // `KEY: value`, not `https://`.
            ':' => at(index + 1) == b' ' && index == end,
            _ => false,
        };
        if assigns {
            index += 1;
            while at(index) == b' ' && index < bytes.len() {
                index += 1;
            }
            found.push(Assignment { start, end, value: index, sign });
        } else {
            index = end.max(start + 1);
        }
    }
    found
}

/// Whether what is assigned at `at` is a variable that a sentence sets (and not, say, a part of a start command).
fn sets_variables(line: &str, at: usize) -> bool {
    let words = spots(line);
    let verb = words.iter().rposition(|word| word.start < at && word.is(&SETTING));
    let Some(verb) = verb else { return false };
    let object = words.iter().skip(verb + 1).find(|word| !word.is(&["the", "a", "an", "new"]));
    let field = |word: &Spot<'_>| {
        word.is(&FIELDS)
            || word
                .text
                .split_once('=')
                .is_some_and(|(name, _)| FIELDS.contains(&name.to_ascii_lowercase().as_str()))
    };
    !object.is_some_and(field)
}

/// A value from `from` on, at most to `limit`: what stands in quotes, or everything up to "for <service>" at the end.
fn value_range(line: &str, from: usize, limit: usize) -> Range<usize> {
    let rest = line.get(from..limit).unwrap_or_default();
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))
        && let Some(length) = rest.get(1..).and_then(|inside| inside.find(quote))
    {
        return from + 1..from + 1 + length;
    }
    let end = if limit == line.len() { tail_start(line, from) } else { limit };
    let value = line.get(from..end).unwrap_or_default().trim_end_matches([' ', '\t', '\r', ',']);
    from..from + value.len()
}

/// Where "for <service>" and "as a secret" at the end of a line begin.
fn tail_start(line: &str, from: usize) -> usize {
    let words: Vec<Spot<'_>> = spots(line).into_iter().filter(|word| word.start > from).collect();
    let mut end = words.len();
    loop {
        let begun = [as_secret(&words, end), for_service(&words, end)].into_iter().flatten().next();
        match begun {
            Some(start) => end = start,
            None => return words.get(end).map_or(line.len(), |word| word.start),
        }
    }
}

fn as_secret(words: &[Spot<'_>], end: usize) -> Option<usize> {
    let last = |back: usize| end.checked_sub(back).and_then(|index| words.get(index));
    if !last(1)?.is(&["secret"]) {
        return None;
    }
    if last(2).is_some_and(|word| word.is(&["as"])) {
        return end.checked_sub(2);
    }
    (last(2).is_some_and(|word| word.is(&["a"])) && last(3).is_some_and(|word| word.is(&["as"])))
        .then(|| end - 3)
}

fn for_service(words: &[Spot<'_>], end: usize) -> Option<usize> {
    // "for the api service", "for all services": at most three words after the preposition.
    (2..=4).find_map(|back| {
        let start = end.checked_sub(back)?;
        let names = words.get(start + 1..end)?;
        let plain =
            |word: &Spot<'_>| word.bare().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let filler = |word: &&Spot<'_>| word.is(&["the", "all", "every", "service", "services"]);
        let named = names.iter().filter(|word| !filler(word)).count();
        let fits = words.get(start)?.is(&["for", "of", "on", "in"]) && names.iter().all(plain) && named <= 1;
        fits.then_some(start)
    })
}

/// "set NAME to value", "the password is value".
fn told(line: &str) -> Vec<Range<usize>> {
    let words = spots(line);
    let verbs: Vec<usize> =
        (0..words.len()).filter(|index| words.get(*index).is_some_and(|word| word.is(&SETTING))).collect();
    let before_any = told_between(line, &words, None, verbs.first().copied().unwrap_or(words.len()));
    let after_each = verbs.iter().filter_map(|verb| told_between(line, &words, Some(*verb), words.len()));
    before_any.into_iter().chain(after_each).collect()
}

/// The same in one clause: after a verb, or from the beginning of the line; "to" or "is" stands before `until`.
fn told_between(line: &str, words: &[Spot<'_>], verb: Option<usize>, until: usize) -> Option<Range<usize>> {
    let from = verb.map_or(0, |verb| verb + 1);
    // "add NAME to the api service" names no value.
    let adds = verb.and_then(|verb| words.get(verb)).is_some_and(|word| word.is(&["add"]));
    let gives = |word: &Spot<'_>| word.is(&["is", "="]) || word.text == ":" || (!adds && word.is(&["to"]));
    let sign = words.iter().take(until).skip(from).position(gives);
    let sign = from + sign?;
    let about = words.get(from..sign).unwrap_or_default();
    let variable =
        verb.is_some() && about.iter().any(|word| is_variable_name(word.bare()) || word.is(&ABOUT_VARIABLES));
    let field = about.iter().find(|word| !word.is(&["the", "a", "an"])).is_some_and(|word| word.is(&FIELDS));
    // "the secret is …": the word that begins the clause counts too.
    let named = words.get(verb.unwrap_or(0)..sign).unwrap_or_default();
    let secret = named.iter().any(|word| names_a_secret(word.bare()));
    if !(secret || (variable && !field)) {
        return None;
    }
    Some(value_range(line, words.get(sign + 1)?.start, line.len()))
}

fn is_variable_name(word: &str) -> bool {
    word.len() > 1
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && word.bytes().any(|b| b.is_ascii_uppercase())
        && !FIELDS.iter().any(|field| field.eq_ignore_ascii_case(word))
}

fn names_a_secret(word: &str) -> bool {
    const WORDS: [&str; 9] =
        ["password", "passwd", "passphrase", "secret", "token", "key", "credential", "credentials", "pin"];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || (is_variable_name(word) && looks_secret(word))
}

/// `scheme://user:password@host`.
fn url_credentials(line: &str) -> Vec<Range<usize>> {
    spots(line)
        .iter()
        .filter_map(|word| {
            let authority = word.text.find("://")? + 3;
            let rest = word.text.get(authority..)?;
            let host = rest.split(['/', '?', '#']).next()?;
            let at = host.rfind('@')?;
            Some(word.start + authority..word.start + authority + at)
        })
        .collect()
}

/// Words that begin like the keys of well-known services, and private keys.
fn known_shapes(line: &str) -> Vec<Range<usize>> {
    const PREFIXES: [&str; 16] = [
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "sk-",
        "sk_live_",
        "sk_test_",
        "rk_live_",
        "xoxb-",
        "xoxp-",
        "AKIA",
        "hyd_",
        "hyd1.",
    ];
    spots(line)
        .iter()
        .filter_map(|word| {
            let begins = word.text.find(|c: char| c.is_ascii_alphanumeric())?;
            let text = word.text.get(begins..)?;
            let known = PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.len() >= 16;
            known.then(|| word.start + begins..word.end())
        })
        .collect()
}

#[cfg(test)]
mod tests;
