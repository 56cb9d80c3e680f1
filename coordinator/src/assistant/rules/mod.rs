//! The brain that needs no key: fixed sentences, the same answer every time.
//!
//! Rule: it does what the sentence says or says what is possible; it never guesses. Files: `words` (reading), `intent`
//! (what can be wanted), `verbs` and `settings` (the grammar), `names` (which service is meant), `answer` (doing it).

mod intent;
mod settings;
mod verbs;
mod words;

pub use intent::{Field, Intent, Operation, Which, read};

#[cfg(test)]
mod tests;
