//! When to alert: rules, as a program or a TOML file gives them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::alert::AlertLevel;
use super::metrics::Metrics;

/// Most rules of one manager.
const RULES_MAX: usize = 256;
/// Most seconds of a duration: a year.
const SECONDS_MAX: u64 = 366 * 86_400;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertMetric {
    /// Time that half of the decisions in the window stayed within, in seconds.
    AllocationP50Seconds,
    /// Time that 99 of 100 decisions in the window stayed within, in seconds.
    AllocationP99Seconds,
    /// Decisions per second in the window.
    DecisionsPerSecond,
    /// Memory of the process; of all structures, where the system does not tell.
    MemoryBytes,
    /// Share of the nearest vectors that the index finds, 0 to 1.
    IndexRecall,
    /// Share of the true matches that are among the candidates, 0 to 1.
    BlockingRecall,
    /// Share of all reads in the window that needed no store, 0 to 1.
    TierHitRate,
    /// Share of the facts in the window that were refused, 0 to 1.
    RefusedShare,
    /// Mentions that a layer was to be used for and was not, per second of the window.
    FallbacksPerSecond,
}

impl AlertMetric {
    /// What it is, if it has been measured.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn of(self, metrics: &Metrics) -> Option<f64> {
        let window = metrics.window.as_ref();
        match self {
            Self::AllocationP50Seconds => window?.allocation_p50_us.map(|us| us / 1e6),
            Self::AllocationP99Seconds => metrics.allocation_latency_p99().map(|p99| p99.as_secs_f64()),
            Self::DecisionsPerSecond => Some(window?.decisions_per_s),
            Self::MemoryBytes => Some(metrics.memory_bytes() as f64),
            Self::IndexRecall => metrics.index_recall,
            Self::BlockingRecall => metrics.blocking_recall,
            Self::TierHitRate => window?.tier_hit_rate,
            Self::RefusedShare => window?.refused_share,
            Self::FallbacksPerSecond => window.map(|window| window.fallbacks as f64 / window.window_s),
        }
    }

    /// A value with its unit.
    #[must_use]
    pub fn in_words(self, value: f64) -> String {
        match self {
            Self::AllocationP50Seconds | Self::AllocationP99Seconds => match value {
                value if value >= 1.0 => format!("{value:.2} s"),
                value if value >= 1e-3 => format!("{:.1} ms", value * 1e3),
                value => format!("{:.1} µs", value * 1e6),
            },
            Self::MemoryBytes => match value {
                value if value >= 1e9 => format!("{:.2} GB", value / 1e9),
                value => format!("{:.1} MB", value / 1e6),
            },
            Self::DecisionsPerSecond | Self::FallbacksPerSecond => format!("{value:.1} per second"),
            _ => format!("{:.1} %", value * 100.0),
        }
    }
}

impl fmt::Display for AlertMetric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::AllocationP50Seconds => "p50 of a decision",
            Self::AllocationP99Seconds => "p99 of a decision",
            Self::DecisionsPerSecond => "the rate of decisions",
            Self::MemoryBytes => "memory",
            Self::IndexRecall => "recall of the index",
            Self::BlockingRecall => "blocking recall",
            Self::TierHitRate => "hit rate of the tiers",
            Self::RefusedShare => "share of refused facts",
            Self::FallbacksPerSecond => "the rate of fallbacks",
        })
    }
}

/// When to alert.
///
/// It fires once the value has been past its limit for so long, and is over once the value is well within it again: a value that
/// swings about the limit makes one alert, not many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Its name: 1 to 64 letters, digits, `_` or `-`. No two rules have the same.
    pub name: String,
    /// What it looks at.
    pub metric: AlertMetric,
    /// The value must not be above this. A rule has either this or `below`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// The value must not be below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// How bad it is.
    pub level: AlertLevel,
    /// Seconds that it must have been so before it fires, 0 to 31,622,400 (a year).
    #[serde(default)]
    pub for_s: u64,
    /// It is over when the value is at most this share of `above`, or at least `below` divided by it; above 0, at most 1.
    #[serde(default = "clear_share")]
    pub clear_share: f64,
    /// Seconds after which it is told again while it goes on, 1 to 31,622,400.
    #[serde(default = "repeat_interval_s")]
    pub repeat_interval_s: u64,
    /// What it means and what to do, in a line of at most 500 characters.
    #[serde(default)]
    pub summary: String,
}

