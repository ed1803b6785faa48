//! [`AlertManager`]: holds measurements against rules, and tells what is not as it should be.

use std::fmt;
use std::time::Duration;

use super::alert::{Alert, AlertEvent, AlertLevel, AlertSink};
use super::alert_rule::{AlertRule, AlertRuleError, AlertRules};
use super::metrics::Metrics;

/// Holds measurements against rules, and tells [sinks](AlertSink) what is not as it should be: once when it begins, again after each
/// repeat interval while it goes on, and once when it is over.
///
/// Time comes from outside, as the time since any one moment.
pub struct AlertManager {
    watched: Vec<Watched>,
    sinks: Vec<Box<dyn AlertSink>>,
    undelivered: u64,
}

/// A rule, and how it stands with it.
#[derive(Debug)]
struct Watched {
    rule: AlertRule,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// All is well.
    Quiet,
    /// Past the limit, but not yet for long enough.
    Pending { since: Duration },
    /// Told.
    Firing { since: Duration, told: Duration },
}

impl fmt::Debug for AlertManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { watched, sinks, undelivered } = self;
        formatter
            .debug_struct("AlertManager")
            .field("watched", watched)
            .field("sinks", &sinks.len())
            .field("undelivered", undelivered)
            .finish()
    }
}

impl Default for AlertManager {
    fn default() -> Self {
        Self::watching(AlertRules::default())
    }
}

impl AlertManager {
    /// One that watches these rules and tells nobody yet.
    ///
    /// # Errors
    /// Where a rule cannot be.
    pub fn new(rules: AlertRules) -> Result<Self, AlertRuleError> {
        rules.check()?;
        Ok(Self::watching(rules))
    }

    fn watching(rules: AlertRules) -> Self {
        let watched = rules.rules.into_iter().map(|rule| Watched { rule, state: State::Quiet }).collect();
        Self { watched, sinks: Vec::new(), undelivered: 0 }
    }

    /// Tells this one, too, from now on.
    pub fn add_sink(&mut self, sink: impl AlertSink + 'static) {
        self.sinks.push(Box::new(sink));
    }

    /// Looks at measurements at a moment; gives what was told. What is not measured is not past its limit.
    pub fn check(&mut self, now: Duration, metrics: &Metrics) -> Vec<Alert> {
        self.tell(|watched| {
            let value = watched.rule.metric.of(metrics);
            let (since, event) = watched.step(now, value)?;
            Some(watched.alert(event, value, since, now))
        })
    }

    /// Tells that every alert that is firing is over, as the run is; gives what was told.
    pub fn end(&mut self, now: Duration, metrics: &Metrics) -> Vec<Alert> {
        self.tell(|watched| match std::mem::replace(&mut watched.state, State::Quiet) {
            State::Firing { since, .. } => {
                Some(watched.alert(AlertEvent::Ended, watched.rule.metric.of(metrics), since, now))
            }
            State::Quiet | State::Pending { .. } => None,
        })
    }

    fn tell(&mut self, look: impl FnMut(&mut Watched) -> Option<Alert>) -> Vec<Alert> {
        let told: Vec<Alert> = self.watched.iter_mut().filter_map(look).collect();
        told.iter().for_each(|alert| self.send_alert(alert));
        told
    }

    /// Tells all sinks of an alert, whichever rule it comes from.
    pub fn send_alert(&mut self, alert: &Alert) {
        for sink in &mut self.sinks {
            self.undelivered += u64::from(sink.send(alert).is_err());
        }
    }

    /// Each rule with its level, and whether it is firing.
    pub fn standing(&self) -> impl Iterator<Item = (&str, AlertLevel, bool)> {
        self.watched
            .iter()
            .map(|Watched { rule, state }| (&*rule.name, rule.level, matches!(state, State::Firing { .. })))
    }

    /// Alerts that a sink could not take.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        self.undelivered
    }
}

impl Watched {
    /// Looks at a value; since when it has been so, and what is to be told, if anything is.
    fn step(&mut self, now: Duration, value: Option<f64>) -> Option<(Duration, AlertEvent)> {
        let is_past = value.is_some_and(|value| self.rule.is_past(value));
        let is_clear = value.is_none_or(|value| self.rule.is_clear(value));
        match self.state {
            State::Firing { since, .. } if is_clear => {
                self.state = State::Quiet;
                Some((since, AlertEvent::Resolved))
            }
            State::Firing { since, told } if now.saturating_sub(told) >= self.rule.repeat_interval() => {
                self.state = State::Firing { since, told: now };
                Some((since, AlertEvent::StillFiring))
            }
            State::Firing { .. } => None,
            State::Quiet | State::Pending { .. } if !is_past => {
                self.state = State::Quiet;
                None
            }
            State::Quiet | State::Pending { .. } => {
                let since = if let State::Pending { since } = self.state { since } else { now };
                let fires = now.saturating_sub(since) >= self.rule.for_duration();
                self.state =
                    if fires { State::Firing { since, told: now } } else { State::Pending { since } };
                fires.then_some((since, AlertEvent::Firing))
            }
        }
    }

