//! What growth costs: the same figure at five sizes, drawn as a curve, with the sentence that explains its slope.
//!
//! Rule: every size is measured in one run of the same processes, small to large; a curve begins at zero, so that a slope
//! looks like what it is. Neighbours: `growth/{agents,events,sites}` measure, `growth/svg` draws.

mod agents;
mod events;
mod sites;
mod svg;

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use self::svg::Drawing;
use super::Options;
use super::report::{Bar, Finding, Measured};
use super::samples::Samples;

/// One figure over a size.
#[derive(Debug)]
pub(super) struct Curve {
    /// What it is.
    name: &'static str,
    /// In what.
    unit: &'static str,
    /// Size and figure, small to large.
    points: Vec<(f64, f64)>,
}

/// What one kind of growth costs.
struct Growth {
    /// Also the name of the file.
    name: &'static str,
    title: &'static str,
    /// What grows.
    of: &'static str,
    /// Sizes are drawn by their logarithm.
    logarithmic: bool,
    curves: Vec<Curve>,
    /// The sentence about the slope.
    because: String,
    bars: Vec<Bar>,
}

impl Curve {
    fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, points: Vec::new() }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({ "name": self.name, "unit": self.unit, "points": self.points })
    }

    fn push(&mut self, size: usize, figure: f64) {
        self.points.push((size as f64, figure));
    }

    /// The figure at the largest size.
    fn last(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.1)
    }

    /// The figure at the smallest size.
    fn first(&self) -> f64 {
        self.points.first().map_or(0.0, |point| point.1)
    }

    /// By how much it grows for one more, from the smallest size to the largest.
    fn slope(&self) -> f64 {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) if last.0 > first.0 => (last.1 - first.1) / (last.0 - first.0),
            _one_point => 0.0,
        }
    }
}

/// Measures all three and draws them into `options.curves`.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    std::fs::create_dir_all(&options.curves)?;
    let place = &options.curves;
    let sites = drawn(Box::pin(sites::measure(options)).await.context("the growth of sites")?, place)?;
    let events = drawn(Box::pin(events::measure(options)).await.context("the growth of events")?, place)?;
    let agents = drawn(Box::pin(agents::measure(options)).await.context("the growth of agents")?, place)?;
    Ok(vec![agents, events, sites])
}

fn drawn(growth: Growth, place: &Path) -> anyhow::Result<Finding> {
    let drawing = Drawing {
        title: growth.title,
        of: growth.of,
        logarithmic: growth.logarithmic,
        curves: &growth.curves,
        caption: &growth.because,
    };
    let file = place.join(format!("{}.svg", growth.name));
    std::fs::write(&file, drawing.to_string()).with_context(|| format!("write {}", file.display()))?;
    Ok(growth.finding())
}

impl Growth {
    fn finding(self) -> Finding {
        let of = self.of;
        let said = move |curve: &Curve| {
            let points = curve.points.iter().map(|(size, figure)| format!("{size}: {figure:.2}"));
            super::report::say(&format!(
                "  {} ({}) by {of}: {}",
                curve.name,
                curve.unit,
                points.collect::<Vec<_>>().join(" · ")
            ));
        };
        super::report::say("");
        self.curves.iter().for_each(said);
        super::report::say(&format!("  {}", self.because));
        let measured = self.curves.iter().map(|curve| Measured {
            who: curve.name,
            unit: curve.unit,
            samples: curve.points.iter().map(|point| point.1).collect::<Samples>(),
        });
        let (measured, curves) = (measured.collect(), self.curves);
        Finding { title: self.title, ratios: vec![], measured, bars: self.bars, curves }
    }
}