fn clear_share() -> f64 {
    0.9
}

fn repeat_interval_s() -> u64 {
    3_600
}

/// The rules of a manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRules {
    /// Each of them.
    pub rules: Vec<AlertRule>,
}

impl Default for AlertRules {
    /// p99 of a decision above 100 ms for 30 s: warning. Memory above 50 GB (50 × 10⁹ bytes) for 30 s: critical.
    fn default() -> Self {
        let rule = |name: &str, metric, above, level, summary: &str| AlertRule {
            name: name.to_owned(),
            metric,
            above: Some(above),
            below: None,
            level,
            for_s: 30,
            clear_share: clear_share(),
            repeat_interval_s: repeat_interval_s(),
            summary: summary.to_owned(),
        };
        Self {
            rules: vec![
                rule(
                    "AllocationLatencyHigh",
                    AlertMetric::AllocationP99Seconds,
                    0.1,
                    AlertLevel::Warning,
                    "decisions are slow: look at the stages, and whether the graph is scanned without an index",
                ),
                rule(
                    "MemoryHigh",
                    AlertMetric::MemoryBytes,
                    50e9,
                    AlertLevel::Critical,
                    "memory runs out: set a memory budget, or keep vectors at fewer bits",
                ),
            ],
        }
    }
}

/// A rule that cannot be.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AlertRuleError {
    /// A value is out of its range.
    #[error("rule {rule:?}: {field} is {value}; it must be {allowed}")]
    OutOfRange {
        /// Name of the rule.
        rule: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// Two rules of one name.
    #[error("there are two rules {rule:?}; give one of them another name")]
    Twice {
        /// The name.
        rule: String,
    },
    /// More rules than are looked at.
    #[error("there are {found} rules; it must be {RULES_MAX} at most")]
    TooMany {
        /// How many.
        found: usize,
    },
}

impl AlertRules {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first thing that is wrong: which rule and field, its value, and what is allowed.
    pub fn check(&self) -> Result<(), AlertRuleError> {
        if self.rules.len() > RULES_MAX {
            return Err(AlertRuleError::TooMany { found: self.rules.len() });
        }
        for (at, rule) in self.rules.iter().enumerate() {
            rule.check()?;
            if self.rules.iter().take(at).any(|other| other.name == rule.name) {
                return Err(AlertRuleError::Twice { rule: rule.name.clone() });
            }
        }
        Ok(())
    }
}

impl AlertRule {
    /// Checks the rule.
    ///
    /// # Errors
    /// The first field that is wrong, its value, and what is allowed.
    pub fn check(&self) -> Result<(), AlertRuleError> {
        let wrong = |field, value: String, allowed| {
            Err(AlertRuleError::OutOfRange { rule: self.name.clone(), field, value, allowed })
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(is_name) {
            return wrong("name", format!("{:?}", self.name), "1 to 64 letters, digits, _ or -");
        }
        for (field, limit) in [("above", self.above), ("below", self.below)] {
            if let Some(limit) = limit.filter(|limit| !limit.is_finite() || *limit < 0.0) {
                return wrong(field, limit.to_string(), "a number from 0 up");
            }
        }
        if self.above.is_some() == self.below.is_some() {
            let found = if self.above.is_some() { "given with above" } else { "not given, as is above" };
            return wrong("below", found.to_owned(), "given if and only if above is not");
        }
        if !(self.clear_share > 0.0 && self.clear_share <= 1.0) {
            return wrong("clear_share", self.clear_share.to_string(), "above 0 and at most 1");
        }
        if self.for_s > SECONDS_MAX {
            return wrong("for_s", self.for_s.to_string(), "0 to 31622400 seconds");
        }
        if !(1..=SECONDS_MAX).contains(&self.repeat_interval_s) {
            return wrong("repeat_interval_s", self.repeat_interval_s.to_string(), "1 to 31622400 seconds");
        }
        if self.summary.chars().count() > 500 || self.summary.contains(char::is_control) {
            let value = format!("{} characters", self.summary.chars().count());
            return wrong("summary", value, "one line of at most 500 characters");
        }
        Ok(())
    }

    /// The limit, in the unit of the metric.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.above.or(self.below).unwrap_or_default()
    }

