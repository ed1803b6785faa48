//! Waterfalls of evidence as a picture: SVG, or HTML around the same SVG.
//!
//! Every step is a bar from the evidence before it to the evidence behind it, on one axis of bits for all panels. Steps towards
//! the node are plain and point right, steps away from it are hatched and point left, so that neither needs its colour. The same
//! explanation gives the same bytes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cortexkg::{CandidateExplanation, WaterfallStep};

use crate::explained::{Scale, compared, said_before};
use crate::failure::Failure;
use crate::outputs::OutputFile;
use crate::tables::one_line;

/// Width of the picture, of the margin around it, and of the columns beside the bars, in pixels.
const WIDTH: f32 = 1080.0;
const MARGIN: f32 = 28.0;
const WORDS_WIDTH: f32 = 400.0;
const NUMBERS_WIDTH: f32 = 148.0;
/// Heights of a step, of its bar, of a panel's heading and of its axis.
const STEP: f32 = 40.0;
const BAR: f32 = 20.0;
const PANEL_HEADING: f32 = 74.0;
const AXIS: f32 = 34.0;
const HEADING: f32 = 92.0;
/// Most width, in halves of a character, of a name, of a line under it, and of a heading.
const NAME_CELLS_MAX: usize = 30;
const LINE_CELLS_MAX: usize = 58;
/// Most characters of one of two values that are compared.
const VALUE_CHARS_MAX: usize = 26;
const HEADING_CELLS_MAX: usize = 92;
/// Lines on the axis, at most.
const TICKS_MAX: f32 = 8.0;

/// Where the bars begin and end.
const LEFT: f32 = MARGIN + WORDS_WIDTH;
const RIGHT: f32 = WIDTH - MARGIN - NUMBERS_WIDTH;

