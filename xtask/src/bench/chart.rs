//! Lines over two logarithmic axes, as an SVG. The same figures give the same bytes.

use std::fmt::Write as _;

/// Size of the plot, and the margins around it, in pixels.
const PLOT: (f64, f64) = (560.0, 360.0);
const LEFT: f64 = 76.0;
const TOP: f64 = 56.0;
const RIGHT: f64 = 28.0;
const BOTTOM: f64 = 58.0;
/// Height of a line of the legend.
const LEGEND: f64 = 20.0;

/// Colours for light backgrounds, and for dark ones where the viewer knows what it has.
const STYLE: &str = "\
.paper{fill:#ffffff}.ink{fill:#24292f}.faint{fill:#57606a}.grid{stroke:#d8dee4}.frame{stroke:#8c959f;fill:none}\
.l{fill:none;stroke-width:2.5}.c0{stroke:#0969da;color:#0969da}.c1{stroke:#bc4c00;color:#bc4c00}\
.c2{stroke:#1a7f37;color:#1a7f37}.c3{stroke:#8250df;color:#8250df}.p{fill:currentColor;stroke:none}\
@media(prefers-color-scheme:dark){\
.paper{fill:#16181d}.ink{fill:#d8dce4}.faint{fill:#9aa3b2}.grid{stroke:#2d323b}.frame{stroke:#6b7280}\
.c0{stroke:#82aaff;color:#82aaff}.c1{stroke:#ffcb6b;color:#ffcb6b}.c2{stroke:#a5d96f;color:#a5d96f}\
.c3{stroke:#c792ea;color:#c792ea}}";
const COLOURS: usize = 4;

/// One of the lines.
pub(crate) struct Line {
    pub(crate) name: String,
    /// Positive numbers, from left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// What is drawn.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    pub(crate) lines: Vec<Line>,
}

/// A range of powers of ten.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// The powers of ten around all of these.
    fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let (from, to) = (logs.clone().fold(f64::MAX, f64::min), logs.fold(f64::MIN, f64::max));
        // A point between two powers by rounding alone stands on the one.
        let (from, to) = ((from + 1e-3).floor(), (to - 1e-3).ceil());
        if from < to { Self { from, to } } else { Self { from: 0.0, to: 1.0 } }
    }

    /// From 0 to 1.
    fn share(self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    /// 1, 2 and 5 times each power of ten, and whether it is the power itself.
    fn ticks(self) -> impl Iterator<Item = f64> {
        let powers = self.from as i32..=self.to as i32;
        let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|times| times * 10_f64.powi(power)));
        ticks.filter(move |tick| (-1e-9..=1.0 + 1e-9).contains(&self.share(*tick)))
    }
}

impl Chart<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let axes = (Axis::around(points().map(|point| point.0)), Axis::around(points().map(|point| point.1)));
        let width = LEFT + PLOT.0 + RIGHT;
        let height = TOP + PLOT.1 + BOTTOM + LEGEND * self.lines.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n\
             <g font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n",
            escaped(self.title)
        );
        text(
            &mut svg,
            "ink",
            (LEFT + PLOT.0 / 2.0, 30.0),
            "middle\" font-size=\"16\" font-weight=\"600",
            self.title,
        );
        self.frame(&mut svg, axes);
        for (number, line) in self.lines.iter().enumerate() {
            draw(&mut svg, number, line, axes);
        }
        svg.push_str("</g>\n</svg>\n");
        svg
    }

    fn frame(&self, svg: &mut String, (x, y): (Axis, Axis)) {
        let (right, bottom) = (LEFT + PLOT.0, TOP + PLOT.1);
        for tick in x.ticks() {
            let at = LEFT + x.share(tick) * PLOT.0;
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{at:.1} {TOP:.1}V{bottom:.1}\"/>");
            if is_power(tick) {
                text(svg, "faint", (at, bottom + 20.0), "middle", &short(tick));
            }
        }
        for tick in y.ticks() {
            let at = bottom - y.share(tick) * PLOT.1;
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT:.1} {at:.1}H{right:.1}\"/>");
            text(svg, "faint", (LEFT - 8.0, at + 4.0), "end", &short(tick));
        }
        let _ = writeln!(
            svg,
            "<rect class=\"frame\" x=\"{LEFT:.1}\" y=\"{TOP:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            PLOT.0, PLOT.1
        );
        text(svg, "ink", (LEFT + PLOT.0 / 2.0, bottom + 42.0), "middle", self.x);
        let turned = format!("middle\" transform=\"rotate(-90 20 {0:.1})", TOP + PLOT.1 / 2.0);
        text(svg, "ink", (20.0, TOP + PLOT.1 / 2.0), &turned, self.y);
    }
}

fn draw(svg: &mut String, number: usize, line: &Line, (x, y): (Axis, Axis)) {
    let colour = number % COLOURS;
    let place =
        |&(at, value): &(f64, f64)| (LEFT + x.share(at) * PLOT.0, TOP + (1.0 - y.share(value)) * PLOT.1);
    let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = writeln!(svg, "<path class=\"l c{colour}\" d=\"M{}\"/>", path.join("L"));
    for (x, y) in places {
        let _ = writeln!(svg, "<circle class=\"p c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
    }
    let legend = TOP + PLOT.1 + BOTTOM + LEGEND * number as f64;
    let _ = writeln!(svg, "<path class=\"l c{colour}\" d=\"M{LEFT:.1} {:.1}h24\"/>", legend - 4.0);
    text(svg, "ink", (LEFT + 32.0, legend), "start", &line.name);
}

fn is_power(tick: f64) -> bool {
    let log = tick.log10();
    (log - log.round()).abs() < 1e-9
}

/// 10000 → 10 k.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e3 => format!("{} k", value / 1e3),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    }
}

fn text(svg: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_their_powers_are() {
        let line = Line { name: "a < b".to_owned(), points: vec![(10_000.0, 100.0), (1_000_000.0, 1_000.0)] };
        let svg = Chart { title: "t", x: "nodes", y: "µs", lines: vec![line] }.svg();
        let (right, bottom) = (LEFT + PLOT.0, TOP + PLOT.1);
        assert!(svg.contains(&format!("d=\"M{LEFT:.1} {bottom:.1}L{right:.1} {TOP:.1}\"")), "{svg}");
        for part in ["10 k", "1 M", "a &lt; b", ">200<", ">100<", ">1 k<"] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        let empty = Chart { title: "t", x: "x", y: "y", lines: Vec::new() }.svg();
        assert!(empty.ends_with("</svg>\n") && !empty.contains("NaN") && !empty.contains("inf"));
    }
}
