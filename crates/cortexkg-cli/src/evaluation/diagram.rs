//! The reliability diagram: probabilities beside what came of them, as an SVG.

use std::fmt::Write as _;

use crate::report::grouped;
use crate::scoring::{Bin, Reliability};
use crate::tables::one_line;

/// Side of the plot, and the margins around it, in pixels.
const PLOT: f64 = 400.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 72.0;
const WIDTH: f64 = LEFT + PLOT + LEFT;
const HEIGHT: f64 = TOP + PLOT + 100.0;
/// Radius of a point that would hold every decision, and the least, so that a point can be seen.
const RADIUS_ALL: f64 = 26.0;
const RADIUS_MIN: f64 = 3.0;

/// Most characters of the source's name.
const SOURCE_CHARS_MAX: usize = 24;

/// Colours for light backgrounds, and for dark ones where the viewer knows what it has.
const STYLE: &str = "\
.paper{fill:#ffffff}.ink{fill:#24292f}.faint{fill:#57606a}.grid{stroke:#d8dee4}.frame{stroke:#8c959f;fill:none}\
.ideal{stroke:#57606a;stroke-dasharray:5 5}.all{fill:#0969da;fill-opacity:.75}.unsure{fill:none;stroke:#bc4c00;stroke-width:2}\
@media(prefers-color-scheme:dark){\
.paper{fill:#16181d}.ink{fill:#d8dce4}.faint{fill:#9aa3b2}.grid{stroke:#2d323b}.frame{stroke:#6b7280}\
.ideal{stroke:#9aa3b2}.all{fill:#82aaff}.unsure{stroke:#ffcb6b}}";

/// Draws two reliabilities into one square: that of all decisions and that of the unsure ones among them. Each bin is a point
/// whose area tells its mass. The same figures give the same bytes.
pub fn reliability_svg(source: &str, all: &Reliability, unsure: &Reliability) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-label=\"Reliability diagram\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n\
         <g font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n"
    );
    let middle = LEFT + PLOT / 2.0;
    let title = format!("Calibration: ECE {:.4}, unsure {:.4}", all.ece, unsure.ece);
    text(&mut svg, "ink", (middle, 30.0), "middle\" font-size=\"16\" font-weight=\"600", &title);
    let subtitle = format!(
        "{}: {} decisions with a candidate, {} unsure",
        one_line(source, SOURCE_CHARS_MAX),
        grouped(all.decisions),
        grouped(unsure.decisions)
    );
    text(&mut svg, "faint", (middle, 52.0), "middle", &subtitle);
    axes(&mut svg);
    for bin in &all.bins {
        point(&mut svg, "all", bin, all.decisions);
    }
    for bin in &unsure.bins {
        point(&mut svg, "unsure", bin, all.decisions);
    }
    let legend = TOP + PLOT + 78.0;
    for (class, x, label) in [
        ("all", LEFT + 6.0, "15 bins of all, area by mass"),
        ("unsure", LEFT + 222.0, "15 bins from 0.01 to 0.99"),
    ] {
        let _ = writeln!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"5\"/>", legend - 4.0);
        text(&mut svg, "ink", (x + 12.0, legend), "start", label);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Where a probability and a share stand.
fn place(probability: f64, share: f64) -> (f64, f64) {
    (LEFT + probability * PLOT, TOP + (1.0 - share) * PLOT)
}

fn axes(svg: &mut String) {
    for step in 0..=5u8 {
        let at = f64::from(step) / 5.0;
        let ((x, _), (_, y)) = (place(at, 0.0), place(0.0, at));
        let (right, bottom) = (LEFT + PLOT, TOP + PLOT);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP:.1}V{bottom:.1}M{LEFT:.1} {y:.1}H{right:.1}\"/>"
        );
        let label = format!("{at:.1}");
        text(svg, "faint", (x, bottom + 20.0), "middle", &label);
        text(svg, "faint", (LEFT - 10.0, y + 4.5), "end", &label);
    }
    let ((x0, y0), (x1, y1)) = (place(0.0, 0.0), place(1.0, 1.0));
    let _ = writeln!(svg, "<path class=\"ideal\" d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}\"/>");
    let _ = writeln!(
        svg,
        "<rect class=\"frame\" x=\"{LEFT:.1}\" y=\"{TOP:.1}\" width=\"{PLOT:.1}\" height=\"{PLOT:.1}\"/>"
    );
    let middle = (LEFT + PLOT / 2.0, TOP + PLOT / 2.0);
    text(
        svg,
        "ink",
        (middle.0, TOP + PLOT + 46.0),
        "middle",
        "probability that the leading candidate is the true node",
    );
    let turned = format!("middle\" transform=\"rotate(-90 18 {:.1})", middle.1);
    text(svg, "ink", (18.0, middle.1), &turned, "share of them where it is");
}

fn point(svg: &mut String, class: &str, bin: &Bin, decisions: u64) {
    let (x, y) = place(bin.probability, bin.share);
    let _ = writeln!(
        svg,
        "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\"><title>{} decisions: probability {:.4}, \
         share {:.4}</title></circle>",
        radius(bin.decisions, decisions),
        grouped(bin.decisions),
        bin.probability,
        bin.share
    );
}

/// The area, not the radius, tells the mass.
#[allow(clippy::cast_precision_loss)]
fn radius(part: u64, whole: u64) -> f64 {
    (RADIUS_ALL * (part as f64 / whole.max(1) as f64).sqrt()).max(RADIUS_MIN)
}

/// A line of text; `anchor` may bring more attributes.
fn text(svg: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, line: &str) {
    let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{line}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_has_a_point_and_names_are_escaped() {
        let bin = |probability, share| Bin { decisions: 5, probability, share };
        let all = Reliability { decisions: 10, ece: 0.05, bins: vec![bin(0.1, 0.0), bin(0.9, 1.0)] };
        let none = Reliability { decisions: 0, ece: 0.0, bins: Vec::new() };
        let svg = reliability_svg("a<b>\u{1b}&c", &all, &none);
        assert_eq!(svg.matches("<circle class=\"all\"").count(), 3, "two points and the legend");
        assert!(svg.contains("a&lt;b&gt; &amp;c: 10 decisions") && svg.contains("ECE 0.0500"), "{svg}");
        assert!(
            svg.contains("cx=\"104.0\" cy=\"472.0\"") && svg.contains("cx=\"424.0\" cy=\"72.0\""),
            "{svg}"
        );
        assert_eq!(svg, reliability_svg("a<b>\u{1b}&c", &all, &none));
    }
}
