//! Regular expressions as constants.
//!
//! One rule: a pattern is a literal of this crate, so that compiling it cannot fail at run time; linear-time matching only.

/// Compiles a literal pattern. A test of the owning module runs each of them.
#[expect(clippy::expect_used, reason = "patterns are literals of this crate and every one runs in a test")]
pub(crate) fn compile(source: &'static str) -> regex::Regex {
    regex::Regex::new(source).expect("a literal pattern compiles")
}

/// Declares lazily compiled patterns: `patterns! { NAME = r"…"; }`.
macro_rules! patterns {
    ($($name:ident = $source:expr;)+) => {
        $(static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| $crate::pattern::compile($source));)+
    };
}
pub(crate) use patterns;
