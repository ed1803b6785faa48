//! `cargo xtask picture`: coloured terminal output as an SVG that a README can show.
//!
//! Understands what programs print in lines: text and SGR (colour and style) sequences. Everything else that moves the
//! cursor is dropped. The same output gives the same bytes.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::step::{self, cargo, root};

/// Width of a character, height of a line, margin around the text and height of the title bar, in pixels.
const CELL: (f32, f32) = (8.4, 19.0);
const MARGIN: f32 = 18.0;
const TITLE: f32 = 34.0;
/// Least width in characters, so that a short output still looks like a terminal.
const COLUMNS_MIN: usize = 80;

const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d8dce4";
/// The eight colours, then the eight bright ones.
const PALETTE: [&str; 16] = [
    "#3b4048", "#f07178", "#a5d96f", "#ffcb6b", "#82aaff", "#c792ea", "#7fdbe4", "#d8dce4", //
    "#6b7280", "#ff8b92", "#c3e88d", "#ffe08a", "#9cc4ff", "#ddb3f5", "#a3f0f5", "#ffffff",
];

/// Options of `cargo xtask picture`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to write the picture [default: docs/demo.svg].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Render this recorded output instead of running the demo.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Runs the demo and renders what it prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bytes = match &args.from {
        Some(file) => std::fs::read(file).with_context(|| file.display().to_string())?,
        None => {
            let mut demo = cargo(["run", "--quiet", "--release", "--package", "cortexkg-cli", "--", "demo"]);
            demo.env_remove("NO_COLOR")
                .env("CLICOLOR_FORCE", "1")
                .env("FORCE_COLOR", "1")
                .env("COLUMNS", "100");
            step::output(&mut demo)?
        }
    };
    let out = args.out.clone().unwrap_or_else(|| root().join("docs").join("demo.svg"));
    let picture = svg("cargo run --release -- demo", &String::from_utf8_lossy(&bytes));
    out.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(&out, picture).with_context(|| out.display().to_string())?;
    println!("{}", out.strip_prefix(root()).unwrap_or(&out).display());
    Ok(())
}

/// How characters look.
#[derive(Default, Clone, PartialEq)]
struct Style {
    colour: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    /// Applies the parameters of one SGR sequence. Background colours are passed over.
    fn apply(&mut self, parameters: &str) {
        let mut codes = parameters.split([';', ':']).map(|code| code.parse::<usize>().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.colour = Some(PALETTE[code - 30].to_owned()),
                90..=97 => self.colour = Some(PALETTE[code - 82].to_owned()),
                38 => self.colour = extended(&mut codes),
                48 => drop(extended(&mut codes)),
                39 => self.colour = None,
                _ => {}
            }
        }
    }

    /// The attributes of a `tspan`.
    fn attributes(&self) -> String {
        let mut text = String::new();
        if let Some(colour) = &self.colour {
            let _ = write!(text, " fill=\"{colour}\"");
        }
        for (set, attribute) in [
            (self.bold, " font-weight=\"bold\""),
            (self.dim, " fill-opacity=\"0.6\""),
            (self.italic, " font-style=\"italic\""),
            (self.underline, " text-decoration=\"underline\""),
        ] {
            if set {
                text.push_str(attribute);
            }
        }
        text
    }
}

/// A colour of the 256, or of red, green and blue.
fn extended(codes: &mut impl Iterator<Item = usize>) -> Option<String> {
    let hex = |[r, g, b]: [usize; 3]| format!("#{:02x}{:02x}{:02x}", r.min(255), g.min(255), b.min(255));
    match codes.next()? {
        2 => Some(hex([codes.next()?, codes.next()?, codes.next()?])),
        5 => Some(match codes.next()? {
            index @ 0..=15 => PALETTE[index].to_owned(),
            index @ 16..=231 => {
                let level = |step: usize| if step == 0 { 0 } else { 55 + 40 * step };
                let index = index - 16;
                hex([level(index / 36), level(index / 6 % 6), level(index % 6)])
            }
            index => hex([8 + 10 * (index.min(255) - 232); 3]),
        }),
        _ => None,
    }
}

/// Lines of runs of equal style.
type Lines = Vec<Vec<(Style, String)>>;

