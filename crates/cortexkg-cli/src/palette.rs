//! Colours, or none: chosen once for each stream, never a part of what a program reads.

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use cortexkg::Decision;

/// How words look on one stream.
///
/// Coloured on a terminal, or where `CLICOLOR_FORCE` is set; plain anywhere else, and wherever `NO_COLOR` is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Palette {
    is_coloured: bool,
}

impl Palette {
    /// No colours.
    pub const PLAIN: Self = Self { is_coloured: false };

    /// What suits standard output.
    pub fn of_stdout() -> Self {
        Self { is_coloured: AutoStream::choice(&io::stdout()) != ColorChoice::Never }
    }

    /// What suits standard error.
    pub fn of_stderr() -> Self {
        Self { is_coloured: AutoStream::choice(&io::stderr()) != ColorChoice::Never }
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What most readers pass over.
    pub fn faint(self, text: &str) -> String {
        self.paint(AnsiColor::BrightBlack.on_default(), text)
    }

    /// Something that went wrong.
    pub fn alarm(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something to look at.
    pub fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// A word or a line that speaks of a decision.
    pub fn decision(self, decision: Decision, text: &str) -> String {
        let colour = match decision {
            Decision::Existing => AnsiColor::Green,
            Decision::New => AnsiColor::Blue,
            Decision::Possible => AnsiColor::Yellow,
        };
        self.paint(colour.on_default().bold(), text)
    }

    /// Evidence for something, or against it where `bits` are negative.
    pub fn evidence(self, bits: f32, text: &str) -> String {
        let colour = if bits < 0.0 { AnsiColor::Red } else { AnsiColor::Green };
        self.paint(colour.on_default(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_painted_or_left_alone() {
        let coloured = Palette { is_coloured: true };
        assert_eq!(Palette::PLAIN.heading("nodes"), "nodes");
        assert_eq!(coloured.heading("nodes"), "\u{1b}[1mnodes\u{1b}[0m");
        assert_ne!(coloured.evidence(1.0, "1"), coloured.evidence(-1.0, "1"));
    }
}
