//! What a benchmark found: on the terminal with the ratio first, and as JSON.

use serde_json::{Value, json};

use super::growth::Curve;
use super::samples::Samples;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

/// One comparison.
#[derive(Debug)]
pub(super) struct Finding {
    /// What was compared.
    pub title: &'static str,
    /// Ours to theirs, the one that matters first.
    pub ratios: Vec<Ratio>,
    /// What was measured.
    pub measured: Vec<Measured>,
    /// What must hold.
    pub bars: Vec<Bar>,
    /// What was measured at several sizes.
    pub curves: Vec<Curve>,
}

/// Ours divided by something.
#[derive(Debug)]
pub(super) struct Ratio {
    /// What it is divided by.
    pub of: String,
    /// The quotient.
    pub value: f64,
    /// First and third quartile of the quotients of single rounds.
    pub quartiles: Option<(f64, f64)>,
}

/// One side's figures.
#[derive(Debug)]
pub(super) struct Measured {
    /// Whose.
    pub who: &'static str,
    /// In what.
    pub unit: &'static str,
    /// The figures.
    pub samples: Samples,
}

/// What must hold.
#[derive(Debug)]
pub(super) struct Bar {
    /// Of what.
    pub what: &'static str,
    /// What it is.
    pub is: f64,
    /// What it may be.
    pub most: f64,
}

impl Ratio {
    /// The quotient of two medians, with the spread of the quotients round by round.
    pub(super) fn of(of: &str, ours: &Samples, theirs: &Samples) -> Self {
        let rounds = ours.by_round(theirs);
        Self {
            of: of.to_owned(),
            value: ours.median() / theirs.median(),
            quartiles: Some((rounds.quantile(0.25), rounds.quantile(0.75))),
        }
    }

    /// The quotient of two numbers.
    pub(super) fn plain(of: &str, ours: f64, theirs: f64) -> Self {
        Self { of: of.to_owned(), value: ours / theirs, quartiles: None }
    }
}

impl Bar {
    fn holds(&self) -> bool {
        self.is <= self.most
    }
}

impl Report {
    /// Prints a finding and keeps it.
    pub(super) fn add(&mut self, finding: Finding) {
        finding.print();
        self.0.push(finding);
    }

    /// Whether every bar was met.
    pub(super) fn holds(&self) -> bool {
        self.0.iter().flat_map(|finding| &finding.bars).all(Bar::holds)
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let findings: Vec<Value> = self.0.iter().map(Finding::json).collect();
        format!("{:#}\n", json!({ "holds": self.holds(), "findings": findings }))
    }
}

impl Finding {
    fn print(&self) {
        say(&format!("\n{}", self.title));
        for ratio in &self.ratios {
            let spread = ratio
                .quartiles
                .map_or(String::new(), |(low, high)| format!("  (half of the rounds: {low:.2} – {high:.2})"));
            say(&format!("  {:>6.2} × {}{spread}", ratio.value, ratio.of));
        }
        for Measured { who, unit, samples } in &self.measured {
            let one = samples.count() == 1;
            let spread = if one {
                String::new()
            } else {
                let (low, high) = (samples.quantile(0.05), samples.quantile(0.95));
                format!("   5 % {low:.2} · 95 % {high:.2} · n {}", samples.count())
            };
            say(&format!("  {who:<44} {:>9.2} {unit}{spread}", samples.median()));
        }
        for bar in &self.bars {
            let verdict = if bar.holds() { "met" } else { "MISSED" };
            say(&format!("  bar {verdict}: {} {:.2}, at most {}", bar.what, bar.is, bar.most));
        }
    }

    fn json(&self) -> Value {
        let ratios = self
            .ratios
            .iter()
            .map(|ratio| json!({ "of": ratio.of, "value": ratio.value, "quartiles": ratio.quartiles }));
        let measured = self.measured.iter().map(|Measured { who, unit, samples }| {
            json!({
                "who": who, "unit": unit, "n": samples.count(), "median": samples.median(),
                "p5": samples.quantile(0.05), "p25": samples.quantile(0.25),
                "p75": samples.quantile(0.75), "p95": samples.quantile(0.95), "p99": samples.quantile(0.99),
            })
        });
        let bars = self
            .bars
            .iter()
            .map(|bar| json!({ "what": bar.what, "is": bar.is, "most": bar.most, "met": bar.holds() }));
        json!({
            "title": self.title,
            "ratios": ratios.collect::<Vec<_>>(),
            "measured": measured.collect::<Vec<_>>(),
            "bars": bars.collect::<Vec<_>>(),
            "curves": self.curves.iter().map(Curve::json).collect::<Vec<_>>(),
        })
    }
}

/// One line on the terminal.
#[expect(clippy::print_stdout, reason = "a benchmark's output is for the person who runs it")]
pub fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(is: f64) -> Finding {
        let bars = vec![Bar { what: "PSS", is, most: 16.0 }];
        Finding { title: "t", ratios: vec![], measured: vec![], bars, curves: vec![] }
    }

    #[test]
    fn one_bar_that_is_missed_fails_the_whole_report() {
        let mut report = Report::default();
        report.add(finding(16.0));
        assert!(report.holds());
        report.add(finding(16.1));
        report.add(finding(1.0));
        assert!(!report.holds());
    }
}
