//! What the demo prints: phases with their time, then where to look.

use std::time::Instant;

use crate::stack::pipeline::Progress;

/// The terminal.
#[derive(Debug)]
pub struct Screen {
    started: Instant,
    phase: Option<(String, Instant)>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { started: Instant::now(), phase: None }
    }
}

impl Screen {
    /// Ends the open phase and says what it took.
    pub fn end_phase(&mut self) {
        if let Some((name, began)) = self.phase.take() {
            say(&format!("  \u{2713} {name}  {:.1} s", began.elapsed().as_secs_f64()));
        }
    }

    /// The last words.
    pub fn done(&mut self, lines: &[(&str, String)]) {
        self.end_phase();
        say(&format!("\nLive after {:.0} s.\n", self.started.elapsed().as_secs_f64()));
        for (label, text) in lines {
            say(&format!("  {label:<12} {text}"));
        }
        say("");
    }
}

impl Progress for Screen {
    fn phase(&mut self, name: &str) {
        self.end_phase();
        say(&format!("\u{2192} {name}"));
        self.phase = Some((name.to_owned(), Instant::now()));
    }

    fn line(&mut self, text: &str) {
        say(&format!("    {text}"));
    }
}

/// One line on the terminal.
#[expect(clippy::print_stdout, reason = "the demo's output is for the person who runs it")]
pub fn say(line: &str) {
    println!("{line}");
}
