//! Alerts, and where they go.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert_rule::AlertMetric;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now.
    Critical,
}

impl AlertLevel {
    /// The word that stands for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// What is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    /// It has begun.
    Firing,
    /// It is still so, a repeat interval after it was told last.
    StillFiring,
    /// It is over.
    Resolved,
    /// It is over as the run is.
    Ended,
}

impl AlertEvent {
    /// Whether it goes on.
    #[must_use]
    pub fn is_firing(self) -> bool {
        matches!(self, Self::Firing | Self::StillFiring)
    }
}

/// Something that somebody should know of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Name of the rule.
    pub name: String,
    /// How bad it is.
    pub level: AlertLevel,
    /// What is told.
    pub event: AlertEvent,
    /// What was measured.
    pub metric: AlertMetric,
    /// What it is now, in the unit of the metric; absent if nothing was measured.
    pub value: Option<f64>,
    /// What it must not pass, in the same unit.
    pub threshold: f64,
    /// What that means and what to do, in the rule's words; may be empty.
    pub summary: String,
    /// When it began to be so, as the time since the moment from which the monitor's time runs.
    #[serde(skip)]
    pub since: Duration,
    /// Now, likewise.
    #[serde(skip)]
    pub at: Duration,
}

impl fmt::Display for Alert {
    /// One line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, level, metric, .. } = self;
        match self.event {
            AlertEvent::Firing => write!(formatter, "{level}: {name}: ")?,
            AlertEvent::StillFiring => write!(formatter, "{level}: {name} goes on: ")?,
            AlertEvent::Resolved => write!(formatter, "{level} resolved: {name}: ")?,
            AlertEvent::Ended => write!(formatter, "{level} ended with the run: {name}: ")?,
        }
        let threshold = metric.in_words(self.threshold);
        match self.value {
            Some(value) => {
                write!(formatter, "{metric} is {}, the limit {threshold}", metric.in_words(value))?;
            }
            None => write!(formatter, "{metric} is not measured any more, the limit {threshold}")?,
        }
        let lasted_s = self.at.saturating_sub(self.since).as_secs();
        if lasted_s > 0 {
            let word = if self.event.is_firing() { "for" } else { "after" };
            write!(formatter, ", {word} {lasted_s} s")?;
        }
        match &*self.summary {
            summary if summary.is_empty() || !self.event.is_firing() => Ok(()),
            summary => write!(formatter, "; {summary}"),
        }
    }
}

/// Where alerts go: a log, a webhook.
pub trait AlertSink: Send {
    /// Takes an alert. Must not wait for anybody: it is called between two facts.
    ///
    /// # Errors
    /// Where the alert is lost; the manager counts it.
    fn send(&mut self, alert: &Alert) -> io::Result<()>;
}

/// Writes each alert as a line.
#[derive(Debug)]
pub struct LogSink<W> {
    log: W,
}

impl<W: Write> LogSink<W> {
    /// To that log.
    pub fn new(log: W) -> Self {
        Self { log }
    }
}

impl<W: Write + Send> AlertSink for LogSink<W> {
    fn send(&mut self, alert: &Alert) -> io::Result<()> {
        // In one piece, so that nothing comes between.
        self.log.write_all(format!("{alert}\n").as_bytes())?;
        self.log.flush()
    }
}
