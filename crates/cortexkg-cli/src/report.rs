//! What a run did, as a table for people and as JSON for programs.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use cortexkg::AllocationEngine;
use cortexkg::Decision;
use cortexkg_scalable::Setting;
use cortexkg_scalable::adaptive::{AdaptationEvent, AdaptationOutcome};
use serde::Serialize;

use crate::allocation::{Allocator, Counts, RateRow, Timed, per_second};
use crate::durable::StoreReport;
use crate::failure::Failure;
use crate::input::Format;
use crate::layers::settings_table;
use crate::palette::Palette;
use crate::process::memory_peak_bytes;
use crate::tables::{CELL_CHARS_MAX, listing, one_line};

/// Everything measured in one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the source.
    pub source: String,
    /// Format it was read in.
    pub format: Format,
    /// Facts taken in.
    pub records: u64,
    /// Records refused by the reader or the engine.
    pub rejected: u64,
    /// Records that were in the graph already; absent in memory, where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// Mentions allocated.
    pub mentions: u64,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Mentions by outcome.
    pub decisions: Decisions,
    /// Wall time in seconds, reading and writing included.
    pub elapsed_s: f64,
    /// Mentions decided per second of wall time.
    pub decisions_per_s: f64,
    /// Time of a decision inside the engine.
    pub latency_us: Latency,
    /// Peak of resident memory in bytes, where the system tells.
    pub memory_peak_bytes: Option<u64>,
    /// Bytes held by each structure of the engine.
    pub memory_bytes: BTreeMap<&'static str, usize>,
    /// Hash of everything that can change a later decision.
    pub state_hash: String,
    /// What the store did; absent in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreReport>,
    /// What was set of the layers, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What layers that set themselves have done, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adaptations: Vec<AdaptationEvent>,
    /// The rate of each full stretch of records.
    pub rates: Vec<RateRow>,
    /// Length of such a stretch in records.
    pub rate_every: u64,
    /// Why the run ended early, if it did.
    pub error: Option<String>,
}

/// Mentions by outcome.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Decisions {
    /// Put with a node that was there before.
    pub existing: u64,
    /// Given a new node.
    pub new: u64,
    /// Too close to call.
    pub possible: u64,
}

impl From<Counts> for Decisions {
    fn from(counts: Counts) -> Self {
        Self { existing: counts.existing, new: counts.new, possible: counts.possible }
    }
}

/// Time of a decision in microseconds; absent if nothing was decided.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Half of the decisions took no longer.
    pub p50: Option<f64>,
    /// 99 of 100 decisions took no longer.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// `decision`; `batch_mean` where facts were decided in batches and only their mean is known; `commit` where each was committed
    /// by itself, which is part of the time.
    pub of: Timed,
}

impl Report {
    /// The state of `allocator` at the end of a run over `source`.
    ///
    /// # Errors
    /// Where the store of a graph cannot be read.
    pub fn of(
        allocator: &Allocator,
        source: &str,
        format: Format,
        rejected: u64,
        rate_every: u64,
    ) -> Result<Self, Failure> {
        let (counts, latency, elapsed) = (allocator.counts(), allocator.latency(), allocator.elapsed());
        Ok(Self {
            source: source.to_owned(),
            format,
            records: counts.records,
            rejected,
            repeated: None,
            mentions: counts.mentions,
            nodes: allocator.ask(AllocationEngine::node_count),
            decisions: counts.into(),
            elapsed_s: elapsed.as_secs_f64(),
            decisions_per_s: per_second(counts.mentions, elapsed),
            latency_us: Latency {
                p50: latency.quantile_us(0.5),
                p99: latency.quantile_us(0.99),
                max: latency.max_us(),
                of: allocator.timed(),
            },
            memory_peak_bytes: memory_peak_bytes(),
            memory_bytes: allocator.ask(AllocationEngine::memory).into_iter().collect(),
            state_hash: allocator.state_hash()?.to_string(),
            store: None,
            settings: Vec::new(),
            adaptations: allocator.adaptations(),
            rates: allocator.rates().to_vec(),
            rate_every,
            error: None,
        })
    }

