//! Counters and the table at the end.
//!
//! One rule: each bar stands beside its measure, so that nobody has to remember it.

use std::io::Write;

/// Right, found and wanted.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) hit: usize,
    pub(crate) of: usize,
}

impl Pair {
    /// Counts one.
    pub(crate) fn count(&mut self, hit: bool) {
        self.hit += usize::from(hit);
        self.of += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn ratio(self) -> f64 {
        if self.of == 0 { 1.0 } else { self.hit as f64 / self.of as f64 }
    }
}

/// All measures.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) service_recall: Pair,
    pub(crate) service_precision: Pair,
    pub(crate) hard_negatives: usize,
    pub(crate) kind: Pair,
    pub(crate) language: Pair,
    pub(crate) framework: Pair,
    pub(crate) manager: Pair,
    pub(crate) port: Pair,
    pub(crate) start: Pair,
    pub(crate) health: Pair,
    pub(crate) dependency_recall: Pair,
    pub(crate) dependency_precision: Pair,
    pub(crate) env_recall: Pair,
    pub(crate) env_precision: Pair,
    pub(crate) secret_recall: Pair,
    pub(crate) depends_on: Pair,
}

impl Totals {
    /// Prints the table.
    pub(crate) fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (recall, precision) = (self.service_recall.ratio(), self.service_precision.ratio());
        let f1 = if recall + precision > 0.0 { 2.0 * recall * precision / (recall + precision) } else { 0.0 };
        writeln!(out, "\n{:<24} {:>7} {:>11} {:>6}", "measure", "value", "count", "bar")?;
        writeln!(out, "{:<24} {f1:>7.3} {:>11} {:>6}", "services F1", "", "0.95")?;
        let rows = [
            ("services recall", self.service_recall, ""),
            ("services precision", self.service_precision, ""),
            ("framework", self.framework, "0.97"),
            ("package manager", self.manager, "0.97"),
            ("port", self.port, "0.93"),
            ("start", self.start, "0.90"),
            ("dependencies recall", self.dependency_recall, "0.97"),
            ("dependencies precision", self.dependency_precision, "0.95"),
            ("env recall", self.env_recall, "0.93"),
            ("secret recall", self.secret_recall, "0.95"),
            ("env precision", self.env_precision, ""),
            ("kind", self.kind, ""),
            ("language", self.language, ""),
            ("health", self.health, ""),
            ("depends_on recall", self.depends_on, ""),
        ];
        for (name, pair, bar) in rows {
            writeln!(
                out,
                "{name:<24} {:>7.3} {:>11} {bar:>6}",
                pair.ratio(),
                format!("{}/{}", pair.hit, pair.of)
            )?;
        }
        writeln!(out, "{:<24} {:>7} {:>11} {:>6}", "hard negatives", self.hard_negatives, "", "0")
    }
}
