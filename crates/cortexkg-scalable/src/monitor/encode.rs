//! Meters as metrics of a Prometheus registry, in the order in which a dashboard shows them.

use std::fmt;

use cortexkg::{Stage, UNIT};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::collector::{Meters, Rare, precisions};
use super::labels::{DECISIONS, METHODS};
use super::latency::LatencyHistogram;

/// Labels of a sample.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Collector for Meters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let to = &mut encoder;
        let rare = self.rare().clone();
        self.run(to, &rare)?;
        self.decided(to)?;
        self.timed(to)?;
        lately(to, &rare)?;
        tiers(to, &rare)?;
        held(to, &rare)?;
        changed(to, &rare)
    }
}

impl Meters {
    fn run(&self, to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        gauges(to, "build_info", "Version of the program", None, [(&version[..], 1u64)])?;
        if let Some(run) = rare.run {
            let seconds = Some(&Unit::Seconds);
            let since = "since 1970-01-01T00:00:00Z";
            gauge(
                to,
                "run_start_time",
                &format!("When the run began, {since}"),
                seconds,
                Some(run.started_s),
            )?;
            gauge(
                to,
                "run_update_time",
                &format!("When this was measured, {since}"),
                seconds,
                Some(run.updated_s),
            )?;
            gauge(to, "run_ended", "Whether the run is over: 0 or 1", None, Some(u64::from(run.is_ended)))?;
        }
        Ok(())
    }

    fn decided(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let facts = self.facts();
        let outcomes =
            [("allocated", facts.allocated), ("refused", facts.refused), ("repeated", facts.repeated)];
        counters(to, "facts", "Facts by what became of them", labelled("outcome", outcomes))?;
        let counts = self.decisions();
        let decisions = DECISIONS.into_iter().zip([counts.existing, counts.new, counts.possible]);
        counters(to, "decisions", "Decisions by outcome; a triple has two", labelled("decision", decisions))
    }

