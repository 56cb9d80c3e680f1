//! Characters with which a name reads as another one than it is.
//!
//! Rule: no name that a person chose holds one; the API's description says the same by a pattern. Neighbours: `project`, and
//! the coordinator's `services::input`.

/// Control characters, and those that reorder what a reader sees.
pub fn is_disguise(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
