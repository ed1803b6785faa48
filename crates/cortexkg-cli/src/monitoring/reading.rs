//! What a metrics file says, in the terms of somebody who looks on.

use serde::Serialize;

use super::exposition::{Exposition, Sample};

/// Seconds without an update after which a file is stale: it is written about every second.
const STALE_S: f64 = 10.0;
/// Most entries of a list.
const ENTRIES_MAX: usize = 64;

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    /// It goes on.
    Running,
    /// Nothing has been written for a while: it waits for input, or ended without saying so.
    Stale,
    /// It is over.
    Ended,
}

/// What a metrics file says.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reading {
    /// Whether the run goes on.
    pub(crate) state: RunState,
    /// Version of the program that runs.
    pub(crate) version: Option<String>,
    /// Seconds from the beginning of the run to the last update.
    pub(crate) elapsed_s: Option<f64>,
    /// Seconds since the last update.
    pub(crate) age_s: Option<f64>,
    /// Decisions per second, lately.
    pub(crate) decisions_per_s: Option<f64>,
    /// What lately is, in seconds.
    pub(crate) window_s: Option<f64>,
    /// Time of a decision lately, in microseconds, by the share that stayed within: p50, p90, p99.
    pub(crate) latency_us: Vec<(String, f64)>,
    /// Facts by what became of them.
    pub(crate) facts: Vec<(String, u64)>,
    /// Decisions by outcome.
    pub(crate) decisions: Vec<(String, u64)>,
    /// Time of a decision since the start, by the way that candidates were found.
    pub(crate) methods: Vec<Times>,
    /// Time of the steps of a decision since the start.
    pub(crate) stages: Vec<Times>,
    /// Tiers that have been read.
    pub(crate) tiers: Vec<Tier>,
    /// Share of the nearest vectors that the index finds, 0 to 1.
    pub(crate) index_recall: Option<f64>,
    /// Share of the true matches that are among the candidates, 0 to 1.
    pub(crate) blocking_recall: Option<f64>,
    /// Memory of the process in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// Bytes by structure.
    pub(crate) bytes: Vec<(String, u64)>,
    /// Vectors by precision.
    pub(crate) vectors: Vec<(String, u64)>,
    /// How much is in the graph: nodes, facts, edges.
    pub(crate) graph: Vec<(String, u64)>,
    /// Changes that the engine made to its own settings: layer, outcome, how often.
    pub(crate) adaptations: Vec<(String, String, u64)>,
    /// Mentions that a layer was to be used for and was not: layer, reason, how often.
    pub(crate) fallbacks: Vec<(String, String, u64)>,
    /// Alerts that there could be.
    pub(crate) alerts: Vec<AlertState>,
}

/// How long something takes, by a histogram: in microseconds, interpolated within its buckets as Prometheus does.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Times {
    /// Of what.
    pub(crate) name: String,
    /// How many were timed.
    pub(crate) count: u64,
    /// The mean.
    pub(crate) mean_us: f64,
    /// Half took no longer.
    pub(crate) p50_us: f64,
    /// 9 of 10 took no longer.
    pub(crate) p90_us: f64,
    /// 99 of 100 took no longer.
    pub(crate) p99_us: f64,
    /// How many fell into each bucket, from the first to the last that is not empty.
    pub(crate) distribution: Vec<u64>,
}

/// Reads of a tier.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Tier {
    /// Its name; l3 is the store.
    pub(crate) name: String,
    /// Reads that came to it.
    pub(crate) reads: u64,
    /// Share of them that it answered, 0 to 1.
    pub(crate) hit_rate: f64,
}

/// An alert that there could be.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AlertState {
    /// Its name.
    pub(crate) name: String,
    /// How bad it is.
    pub(crate) level: String,
    /// Whether it is firing.
    pub(crate) is_firing: bool,
}