    /// The report as aligned text.
    pub fn to_table(&self, palette: Palette) -> String {
        let us = |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |us| format!("{us:.1} µs"));
        let kind = match self.latency_us.of {
            Timed::Decision => "",
            Timed::BatchMean => " (mean of its batch)",
            Timed::Commit => " with its commit",
        };
        let memory = match self.memory_peak_bytes {
            Some(bytes) => format!("{:.1} MiB", mib(bytes)),
            None => "n/a".to_owned(),
        };
        let mut table = plain();
        for (name, value) in [("records", grouped(self.records)), ("rejected", grouped(self.rejected))] {
            table.add_row([name, &value]);
        }
        if let Some(repeated) = self.repeated {
            table.add_row(["repeated", &grouped(repeated)]);
        }
        for (name, value) in [
            ("mentions", grouped(self.mentions)),
            ("nodes", grouped(self.nodes as u64)),
            ("  existing", grouped(self.decisions.existing)),
            ("  new", grouped(self.decisions.new)),
            ("  possible", grouped(self.decisions.possible)),
            ("rate", format!("{} decisions/s", grouped(rounded(self.decisions_per_s)))),
            (&format!("p50 of a decision{kind}"), us(self.latency_us.p50)),
            (&format!("p99 of a decision{kind}"), us(self.latency_us.p99)),
            ("peak memory", memory),
        ] {
            table.add_row([name, &value]);
        }
        if let Some(store) = &self.store {
            let rounded = |figure: Option<f64>, digits, unit| match figure {
                Some(figure) => format!("{figure:.digits$}{unit}"),
                None => "n/a".to_owned(),
            };
            for (name, value) in [
                ("facts in the graph", grouped(store.facts as u64)),
                ("durability", store.durability.name().to_owned()),
                ("commits", grouped(store.commits)),
                ("on disk per fact", rounded(store.disk_bytes_per_fact, 0, " B")),
                ("write amplification", rounded(store.write_amplification, 2, "")),
            ] {
                table.add_row([name, &value]);
            }
        }
        right_align(&mut table, 1);
        let mut text = table.trim_fmt();
        // The table is laid out by now: a word that is painted keeps its place.
        for decision in [Decision::Existing, Decision::New, Decision::Possible] {
            let word = decision.to_string();
            text = text.replacen(
                &format!("   {word} "),
                &format!("   {} ", palette.decision(decision, &word)),
                1,
            );
        }
        text.push_str(&format!("\n state hash  {}\n", palette.faint(&self.state_hash)));
        if !self.adaptations.is_empty() {
            let rows = self.adaptations.iter().map(|event| {
                let outcome = match event.outcome {
                    AdaptationOutcome::Applied => "tried",
                    AdaptationOutcome::Kept => "kept",
                    AdaptationOutcome::RolledBack => "taken back",
                };
                let reason = one_line(&event.reason, CELL_CHARS_MAX);
                [grouped(event.position), event.rule.to_owned(), outcome.to_owned(), reason]
            });
            text.push_str(&format!(
                "\n{}",
                listing(["operation", "rule", "was", "because"], rows, &[0], palette)
            ));
        }
        if !self.settings.is_empty() {
            text.push_str(&format!("\n{}", settings_table(self.settings.clone(), palette)));
        }
        if !self.rates.is_empty() {
            let title = format!("rate per {} records", grouped(self.rate_every));
            text.push_str(&format!("\n{}\n{}\n", palette.heading(&title), self.rate_table().trim_fmt()));
        }
        text
    }

    fn rate_table(&self) -> Table {
        let mut table = plain();
        table.set_header(["records", "nodes", "decisions/s", "engine µs"]);
        for row in &self.rates {
            table.add_row([
                grouped(row.records),
                grouped(row.nodes as u64),
                grouped(rounded(row.decisions_per_s)),
                format!("{:.1}", row.engine_mean_us),
            ]);
        }
        (0..4).for_each(|column| right_align(&mut table, column));
        table
    }
}

/// A table without lines.
pub fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Aligns a column to the right.
pub fn right_align(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[allow(clippy::cast_precision_loss)]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
