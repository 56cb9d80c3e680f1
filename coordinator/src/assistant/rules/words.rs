//! A sentence as words that are taken one by one.
//!
//! Rule: what matches is compared in lower case without punctuation; what is passed on is what was written.

/// A sentence being read.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    text: &'a str,
    all: Vec<Word<'a>>,
    next: usize,
}

#[derive(Debug, Clone)]
struct Word<'a> {
    raw_start: usize,
    raw_end: usize,
    bare: &'a str,
    low: String,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut all = Vec::new();
        for raw in text.split_whitespace() {
            let bare =
                raw.trim_start_matches(['"', '\'', '`', '(', '\u{201c}', '\u{2018}', '<']).trim_end_matches(
                    ['"', '\'', '`', ')', ',', '.', '!', ':', ';', '\u{201d}', '\u{2019}', '>'],
                );
            if !bare.is_empty() {
                let raw_start = raw.as_ptr() as usize - text.as_ptr() as usize;
                let raw_end = raw_start + raw.len();
                all.push(Word { raw_start, raw_end, bare, low: bare.to_lowercase() });
            }
        }
        Self { text, all, next: 0 }
    }

    /// Whether everything has been read.
    pub(super) fn is_over(&self) -> bool {
        self.next >= self.all.len()
    }

    /// How many words are left.
    pub(super) fn left(&self) -> usize {
        self.all.len().saturating_sub(self.next)
    }

    /// The next word as written, without its punctuation; not taken.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.all.get(self.next).map(|word| word.bare)
    }

    /// Takes the next word as written.
    pub(super) fn take(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.next += 1;
        Some(word)
    }

    /// Takes the next word if it is one of these.
    pub(super) fn eat(&mut self, any: &[&str]) -> bool {
        let hit = self.all.get(self.next).is_some_and(|word| any.contains(&word.low.as_str()));
        if hit {
            self.next += 1;
        }
        hit
    }

    /// Takes the longest of these phrases that comes next.
    pub(super) fn eat_phrase(&mut self, phrases: &[&str]) -> bool {
        let longest =
            phrases.iter().filter(|phrase| self.comes(phrase)).max_by_key(|phrase| phrase.split(' ').count());
        if let Some(phrase) = longest {
            self.next += phrase.split(' ').count();
        }
        longest.is_some()
    }

    /// Takes any number of these.
    pub(super) fn skip(&mut self, any: &[&str]) {
        while self.eat(any) {}
    }

    /// Takes these words off the end.
    pub(super) fn drop_last(&mut self, any: &[&str]) -> bool {
        let hit = self.left() > 0 && self.all.last().is_some_and(|word| any.contains(&word.low.as_str()));
        if hit {
            self.all.pop();
        }
        hit
    }

    /// Takes a phrase off the end.
    pub(super) fn drop_last_phrase(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let Some(from) = self.all.len().checked_sub(count).filter(|from| *from >= self.next) else {
            return false;
        };
        let hit = self.all.iter().skip(from).map(|word| word.low.as_str()).eq(phrase.split(' '));
        if hit {
            self.all.truncate(from);
        }
        hit
    }

    /// Whether the last word but one is one of these; then the last word is taken off the end with it.
    pub(super) fn take_last_after(&mut self, any: &[&str]) -> Option<&'a str> {
        let before = self.all.len().checked_sub(2).filter(|before| *before >= self.next)?;
        let hit = self.all.get(before).is_some_and(|word| any.contains(&word.low.as_str()));
        let last = self.all.last().filter(|_| hit)?.bare;
        self.all.truncate(before);
        Some(last)
    }

    /// Takes everything that is left, as written.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let (first, last) = (self.all.get(self.next), self.all.last());
        let rest = match (first, last) {
            (Some(first), Some(last)) => self.text.get(first.raw_start..last.raw_end).unwrap_or_default(),
            (None, _) | (_, None) => "",
        };
        self.next = self.all.len();
        unwrapped(rest)
    }

    fn comes(&self, phrase: &str) -> bool {
        let mut words = self.all.iter().skip(self.next);
        phrase.split(' ').all(|part| words.next().is_some_and(|word| word.low == part))
    }
}

/// Without the quotes around the whole of it, or the full stop after it.
fn unwrapped(text: &str) -> &str {
    for quote in ['`', '"', '\''] {
        let inside = text.strip_prefix(quote).and_then(|rest| rest.trim_end_matches('.').strip_suffix(quote));
        if let Some(inside) = inside.filter(|inside| !inside.contains(quote)) {
            return inside;
        }
    }
    text.trim_end_matches(['.', '!'])
}