    /// Whether a value is past the limit.
    pub(super) fn is_past(&self, value: f64) -> bool {
        self.above.is_some_and(|above| value > above) || self.below.is_some_and(|below| value < below)
    }

    /// Whether a value is so well within the limit that an alert is over.
    pub(super) fn is_clear(&self, value: f64) -> bool {
        let above = self.above.is_none_or(|above| value <= above * self.clear_share);
        // A share of recall cannot rise beyond all of it.
        let below = self.below.is_none_or(|below| {
            let clear = below / self.clear_share;
            value >= if self.metric.is_share() { clear.min(f64::midpoint(below, 1.0)) } else { clear }
        });
        above && below
    }

    pub(super) fn for_duration(&self) -> Duration {
        Duration::from_secs(self.for_s)
    }

    pub(super) fn repeat_interval(&self) -> Duration {
        Duration::from_secs(self.repeat_interval_s)
    }
}

impl AlertMetric {
    fn is_share(self) -> bool {
        matches!(self, Self::IndexRecall | Self::BlockingRecall | Self::TierHitRate | Self::RefusedShare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<AlertRules, String> {
        let rules: AlertRules = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        rules.check().map_err(|error| error.to_string())?;
        Ok(rules)
    }

    const MINIMAL: &str =
        "[[rules]]\nname = \"Recall\"\nmetric = \"index_recall\"\nbelow = 0.95\nlevel = \"warning\"\n";

    #[test]
    fn what_is_not_said_is_as_usual() {
        let [rule] = rules(MINIMAL).unwrap().rules.try_into().unwrap();
        assert_eq!((rule.for_s, rule.clear_share, rule.repeat_interval_s), (0, 0.9, 3_600));
        AlertRules::default().check().unwrap();
    }

    #[test]
    fn mistakes_are_named() {
        let with = |line: &str| rules(&format!("{MINIMAL}{line}")).unwrap_err();
        for (line, told) in [
            ("above = 1.0", "rule \"Recall\": below is given with above"),
            ("clear_share = 0", "clear_share is 0; it must be above 0 and at most 1"),
            ("clear_share = nan", "clear_share is NaN"),
            ("for_s = 99999999", "for_s is 99999999; it must be 0 to 31622400 seconds"),
            ("repeat_interval_s = 0", "repeat_interval_s is 0"),
            ("summary = \"a\\nb\"", "summary is 3 characters; it must be one line"),
            ("sumary = \"a\"", "unknown field `sumary`"),
            ("for_s = -1", "invalid value"),
            (MINIMAL, "two rules \"Recall\""),
            (
                "[[rules]]\nname = \"a b\"\nmetric = \"memory_bytes\"\nabove = 1\nlevel = \"critical\"",
                "name is \"a b\"",
            ),
            (
                "[[rules]]\nname = \"x\"\nmetric = \"memory_bytes\"\nlevel = \"critical\"",
                "below is not given, as is above",
            ),
            (
                "[[rules]]\nname = \"x\"\nmetric = \"memory_bytes\"\nabove = inf\nlevel = \"critical\"",
                "above is inf",
            ),
            (
                "[[rules]]\nname = \"x\"\nmetric = \"memory\"\nabove = 1\nlevel = \"critical\"",
                "unknown variant `memory`",
            ),
        ] {
            assert!(with(line).contains(told), "{line}: {}", with(line));
        }
        let many = AlertRules { rules: vec![AlertRules::default().rules[0].clone(); 257] };
        assert_eq!(many.check(), Err(AlertRuleError::TooMany { found: 257 }));
    }

    #[test]
    fn a_share_that_must_be_high_can_be_clear() {
        let [rule] = rules(MINIMAL).unwrap().rules.try_into().unwrap();
        assert!(rule.is_past(0.94) && !rule.is_past(0.95));
        assert!(!rule.is_clear(0.96), "hardly above the limit");
        assert!(rule.is_clear(0.98), "though 0.95 / 0.9 is more than 1");
    }
}