    fn timed(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = to.encode_descriptor(
            "allocation_duration",
            "Time of a decision by the way that its candidates were found",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (method, times) in METHODS.iter().zip(&self.methods) {
            histogram(&mut family, ("method", method), &times.snapshot())?;
        }
        let mut family = to.encode_descriptor(
            "stage_duration",
            "Time of a stage: of one mention, or for store of one commit",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for stage in Stage::ALL {
            histogram(&mut family, ("stage", stage.name()), &self.stages[stage as usize].snapshot())?;
        }
        Ok(())
    }
}

fn lately(to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
    let Some(window) = rare.window else { return Ok(()) };
    gauge(
        to,
        "window",
        "Length of the window of the other window metrics",
        Some(&Unit::Seconds),
        Some(window.window_s),
    )?;
    gauge(
        to,
        "window_decisions_per_second",
        "Decisions per second in the window",
        None,
        Some(window.decisions_per_s),
    )?;
    let percentiles = [
        ("p50", window.allocation_p50_us),
        ("p90", window.allocation_p90_us),
        ("p99", window.allocation_p99_us),
    ];
    let percentiles = percentiles.into_iter().filter_map(|(name, us)| Some((name, us? / 1e6)));
    let help = "Time that a share of the decisions in the window stayed within, at most 1/32 too high";
    gauges(to, "window_allocation_duration", help, Some(&Unit::Seconds), labelled("percentile", percentiles))
}

fn tiers(to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
    let Some(tiers) = &rare.tiers else { return Ok(()) };
    let stored = tiers.l3.rows.saturating_sub(tiers.l3.absent);
    let reads = [
        ("l1", "hit", tiers.l1.hits),
        ("l1", "miss", tiers.l1.misses),
        ("l2", "hit", tiers.l2.hits),
        ("l2", "miss", tiers.l2.misses),
        ("l3", "hit", stored),
        ("l3", "miss", tiers.l3.absent),
    ];
    let reads = reads.map(|(tier, outcome, count)| ([("tier", tier), ("outcome", outcome)], count));
    counters(to, "tier_reads", "Reads of a tier; l3 is the store", reads)?;
    let both = [("l1", tiers.l1), ("l2", tiers.l2)];
    counters(
        to,
        "tier_evictions",
        "Entries that gave way to others",
        labelled("tier", both.map(|(tier, of)| (tier, of.evictions))),
    )?;
    gauges(
        to,
        "tier",
        "Bytes of a tier, keeping books included",
        Some(&Unit::Bytes),
        labelled("tier", both.map(|(tier, of)| (tier, of.bytes))),
    )
}

fn held(to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
    let bytes = rare.bytes.iter().map(|(&name, &bytes)| (name, bytes));
    gauges(
        to,
        "structure",
        "Bytes of a structure, counted",
        Some(&Unit::Bytes),
        labelled("structure", bytes),
    )?;
    gauge(
        to,
        "resident_memory",
        "Memory of the process, by the system",
        Some(&Unit::Bytes),
        rare.resident_bytes,
    )?;
    let vectors = precisions(&rare.vectors);
    gauges(to, "vectors", "Vectors by what they are kept at", None, labelled("precision", vectors))?;
    quantized(to, rare)?;
    let graph = rare.graph;
    gauge(to, "graph_nodes", "Nodes of the graph", None, graph.map(|graph| graph.nodes))?;
    gauge(
        to,
        "graph_facts",
        "Facts of the graph that are not forgotten",
        None,
        graph.map(|graph| graph.facts),
    )?;
    gauge(to, "graph_edges", "Edges of the graph", None, graph.map(|graph| graph.edges))?;
    let ratio = Unit::Other("ratio".to_owned());
    let help = "Share of the nearest vectors that the index finds, by its own estimate";
    gauge(to, "index_recall", help, Some(&ratio), rare.index_recall)?;
    let help = "Share of the true matches that are among the candidates";
    gauge(to, "blocking_recall", help, Some(&ratio), rare.blocking_recall)
}

/// What precision by importance costs and saves.
fn quantized(to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
    let report = rare.quantization;
    let (bytes, ratio) = (Some(&Unit::Bytes), Unit::Other("ratio".to_owned()));
    let held = report.map(|report| report.bytes);
    gauge(to, "vector_index", "Bytes of vectors and links, as their numbers say", bytes, held)?;
    let most = report.and_then(|report| report.bytes_max);
    gauge(to, "vector_budget", "Most bytes that they are to take", bytes, most)?;
    let pressure = report.map(|report| f64::from(report.pressure) / f64::from(UNIT));
    let help = "How far thresholds of importance are raised to stay within the budget, 0 to 1";
    gauge(to, "quantization_pressure", help, Some(&ratio), pressure)?;
    let moved = report.map_or([0; 2], |report| [report.made_finer, report.made_coarser]);
    let help = "Vectors that were moved to another precision";
    counters(to, "vectors_moved", help, labelled("direction", ["finer", "coarser"].into_iter().zip(moved)))?;
    let read = [(&[][..], report.map_or(0, |report| report.read_again))];
    counters(to, "vectors_read_again", "Coarse vectors of which the exact one was read", read)
}

fn changed(to: &mut DescriptorEncoder<'_>, rare: &Rare) -> fmt::Result {
    let adaptations = rare.adaptations.iter();
    let adaptations =
        adaptations.map(|((layer, outcome), &count)| ([("layer", *layer), ("outcome", *outcome)], count));
    counters(to, "adaptations", "Changes that the engine made to its own settings", adaptations)?;
    let fallbacks = rare.fallbacks.iter();
    let fallbacks =
        fallbacks.map(|(fallback, &count)| ([("layer", fallback.layer), ("reason", fallback.reason)], count));
    counters(to, "fallbacks", "Mentions that a layer was to be used for and was not", fallbacks)?;
    let alerts = rare.alerts.iter();
    let alerts =
        alerts.map(|(name, level, fires)| ([("alert", name.as_str()), ("level", *level)], u64::from(*fires)));
    gauges(to, "alert_firing", "Whether an alert is firing: 0 or 1", None, alerts)
}

/// Values with one label each.
fn labelled<'a, V>(
    label: &'a str,
    values: impl IntoIterator<Item = (&'a str, V)>,
) -> impl Iterator<Item = ([(&'a str, &'a str); 1], V)> {
    values.into_iter().map(move |(value, count)| ([(label, value)], count))
}

/// A family of counters.
fn counters<'a, L: AsRef<[(&'a str, &'a str)]>>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (L, u64)>,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in samples {
        let labels: Labels<'_> = labels.as_ref();
        family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
    }
    Ok(())
}

/// A family of gauges.
fn gauges<'a, L: AsRef<[(&'a str, &'a str)]>>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    samples: impl IntoIterator<Item = (L, impl EncodeGaugeValue)>,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in samples {
        let labels: Labels<'_> = labels.as_ref();
        family.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

/// One gauge, if there is something to tell.
fn gauge(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: Option<impl EncodeGaugeValue>,
) -> fmt::Result {
    match value {
        Some(value) => to.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value),
        None => Ok(()),
    }
}

#[allow(clippy::cast_precision_loss)]
fn histogram(
    family: &mut MetricEncoder<'_>,
    label: (&'static str, &'static str),
    times: &LatencyHistogram,
) -> fmt::Result {
    let bound_s = |bound_ns| if bound_ns == u64::MAX { f64::INFINITY } else { bound_ns as f64 / 1e9 };
    let buckets: Vec<(f64, u64)> =
        times.coarse().map(|(bound_ns, count)| (bound_s(bound_ns), count)).collect();
    let labels = [label];
    family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
        times.sum_s(),
        times.count(),
        &buckets,
        None,
    )
}