    fn alert(&self, event: AlertEvent, value: Option<f64>, since: Duration, at: Duration) -> Alert {
        let AlertRule { name, metric, level, summary, .. } = &self.rule;
        Alert {
            name: name.clone(),
            level: *level,
            event,
            metric: *metric,
            value,
            threshold: self.rule.threshold(),
            summary: summary.clone(),
            since,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::monitor::{LogSink, WindowMetrics};

    /// Measurements with that p99, in milliseconds, and that memory, in gigabytes.
    fn measured(p99_ms: f64, memory_gb: u64) -> Metrics {
        Metrics {
            resident_bytes: Some(memory_gb * 1_000_000_000),
            window: Some(WindowMetrics { allocation_p99_us: Some(p99_ms * 1e3), ..WindowMetrics::default() }),
            ..Metrics::default()
        }
    }

    /// What is told when a second after another such a p99 is measured: second and event.
    fn told(manager: &mut AlertManager, p99_ms: &[(std::ops::Range<u64>, f64)]) -> Vec<(u64, AlertEvent)> {
        let mut told = Vec::new();
        for (seconds, p99_ms) in p99_ms.iter().cloned() {
            for second in seconds {
                let alerts = manager.check(Duration::from_secs(second), &measured(p99_ms, 1));
                told.extend(alerts.into_iter().map(|alert| (second, alert.event)));
            }
        }
        told
    }

    #[test]
    fn it_fires_after_its_duration_once_and_tells_when_it_is_over() {
        let mut manager = AlertManager::default();
        let told = told(&mut manager, &[(0..10, 20.0), (10..100, 150.0), (100..110, 20.0)]);
        assert_eq!(told, [(40, AlertEvent::Firing), (100, AlertEvent::Resolved)]);
    }

    #[test]
    fn a_peak_shorter_than_the_duration_is_passed_over() {
        let mut manager = AlertManager::default();
        let peaks = [(0..29, 150.0), (29..30, 99.0), (30..60, 150.0), (60..61, 50.0)];
        assert_eq!(told(&mut manager, &peaks), []);
    }

    #[test]
    fn what_swings_about_the_limit_makes_one_alert() {
        let mut manager = AlertManager::default();
        let mut swinging = vec![(0..31, 101.0)];
        swinging
            .extend((31..300).map(|second| (second..second + 1, if second % 2 == 0 { 95.0 } else { 105.0 })));
        // 90 ms is 0.9 of the limit: clear.
        swinging.extend([(300..301, 91.0), (301..302, 90.0), (302..310, 99.0)]);
        assert_eq!(told(&mut manager, &swinging), [(30, AlertEvent::Firing), (301, AlertEvent::Resolved)]);
    }

    #[test]
    fn it_is_repeated_after_the_interval_only() {
        let mut rules = AlertRules::default();
        rules.rules[0].repeat_interval_s = 100;
        let mut manager = AlertManager::new(rules).unwrap();
        let told = told(&mut manager, &[(0..300, 150.0)]);
        let still = AlertEvent::StillFiring;
        assert_eq!(told, [(30, AlertEvent::Firing), (130, still), (230, still)]);
    }

    #[test]
    fn levels_are_those_of_the_rules_and_all_ends_with_the_run() {
        let mut manager = AlertManager::default();
        for second in 0..=30 {
            manager.check(Duration::from_secs(second), &measured(100.0, 51));
        }
        let standing: Vec<_> = manager.standing().collect();
        let expected = [
            ("AllocationLatencyHigh", AlertLevel::Warning, false),
            ("MemoryHigh", AlertLevel::Critical, true),
        ];
        assert_eq!(standing, expected, "100 ms is not above 100 ms");
        let [alert] = manager.end(Duration::from_secs(31), &measured(100.0, 51)).try_into().unwrap();
        assert_eq!((alert.event, alert.value), (AlertEvent::Ended, Some(51e9)));
        assert_eq!(
            alert.to_string(),
            "critical ended with the run: MemoryHigh: memory is 51.00 GB, the limit 50.00 GB, after 31 s"
        );
        assert_eq!(manager.end(Duration::from_secs(32), &Metrics::default()), []);
    }

    #[test]
    fn what_is_not_measured_is_not_past_its_limit() {
        let mut manager = AlertManager::default();
        for second in 0..=30 {
            manager.check(Duration::from_secs(second), &measured(150.0, 1));
        }
        let [alert] = manager.check(Duration::from_secs(31), &Metrics::default()).try_into().unwrap();
        assert_eq!((alert.event, alert.value), (AlertEvent::Resolved, None));
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut manager = AlertManager::default();
        assert_eq!(told(&mut manager, &[(50..60, 150.0), (0..10, 150.0), (60..79, 150.0)]), []);
        assert_eq!(told(&mut manager, &[(80..81, 150.0)]), [(80, AlertEvent::Firing)]);
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken;

    impl AlertSink for Broken {
        fn send(&mut self, _: &Alert) -> io::Result<()> {
            Err(io::Error::other("nobody there"))
        }
    }

    #[test]
    fn a_log_has_a_line_for_each_and_what_is_lost_is_counted() {
        let log = Log::default();
        let mut manager = AlertManager::default();
        manager.add_sink(LogSink::new(log.clone()));
        manager.add_sink(Broken);
        told(&mut manager, &[(0..40, 150.0), (40..41, 20.0)]);
        let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = written.lines().collect();
        assert_eq!(
            lines,
            [
                "warning: AllocationLatencyHigh: p99 of a decision is 150.0 ms, the limit 100.0 ms, for 30 s; decisions are slow: \
                 look at the stages, and whether the graph is scanned without an index",
                "warning resolved: AllocationLatencyHigh: p99 of a decision is 20.0 ms, the limit 100.0 ms, after 40 s",
            ]
        );
        assert_eq!(manager.undelivered(), 2);
    }
}
