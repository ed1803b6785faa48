//! A line on standard error every few seconds.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(5);

/// How far a long piece of work is.
pub(crate) struct Progress {
    what: String,
    all: u64,
    /// Where it stood when it began, and when.
    began: (u64, Instant),
    said: Instant,
}

impl Progress {
    pub(crate) fn new(what: impl Into<String>, at: u64, all: u64) -> Self {
        let now = Instant::now();
        Self { what: what.into(), all, began: (at, now), said: now }
    }

    /// Says so, if it is time to.
    pub(crate) fn at(&mut self, at: u64) {
        if self.said.elapsed() < EVERY {
            return;
        }
        self.said = Instant::now();
        let seconds = self.began.1.elapsed().as_secs_f64();
        let rate = at.saturating_sub(self.began.0) as f64 / seconds;
        let left = self.all.saturating_sub(at) as f64 / rate.max(f64::MIN_POSITIVE);
        eprintln!("{}: {at} of {}, {rate:.0}/s, {left:.0} s left", self.what, self.all);
    }
}