const STYLE: &str = "
.page{fill:#fff}.ink{fill:#1c2430}.soft{fill:#5b6675}.name{font-weight:600}.title{font-size:20px;font-weight:700}
.panel{font-size:15px;font-weight:600}.number{text-anchor:end;font-variant-numeric:tabular-nums}
.grid{stroke:#e3e7ec}.zero{stroke:#1c2430;stroke-dasharray:3 3}.link{stroke:#8a94a3}.rule{stroke:#c9d0d9}
.for{fill:#1f6fb2;stroke:#1f6fb2}.against{fill:url(#hatch);stroke:#b5430f}.hatch{stroke:#b5430f}.hatched{fill:#fbe9df}
.sum{fill:#3c4656;stroke:#3c4656}.plus{fill:#175a92}.minus{fill:#a33a0b}
@media (prefers-color-scheme:dark){
.page{fill:#14181f}.ink{fill:#e6eaf0}.soft{fill:#9ba7b6}
.grid{stroke:#272e39}.zero{stroke:#e6eaf0}.link{stroke:#6d7887}.rule{stroke:#3a4351}
.for{fill:#4ea3e8;stroke:#4ea3e8}.against{stroke:#ff9a62}.hatch{stroke:#ff9a62}.hatched{fill:#3a241a}
.sum{fill:#b4becb;stroke:#b4becb}.plus{fill:#7cbdf2}.minus{fill:#ffae80}}
";

/// Option of commands that draw.
#[derive(Debug, clap::Args)]
pub struct PictureArgs {
    /// Draw the waterfall into this file as well: SVG, or HTML where the name ends in .html.
    #[arg(long, value_name = "FILE", value_parser = picture_path)]
    pub picture: Option<PathBuf>,
}

fn picture_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match extension(&path).as_deref() {
        Some("svg" | "html") => Ok(path),
        _ => Err("a picture is a file that ends in .svg or .html".to_owned()),
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// What is drawn.
pub(crate) struct Picture<'a> {
    /// What it is about, in a few words.
    pub(crate) title: String,
    /// The mention and what was decided: one line each.
    pub(crate) lines: [String; 2],
    /// Candidates under each other, each with a heading.
    pub(crate) panels: Vec<(String, &'a CandidateExplanation)>,
}

impl Picture<'_> {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let is_page = extension(path).is_some_and(|extension| extension == "html");
        let text = if is_page { self.html() } else { self.svg() };
        let mut file = OutputFile::create(path)?;
        file.write_all(text.as_bytes()).map_err(|error| Failure::of_write(file.name(), &error))?;
        file.finish()
    }

    fn html(&self) -> String {
        let title = escaped(&self.title, usize::MAX);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>\nbody{{margin:0;padding:2vmin;background:#eef1f5}}\n\
             svg{{display:block;width:100%;max-width:{WIDTH}px;height:auto;margin:auto}}\n\
             @media (prefers-color-scheme:dark){{body{{background:#0c0f14}}}}\n</style>\n</head>\n<body>\n{}</body>\n</html>\n",
            self.svg()
        )
    }

    fn svg(&self) -> String {
        let scale = Scale::of(self.panels.iter().map(|(_, candidate)| *candidate));
        let mut body = String::new();
        let mut y = MARGIN;
        text(&mut body, (MARGIN, y + 14.0), "ink title", &escaped(&self.title, HEADING_CELLS_MAX));
        for (at, line) in (0..).zip(&self.lines) {
            let place = (MARGIN, y + 38.0 + 20.0 * at as f32);
            text(&mut body, place, "soft", &escaped(line, 2 * HEADING_CELLS_MAX - 40));
        }
        y += HEADING;
        if self.panels.is_empty() {
            text(&mut body, (MARGIN, y + 14.0), "ink", "nothing in the graph resembled it");
            y += STEP;
        }
        for (heading, candidate) in &self.panels {
            y = panel(&mut body, y, heading, candidate, scale);
        }
        legend(&mut body, y);
        let height = y + 22.0 + MARGIN;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" font-size=\"13\" \
             font-family=\"Inter, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', sans-serif\">\n\
             <style>{STYLE}</style>\n\
             <defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect class=\"hatched\" width=\"7\" height=\"7\"/>\
             <path class=\"hatch\" d=\"M0 0V7\" stroke-width=\"4\"/></pattern></defs>\n\
             <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"10\"/>\n{body}</svg>\n",
            escaped(&self.title, usize::MAX)
        )
    }
}

/// One candidate; gives where the next thing may begin.
fn panel(body: &mut String, top: f32, heading: &str, candidate: &CandidateExplanation, scale: Scale) -> f32 {
    let place = |bits: f32| LEFT + scale.place(bits) * (RIGHT - LEFT);
    let steps = candidate.waterfall();
    let outcome = format!(
        "evidence {} bits, probability {:.4}",
        signed(candidate.evidence_bits),
        candidate.probability
    );
    line(body, (MARGIN, top - 8.0), (WIDTH - MARGIN, top - 8.0), "rule");
    text(body, (MARGIN, top + 16.0), "ink panel", &escaped(heading, 2 * LINE_CELLS_MAX));
    let _ = writeln!(
        body,
        "<text class=\"ink panel number\" x=\"{}\" y=\"{}\">{outcome}</text>",
        WIDTH - MARGIN,
        top + 16.0
    );
    text(body, (MARGIN, top + 36.0), "soft", &escaped(&candidate.label, 2 * LINE_CELLS_MAX));
    for (right, name) in [(NUMBERS_WIDTH - 62.0, "bits"), (NUMBERS_WIDTH, "total")] {
        let _ = writeln!(
            body,
            "<text class=\"soft number\" x=\"{}\" y=\"{}\">{name}</text>",
            RIGHT + right,
            top + PANEL_HEADING - 6.0
        );
    }
    let first = top + PANEL_HEADING;
    let bottom = first + STEP * (steps.len() + 1) as f32;
    for tick in ticks(scale) {
        let x = place(tick);
        line(body, (x, first), (x, bottom), "grid");
        let _ = writeln!(
            body,
            "<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            format!("{tick:+.0}").replace('-', "−")
        );
    }
    let zero = place(0.0);
    line(body, (zero, first - 10.0), (zero, bottom), "zero");
    let _ = writeln!(
        body,
        "<text class=\"soft\" x=\"{zero:.1}\" y=\"{:.1}\" text-anchor=\"middle\">a new node: 0</text>",
        first - 14.0
    );
    let mut from_bits = 0.0;
    for (at, step) in steps.iter().enumerate() {
        let y = first + STEP * at as f32;
        words(body, y, step);
        bar(
            body,
            y,
            (place(from_bits), place(step.total_bits)),
            if step.bits < 0.0 { "against" } else { "for" },
        );
        let class = if step.bits < 0.0 { "minus" } else { "plus" };
        numbers(body, y, Some((step.bits, class)), step.total_bits);
        let x = place(step.total_bits);
        line(body, (x, y + (STEP + BAR) / 2.0), (x, y + STEP + (STEP - BAR) / 2.0), "link");
        from_bits = step.total_bits;
    }
    let y = first + STEP * steps.len() as f32;
    text(body, (MARGIN, y + STEP / 2.0 + 5.0), "ink name", "evidence");
    bar(body, y, (place(0.0), place(candidate.evidence_bits)), "sum");
    numbers(body, y, None, candidate.evidence_bits);
    bottom + AXIS + 22.0
}

/// What a step rests on: the field, and under it how far they agree in what.
fn words(body: &mut String, y: f32, step: &WaterfallStep) {
    let (compared, before) = (compared(step, VALUE_CHARS_MAX), said_before(step));
    let mut name = escaped(&step.field, NAME_CELLS_MAX);
    let _ =
        write!(name, "<tspan class=\"soft\" font-weight=\"400\" dx=\"8\">{}", escaped(&step.agreement, 44));
    if !before.is_empty() {
        let _ = write!(name, " · said before: {}", escaped(&before, 30));
    }
    name.push_str("</tspan>");
    let is_bare = compared.is_empty();
    text(body, (MARGIN, y + if is_bare { 24.0 } else { 16.0 }), "ink name", &name);
    if !is_bare {
        text(body, (MARGIN, y + 33.0), "soft", &escaped(&compared, LINE_CELLS_MAX));
    }
}

/// A bar with a point that shows its direction, from one place to another.
fn bar(body: &mut String, y: f32, (from, to): (f32, f32), class: &str) {
    let (top, middle, bottom) = (y + (STEP - BAR) / 2.0, y + STEP / 2.0, y + (STEP + BAR) / 2.0);
    // A step too small to see is a line; the point takes no more than half of a short bar.
    let point = ((to - from).abs() / 2.0).min(7.0) * (to - from).signum();
    let neck = to - point;
    let _ = writeln!(
        body,
        "<path class=\"{class}\" stroke-width=\"1.2\" stroke-linejoin=\"round\" \
         d=\"M{from:.1} {top:.1}H{neck:.1}L{to:.1} {middle:.1}L{neck:.1} {bottom:.1}H{from:.1}Z\"/>"
    );
}

fn numbers(body: &mut String, y: f32, step: Option<(f32, &str)>, total_bits: f32) {
    let y = y + STEP / 2.0 + 5.0;
    let mut number = |right: f32, class: &str, bits: f32| {
        let _ = writeln!(
            body,
            "<text class=\"{class} name number\" x=\"{}\" y=\"{y:.1}\">{}</text>",
            RIGHT + right,
            signed(bits)
        );
    };
    if let Some((bits, class)) = step {
        number(NUMBERS_WIDTH - 62.0, class, bits);
    }
    number(NUMBERS_WIDTH, "ink", total_bits);
}

fn legend(body: &mut String, y: f32) {
    let items = [
        ("for", 1.0, "speaks for the node"),
        ("against", -1.0, "speaks against it"),
        ("sum", 1.0, "the sum"),
    ];
    for ((class, direction, name), x) in items.into_iter().zip([MARGIN, MARGIN + 190.0, MARGIN + 372.0]) {
        let ends = if direction > 0.0 { (x, x + 34.0) } else { (x + 34.0, x) };
        bar(body, y - 20.0, ends, class);
        text(body, (x + 42.0, y + 5.0), "soft", name);
    }
    let _ = writeln!(
        body,
        "<text class=\"soft number\" x=\"{}\" y=\"{}\">one bit more doubles the odds</text>",
        WIDTH - MARGIN,
        y + 5.0
    );
}

fn text(body: &mut String, (x, y): (f32, f32), class: &str, content: &str) {
    let _ = writeln!(body, "<text class=\"{class}\" x=\"{x}\" y=\"{y:.1}\">{content}</text>");
}

fn line(body: &mut String, from: (f32, f32), to: (f32, f32), class: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        body,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

/// Round numbers of bits on a scale, 0 left out: it has a name of its own.
#[allow(clippy::cast_possible_truncation)]
fn ticks(scale: Scale) -> Vec<f32> {
    let length = scale.high_bits - scale.low_bits;
    let steps = [1_i32, 2, 5, 10, 20, 50, 100, 200];
    let step = steps.into_iter().find(|&step| length / step as f32 <= TICKS_MAX).unwrap_or(500);
    let first = (scale.low_bits / step as f32).ceil() as i32;
    let last = (scale.high_bits / step as f32).floor() as i32;
    (first..=last).filter(|&at| at != 0).map(|at| (at * step) as f32).collect()
}

/// A number of bits with a sign as long as a plus.
fn signed(bits: f32) -> String {
    if bits.abs() < 0.05 { "0.0".to_owned() } else { format!("{bits:+.1}").replace('-', "−") }
}

/// Text from outside as the content of an element or an attribute: on one line, no wider than so many halves of a character, and
/// nothing in it that XML could take for its own or cannot hold. Meant for eyes; what GraphML writes comes back the same
/// and escapes more.
fn escaped(text: &str, cells_max: usize) -> String {
    let line = one_line(text, usize::MAX);
    let is_whole = line.chars().map(cells).sum::<usize>() <= cells_max;
    let room = if is_whole { usize::MAX } else { cells_max.saturating_sub(1) };
    let mut used = 0;
    let mut out = String::new();
    for character in line.chars() {
        used += cells(character);
        if used > room {
            out.push('…');
            break;
        }
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// Width of a character, roughly: East Asian signs and pictures are as wide as two letters. A font decides for itself; this only
/// keeps lines from running into the bars.
fn cells(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(
            escaped("<b> & \"c\" 'd'\n\u{1b}\u{202e}", 40),
            "&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;   "
        );
        assert_eq!(escaped("a\u{0}b\u{ffff}", 40), "a b\u{fffd}");
        assert_eq!(escaped("abcdef", 6), "abcdef");
        assert_eq!(escaped("abcdefg", 6), "abcde…");
        assert_eq!(escaped("居酒屋まる", 10), "居酒屋まる");
        assert_eq!(escaped("居酒屋まる", 9), "居酒屋ま…");
        assert_eq!(escaped("&&&&", 3), "&amp;&amp;…", "an escape is never cut");
    }

    #[test]
    fn ticks_are_few_and_round() {
        let of = |low_bits, high_bits| ticks(Scale { low_bits, high_bits });
        assert_eq!(of(-4.0, 3.0), [-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0]);
        assert_eq!(of(-12.0, 61.0), [-10.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        assert_eq!(of(-300.0, 0.0), [-300.0, -250.0, -200.0, -150.0, -100.0, -50.0]);
    }

    #[test]
    fn a_picture_needs_a_kind() {
        assert!(picture_path("a.svg").is_ok() && picture_path("b/A.HTML").is_ok());
        assert!(picture_path("a.png").is_err() && picture_path("svg").is_err());
    }
}
