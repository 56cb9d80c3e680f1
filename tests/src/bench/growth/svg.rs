//! Curves as a picture: one panel a figure side by side, axes with units, a caption below.
//!
//! Rule: readable on light and dark ground (it asks the reader's scheme), and the same figures give the same bytes.

use std::fmt::{self, Display, Formatter, Write as _};

use super::Curve;

/// Of a panel, pixels.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 200.0;
/// Around a panel: for the numbers at its left, its name above, the sizes below.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 18.0;
const ABOVE: f64 = 66.0;
const BELOW: f64 = 44.0;
const LINE: f64 = 17.0;
/// Letters of a caption's line, for each panel.
const LETTERS: usize = 58;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.t{font-size:15px;font-weight:600}\
.n{font-weight:600}.d{fill:#59636e;font-size:11px}.g{stroke:#d1d9e0;stroke-width:1}.a{stroke:#59636e;stroke-width:1}\
.c{fill:none;stroke:#0969da;stroke-width:2}.p{fill:#0969da}.b{fill:#ffffff}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.d{fill:#9198a1}.g{stroke:#3d444d}.a{stroke:#9198a1}\
.c{stroke:#4493f8}.p{fill:#4493f8}.b{fill:#0d1117}}";

/// What is drawn.
pub(super) struct Drawing<'a> {
    /// Above all.
    pub title: &'a str,
    /// What grows, below every panel.
    pub of: &'a str,
    /// Sizes are drawn by their logarithm.
    pub logarithmic: bool,
    /// One panel each.
    pub curves: &'a [Curve],
    /// Below all.
    pub caption: &'a str,
}

impl Display for Drawing<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let panel = LEFT + WIDTH + RIGHT;
        let width = panel * self.curves.len() as f64;
        let caption = lines(self.caption, LETTERS * self.curves.len());
        let height = ABOVE + HEIGHT + BELOW + LINE * (caption.len() as f64 + 0.5);
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">",
            text(self.title)
        )?;
        writeln!(out, "<style>{STYLE}</style>\n<rect class=\"b\" width=\"100%\" height=\"100%\"/>")?;
        writeln!(out, "<text class=\"t\" x=\"14\" y=\"24\">{}</text>", text(self.title))?;
        for (index, curve) in self.curves.iter().enumerate() {
            self.panel(out, curve, panel * index as f64 + LEFT)?;
        }
        for (index, line) in caption.iter().enumerate() {
            let y = ABOVE + HEIGHT + BELOW + LINE * (index as f64 + 0.5);
            writeln!(out, "<text class=\"d\" x=\"14\" y=\"{y:.0}\">{}</text>", text(line))?;
        }
        writeln!(out, "</svg>")
    }
}

