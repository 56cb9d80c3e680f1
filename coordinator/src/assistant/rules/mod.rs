//! The brain that needs no key: fixed sentences, the same answer every time.
//!
//! Rule: it does what the sentence says or says what is possible; it never guesses. Files: `words` (reading), `intent`
//! (what can be wanted), `verbs` and `settings` (the grammar), `names` (which service is meant), `answer` (doing it),
//! `shown` (what a yes is for).

mod answer;
mod intent;
mod names;
mod settings;
mod shown;
mod verbs;
mod words;

use futures_util::future::{BoxFuture, FutureExt as _};

use self::answer::{Answer, Next};
use super::brain::{Brain, Reply, Tools, Turn};
use super::hidden::UNCLEAR;
pub use intent::{Field, Intent, Operation, Which, read};

/// Understands fixed sentences.
#[derive(Debug, Clone, Copy)]
pub struct RulesBrain;

impl Brain for RulesBrain {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn speaks_for_the_person(&self) -> bool {
        true
    }

    fn answer<'a>(&'a self, turn: &'a Turn, tools: &'a dyn Tools, reply: &'a mut Reply) -> BoxFuture<'a, ()> {
        async move {
            let mut answer = Answer { turn, tools, reply };
            if turn.text.contains(UNCLEAR) {
                answer.needs_quotes();
                return;
            }
            let Some(intents) = read(&turn.text) else {
                answer.not_understood();
                return;
            };
            for intent in intents {
                if answer.follow(intent).await == Next::Wait {
                    return;
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod tests;