impl Reading {
    /// What a text said at a time, in seconds since 1970.
    pub(crate) fn of(text: &Exposition, now_s: f64) -> Self {
        let updated_s = text.value("cortexkg_run_update_time_seconds");
        let started_s = text.value("cortexkg_run_start_time_seconds");
        let age_s = updated_s.map(|updated_s| (now_s - updated_s).max(0.0));
        let is_ended = text.value("cortexkg_run_ended").is_some_and(|ended| ended > 0.0);
        let counts = |name, label| -> Vec<(String, u64)> {
            text.by(name, label)
                .take(ENTRIES_MAX)
                .map(|(word, value)| (word.to_owned(), whole(value)))
                .collect()
        };
        let graph = ["nodes", "facts", "edges"].into_iter().filter_map(|what| {
            let value = text.value(&format!("cortexkg_graph_{what}"))?;
            Some((what.to_owned(), whole(value)))
        });
        let mut bytes = counts("cortexkg_structure_bytes", "structure");
        bytes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let latency = text.by("cortexkg_window_allocation_duration_seconds", "percentile");
        Self {
            state: match age_s {
                _ if is_ended => RunState::Ended,
                Some(age_s) if age_s < STALE_S => RunState::Running,
                _ => RunState::Stale,
            },
            version: text.of("cortexkg_build_info").find_map(|info| info.label("version").map(str::to_owned)),
            elapsed_s: updated_s
                .zip(started_s)
                .map(|(updated_s, started_s)| (updated_s - started_s).max(0.0)),
            age_s,
            decisions_per_s: text.value("cortexkg_window_decisions_per_second"),
            window_s: text.value("cortexkg_window_seconds"),
            latency_us: latency
                .filter(|(_, seconds)| seconds.is_finite())
                .take(ENTRIES_MAX)
                .map(|(share, seconds)| (share.to_owned(), seconds * 1e6))
                .collect(),
            facts: counts("cortexkg_facts_total", "outcome"),
            decisions: counts("cortexkg_decisions_total", "decision"),
            methods: times(text, "cortexkg_allocation_duration_seconds", "method"),
            stages: times(text, "cortexkg_stage_duration_seconds", "stage"),
            tiers: tiers(text),
            index_recall: text.value("cortexkg_index_recall_ratio"),
            blocking_recall: text.value("cortexkg_blocking_recall_ratio"),
            resident_bytes: text.value("cortexkg_resident_memory_bytes").map(whole),
            bytes,
            vectors: counts("cortexkg_vectors", "precision"),
            graph: graph.collect(),
            adaptations: pairs(text, "cortexkg_adaptations_total", "outcome"),
            fallbacks: pairs(text, "cortexkg_fallbacks_total", "reason"),
            alerts: text.of("cortexkg_alert_firing").filter_map(alert).take(ENTRIES_MAX).collect(),
        }
    }