fn parse(output: &str) -> Lines {
    let mut lines: Lines = vec![Vec::new()];
    let mut style = Style::default();
    let mut chars = output.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => lines.push(Vec::new()),
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                let mut parameters = String::new();
                let end = loop {
                    match chars.next() {
                        Some(c @ '@'..='~') => break Some(c),
                        Some(c) => parameters.push(c),
                        None => break None,
                    }
                };
                if end == Some('m') {
                    style.apply(&parameters);
                }
            }
            // XML 1.0 has no place for other control characters.
            c if c.is_control() => {}
            c => {
                let line = lines.last_mut().expect("there is always a line");
                match line.last_mut() {
                    Some((last, text)) if *last == style => text.push(c),
                    _ => line.push((style.clone(), c.to_string())),
                }
            }
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// The picture of a window that shows `command` and then its output.
fn svg(command: &str, output: &str) -> String {
    let prompt = format!("\u{1b}[1;32m$\u{1b}[0m {command}\n");
    let lines = parse(&(prompt + output));
    let columns = |line: &Vec<(Style, String)>| line.iter().map(|(_, text)| text.chars().count()).sum();
    let widest = lines.iter().map(columns).max().unwrap_or(0).max(COLUMNS_MIN);
    #[allow(clippy::cast_precision_loss)]
    let at = |count: usize, size: f32| count as f32 * size;
    let width = (at(widest, CELL.0) + 2.0 * MARGIN).ceil();
    let height = (TITLE + at(lines.len(), CELL.1) + MARGIN).ceil();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{}\">\n<rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"{BACKGROUND}\"/>\n",
        escape(command)
    );
    for (x, colour) in [(20, "#ff5f57"), (40, "#febc2e"), (60, "#28c840")] {
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"17\" r=\"6\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(
        svg,
        "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"14\" fill=\"{FOREGROUND}\">"
    );
    for (row, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let y = TITLE + at(row, CELL.1) + 14.0;
        let _ = write!(svg, "<text y=\"{y}\">");
        let mut column = 0;
        for (style, text) in line {
            // Each piece has its place and length, so that columns stand straight in any font and in every viewer.
            for (start, piece) in pieces(text) {
                let (x, length) = (MARGIN + at(column + start, CELL.0), at(piece.chars().count(), CELL.0));
                let _ = write!(
                    svg,
                    "<tspan x=\"{x:.1}\" textLength=\"{length:.1}\"{}>{}</tspan>",
                    style.attributes(),
                    escape(piece)
                );
            }
            column += text.chars().count();
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// What stands between gaps of two spaces or more, or spaces at either end, with its place: viewers close such gaps.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut column = 0;
    text.split("  ").filter_map(move |part| {
        let start = column + (part.len() - part.trim_start().len());
        column += part.chars().count() + 2;
        let piece = part.trim();
        (!piece.is_empty()).then_some((start, piece))
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\u{1b}[1;36mnodes\u{1b}[0m  752\r\n\u{1b}[2K<a> & \"b\"\u{1b}[38;5;196m!\u{1b}[38;2;1;2;3m?\u{1b}[39m.\n\n";

    #[test]
    fn colours_and_text_are_told_apart() {
        let lines = parse(SAMPLE);
        assert_eq!(lines.len(), 2);
        let texts: Vec<&str> = lines.iter().flatten().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["nodes", "  752", "<a> & \"b\"", "!", "?", "."]);
        assert!(lines[0][0].0.bold);
        let colours: Vec<Option<&str>> =
            lines.iter().flatten().map(|(style, _)| style.colour.as_deref()).collect();
        assert_eq!(colours, [Some(PALETTE[6]), None, None, Some("#ff0000"), Some("#010203"), None]);
    }

    #[test]
    fn the_picture_is_escaped_and_always_the_same() {
        let picture = svg("demo", SAMPLE);
        assert!(picture.contains("&lt;a&gt; &amp; &quot;b&quot;</tspan>"), "{picture}");
        assert!(picture.contains("fill=\"#7fdbe4\" font-weight=\"bold\">nodes</tspan>"), "{picture}");
        assert!(!picture.contains('\u{1b}'), "{picture}");
        assert_eq!(picture, svg("demo", SAMPLE));
    }

    #[test]
    fn gaps_become_places() {
        let found = |text| pieces(text).collect::<Vec<_>>();
        assert_eq!(found("  é b   c "), [(2, "é b"), (8, "c")]);
        assert_eq!(found("    "), []);
    }

    #[test]
    fn a_broken_sequence_ends_nothing() {
        assert_eq!(parse("a\u{1b}[3").len(), 1);
        assert!(parse("").is_empty());
    }
}