impl Drawing<'_> {
    fn panel(&self, out: &mut Formatter<'_>, curve: &Curve, left: f64) -> fmt::Result {
        let most = curve.points.iter().map(|point| point.1).fold(0.0, f64::max);
        let step = step(most);
        let top = (most / step).ceil().max(1.0) * step;
        let bottom = ABOVE + HEIGHT;
        let y = |figure: f64| bottom - figure / top * HEIGHT;
        let x = |size: f64| left + self.share(curve, size) * WIDTH;
        writeln!(
            out,
            "<text class=\"n\" x=\"{left:.0}\" y=\"{:.0}\">{}, {}</text>",
            ABOVE - 14.0,
            text(curve.name),
            text(curve.unit)
        )?;
        let mut figure = 0.0;
        while figure <= top + step / 2.0 {
            let at = y(figure);
            writeln!(
                out,
                "<line class=\"g\" x1=\"{left:.0}\" y1=\"{at:.1}\" x2=\"{:.0}\" y2=\"{at:.1}\"/>",
                left + WIDTH
            )?;
            writeln!(
                out,
                "<text class=\"d\" text-anchor=\"end\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
                left - 6.0,
                at + 4.0,
                number(figure)
            )?;
            figure += step;
        }
        writeln!(
            out,
            "<line class=\"a\" x1=\"{left:.0}\" y1=\"{bottom:.0}\" x2=\"{:.0}\" y2=\"{bottom:.0}\"/>",
            left + WIDTH
        )?;
        let mut path = String::new();
        let mut free_from = f64::MIN;
        for (index, (size, figure)) in curve.points.iter().enumerate() {
            let (at, up) = (x(*size), y(*figure));
            write!(path, "{}{at:.1} {up:.1}", if index == 0 { "M" } else { "L" })?;
            writeln!(
                out,
                "<circle class=\"p\" cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"3\"><title>{}: {}</title></circle>",
                number(*size),
                number(*figure)
            )?;
            // Small sizes lie close together: a number is only written where there is room for it.
            if at >= free_from {
                writeln!(
                    out,
                    "<text class=\"d\" text-anchor=\"middle\" x=\"{at:.1}\" y=\"{:.0}\">{}</text>",
                    bottom + 16.0,
                    number(*size)
                )?;
                free_from = at + 40.0;
            }
        }
        writeln!(out, "<path class=\"c\" d=\"{path}\"/>")?;
        let middle = left + WIDTH / 2.0;
        writeln!(
            out,
            "<text class=\"d\" text-anchor=\"middle\" x=\"{middle:.0}\" y=\"{:.0}\">{}</text>",
            bottom + 32.0,
            text(self.of)
        )
    }

    fn share(&self, curve: &Curve, size: f64) -> f64 {
        let scale = |size: f64| if self.logarithmic { size.max(1.0).log10() } else { size };
        let from =
            if self.logarithmic { curve.points.first().map_or(0.0, |point| scale(point.0)) } else { 0.0 };
        let to = curve.points.last().map_or(1.0, |point| scale(point.0));
        if to > from { (scale(size) - from) / (to - from) } else { 0.5 }
    }
}

/// A round distance between lines, so that there are about four.
fn step(most: f64) -> f64 {
    let rough = (most / 4.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|times| times * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(power)
}

fn number(value: f64) -> String {
    let short = |value: f64, sign: &str| {
        let digits = usize::from((value - value.round()).abs() > 1e-9);
        format!("{value:.digits$}{sign}")
    };
    match value {
        v if v >= 1e6 => short(v / 1e6, " M"),
        v if v >= 10_000.0 => short(v / 1e3, " k"),
        v if v >= 10.0 || v == 0.0 => short(v, ""),
        v => format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

fn text(raw: &str) -> String {
    raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn lines(caption: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in caption.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_every_point_the_units_and_the_sentence_and_escapes_what_would_break_it() {
        let curve =
            Curve { name: "memory", unit: "MiB", points: vec![(1.0, 20.0), (1000.0, 60.0), (2000.0, 100.0)] };
        let drawing = Drawing {
            title: "Agents & coordinator",
            of: "agents",
            logarithmic: false,
            curves: &[curve],
            caption: "An agent adds < 40 KiB.",
        };
        let drawn = drawing.to_string();
        assert_eq!(drawn.matches("<circle").count(), 3);
        assert!(drawn.contains("memory, MiB") && drawn.contains(">agents<"), "{drawn}");
        assert!(drawn.contains("Agents &amp; coordinator") && drawn.contains("&lt; 40 KiB."), "{drawn}");
        // The largest figure lies on the uppermost line, half of it in the middle.
        assert!(drawn.contains("M56.1 226.0L206.0 146.0L356.0 66.0"), "{drawn}");
    }

    #[test]
    fn lines_of_a_panel_are_round_numbers() {
        for (most, wanted) in [(100.0, 25.0), (7.9, 2.0), (0.9, 0.25), (1234.0, 500.0)] {
            assert!((step(most) - wanted).abs() < 1e-9, "{most}: {}", step(most));
        }
    }
}
