//! The program's three streams, handed in so that nothing prints by itself and tests can listen.

use std::io::{self, BufWriter, IsTerminal, Read, Write};

use crate::failure::Failure;
use crate::palette::Palette;

/// Where a command reads and writes.
pub struct Console<'a> {
    /// Standard input.
    pub input: Box<dyn Read + 'a>,
    /// Standard output: results only.
    pub out: Box<dyn Write + 'a>,
    /// Standard error: progress, notes, rejections, errors.
    pub err: Box<dyn Write + 'a>,
    /// Whether standard output is a terminal.
    pub out_is_terminal: bool,
    /// Whether a progress bar may be drawn on standard error.
    pub draws_progress: bool,
    /// Colours of standard output.
    pub out_palette: Palette,
    /// Colours of standard error.
    pub err_palette: Palette,
}

impl Console<'static> {
    /// The streams of the process. Progress is drawn on a terminal unless `NO_COLOR` is set.
    pub fn of_process() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            input: Box::new(io::stdin()),
            out: Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            err: Box::new(io::stderr()),
            out_is_terminal: io::stdout().is_terminal(),
            draws_progress: io::stderr().is_terminal() && !no_color,
            out_palette: Palette::of_stdout(),
            err_palette: Palette::of_stderr(),
        }
    }
}

impl Console<'_> {
    /// Writes to standard output.
    ///
    /// # Errors
    /// [`Failure::OutputClosed`] where nobody listens any more.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|error| Failure::of_output(&error))
    }

    /// Writes a value as one line of JSON to standard output.
    ///
    /// # Errors
    /// [`Failure::OutputClosed`] where nobody listens any more.
    pub fn print_json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(value).map_err(|error| Failure::Run(error.to_string()))?;
        self.print(&format!("{json}\n"))
    }

    /// Tells something on standard error, on a line of its own. That nobody listens there stops nothing.
    pub fn tell(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Makes sure that everything printed has left.
    ///
    /// # Errors
    /// [`Failure::OutputClosed`] where nobody listens any more.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::of_output(&error))
    }
}
