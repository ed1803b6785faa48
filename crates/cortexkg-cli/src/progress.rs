//! The bar on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::allocation::per_second;

/// A progress bar, or nothing where none may be drawn.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar over `bytes_total` bytes, or a counter where the size is unknown.
    pub(crate) fn new(draws: bool, bytes_total: Option<u64>) -> Self {
        if !draws {
            return Self { bar: None };
        }
        let bar = match bytes_total {
            Some(total) => ProgressBar::new(total).with_style(
                ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            ),
            None => ProgressBar::new_spinner(),
        };
        Self { bar: Some(bar) }
    }

    /// A bar over a number of rows.
    pub(crate) fn of_rows(draws: bool, rows_total: u64) -> Self {
        let progress = Self::new(draws, Some(rows_total));
        if let Some(bar) = &progress.bar {
            bar.set_message(format!("of {rows_total} rows"));
        }
        progress
    }

    /// Moves a bar over rows.
    pub(crate) fn rows(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// Says what is being done, where nobody knows how long it takes.
    pub(crate) fn step(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
            bar.tick();
        }
    }

    /// Moves the bar.
    pub(crate) fn update(&self, bytes_read: u64, records: u64, nodes: usize, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            let rate = per_second(records, elapsed);
            bar.set_message(format!("{records} records, {nodes} nodes, {rate:.0} records/s"));
            bar.set_position(bytes_read);
        }
    }

    /// Runs something that writes to the terminal, the bar out of the way.
    pub(crate) fn aside<T>(&self, action: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(action),
            None => action(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