    /// Decisions of every outcome.
    #[must_use]
    pub(crate) fn decisions_total(&self) -> u64 {
        self.decisions.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

fn alert(sample: &Sample) -> Option<AlertState> {
    let name = sample.label("alert")?.to_owned();
    Some(AlertState { name, level: sample.label("level")?.to_owned(), is_firing: sample.value > 0.0 })
}

fn pairs(text: &Exposition, name: &str, other: &str) -> Vec<(String, String, u64)> {
    let pair = |sample: &Sample| {
        Some((sample.label("layer")?.to_owned(), sample.label(other)?.to_owned(), whole(sample.value)))
    };
    text.of(name).filter_map(pair).take(ENTRIES_MAX).collect()
}

#[allow(clippy::cast_precision_loss)]
fn tiers(text: &Exposition) -> Vec<Tier> {
    let reads = |tier: &str, outcome: &str| {
        let is_it =
            |sample: &&Sample| sample.label("tier") == Some(tier) && sample.label("outcome") == Some(outcome);
        text.of("cortexkg_tier_reads_total").find(is_it).map(|sample| whole(sample.value))
    };
    let tier = |name: &str| {
        let (hits, misses) = (reads(name, "hit")?, reads(name, "miss")?);
        let reads = hits.saturating_add(misses);
        (reads > 0).then(|| Tier { name: name.to_owned(), reads, hit_rate: hits as f64 / reads as f64 })
    };
    ["l1", "l2", "l3"].into_iter().filter_map(tier).collect()
}

/// The histograms of a family that have counted something.
fn times(text: &Exposition, family: &str, label: &str) -> Vec<Times> {
    let (counts, buckets) = (format!("{family}_count"), format!("{family}_bucket"));
    let sums = format!("{family}_sum");
    let one = |(name, count): (&str, f64)| {
        let count = whole(count);
        let sum_s = text.by(&sums, label).find(|(of, _)| *of == name).map_or(0.0, |(_, sum)| sum);
        let mut bounds: Vec<(f64, u64)> = text
            .of(&buckets)
            .filter(|sample| sample.label(label) == Some(name))
            .filter_map(|sample| Some((bound(sample.label("le")?)?, whole(sample.value))))
            .collect();
        bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        (count > 0).then(|| Times::of(name, count, sum_s, &bounds))
    };
    text.by(&counts, label).take(ENTRIES_MAX).filter_map(one).collect()
}

fn bound(text: &str) -> Option<f64> {
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok().filter(|bound: &f64| !bound.is_nan()) }
}

impl Times {
    /// `bounds` are upper bounds in seconds, ascending, each with all that is within it.
    #[allow(clippy::cast_precision_loss)]
    fn of(name: &str, count: u64, sum_s: f64, bounds: &[(f64, u64)]) -> Self {
        let mut before = 0;
        let each = bounds.iter().map(|&(_, within)| {
            let here = within.saturating_sub(before);
            before = before.max(within);
            here
        });
        let distribution: Vec<u64> = each.skip_while(|&here| here == 0).collect();
        let filled = distribution.iter().rposition(|&here| here > 0).map_or(0, |last| last + 1);
        let us = |share| quantile_s(bounds, share).unwrap_or_default() * 1e6;
        Self {
            name: name.to_owned(),
            count,
            mean_us: sum_s * 1e6 / count as f64,
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            distribution: distribution.into_iter().take(filled).collect(),
        }
    }
}

/// What a share of all stays within, interpolated within its bucket; beyond the last bound, that bound.
#[allow(clippy::cast_precision_loss)]
fn quantile_s(bounds: &[(f64, u64)], share: f64) -> Option<f64> {
    let rank = share * bounds.last()?.1 as f64;
    let at = bounds.iter().position(|&(_, within)| within as f64 >= rank)?;
    let (upper, within) = *bounds.get(at)?;
    let (lower, before) = at.checked_sub(1).and_then(|at| bounds.get(at).copied()).unwrap_or((0.0, 0));
    if upper.is_infinite() {
        return Some(lower);
    }
    let here = within.saturating_sub(before) as f64;
    let part = if here > 0.0 { (rank - before as f64) / here } else { 1.0 };
    Some(lower + (upper - lower) * part)
}

/// A value that counts something; what cannot, is 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let bounds = [(0.001, 50), (0.002, 90), (0.004, 100), (f64::INFINITY, 100)];
        assert_eq!(quantile_s(&bounds, 0.5), Some(0.001));
        assert_eq!(quantile_s(&bounds, 0.7), Some(0.0015));
        assert_eq!(quantile_s(&bounds, 0.95), Some(0.003));
        assert_eq!(quantile_s(&[(0.001, 1), (f64::INFINITY, 10)], 0.9), Some(0.001), "beyond the last bound");
        assert_eq!(quantile_s(&[], 0.9), None);
        let times = Times::of("hnsw", 100, 0.1, &bounds);
        assert_eq!((times.mean_us, times.distribution), (1000.0, vec![50, 40, 10]));
    }

    #[test]
    fn a_run_goes_on_or_is_stale_or_over() {
        let at = |ended: u8, now_s| {
            let text = format!(
                "cortexkg_run_start_time_seconds 90\ncortexkg_run_update_time_seconds 100\ncortexkg_run_ended {ended}\n"
            );
            let reading = Reading::of(&Exposition::parse(text.as_bytes()), now_s);
            assert_eq!(reading.elapsed_s, Some(10.0));
            reading.state
        };
        assert_eq!(at(0, 101.0), RunState::Running);
        assert_eq!(at(0, 99.0), RunState::Running, "clocks differ a little");
        assert_eq!(at(0, 111.0), RunState::Stale);
        assert_eq!(at(1, 111.0), RunState::Ended);
        assert_eq!(Reading::of(&Exposition::default(), 0.0).state, RunState::Stale);
    }

    #[test]
    fn numbers_that_cannot_be_do_no_harm() {
        let text = b"cortexkg_decisions_total{decision=\"new\"} -1\ncortexkg_decisions_total{decision=\"existing\"} NaN\n\
            cortexkg_decisions_total{decision=\"possible\"} +Inf\ncortexkg_decisions_total{decision=\"more\"} 1e300\n\
            cortexkg_stage_duration_seconds_count{stage=\"store\"} 5\n\
            cortexkg_stage_duration_seconds_bucket{stage=\"store\",le=\"x\"} 5\n\
            cortexkg_stage_duration_seconds_bucket{stage=\"store\",le=\"0.1\"} 9\n\
            cortexkg_stage_duration_seconds_bucket{stage=\"store\",le=\"0.2\"} 3\n";
        let reading = Reading::of(&Exposition::parse(text), 0.0);
        assert_eq!(reading.decisions_total(), u64::MAX);
        assert_eq!(reading.stages[0].distribution, [9]);
    }
}
