//! Everything that a scorecard says, as a table for people and as JSON for programs.

use cortexkg::{Consolidation, Decision};
use cortexkg_scalable::Setting;
use serde::Serialize;

use super::exhaustive::SampleFigures;
use super::orders::{OrderFigures, Spread};
use super::review::{Argument, Doubt};
use super::stage::{Estimate, StageScore};
use super::witness::DecisionFigures;
use crate::input::Format;
use crate::layers::settings_table;
use crate::palette::Palette;
use crate::report::{Decisions, grouped, rounded};
use crate::scoring::{Reliability, Share};
use crate::tables::{listing, one_line, pairs};

/// A figure of a stage and its interval, as cells.
type ToCells = fn(&StageScore) -> (String, String);

/// Most characters of a line that quotes data.
const LINE_CHARS_MAX: usize = 100;

/// A run and how well it went.
#[derive(Debug, Clone, Serialize)]
pub struct Scorecard {
    /// Name of the source.
    pub source: String,
    /// Format it was read in.
    pub format: Format,
    /// Facts taken in.
    pub records: u64,
    /// Records refused by the reader or the engine.
    pub rejected: u64,
    /// Mentions decided.
    pub mentions: u64,
    /// Nodes when the stream had ended.
    pub nodes: usize,
    /// What consolidation did when the stream had ended.
    pub consolidation: Consolidation,
    /// How long that took.
    pub consolidation_s: f64,
    /// Decisions by band.
    pub decisions: Bands,
    /// Mentions decided per second inside the engine, which keeps its log in memory; reading and measuring not counted.
    pub decisions_per_s: f64,
    /// What was set of the layers, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// Against the truth, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<TruthFigures>,
    /// Recall against a look at every node, if a sample was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exhaustive: Option<SampleFigures>,
    /// The same facts in several orders, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<OrderFigures>,
    /// The least certain decisions, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub review: Vec<Doubt>,
}

/// Decisions by band, and the share of each, 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bands {
    /// How many.
    #[serde(flatten)]
    pub counts: Decisions,
    /// The part of all that were put with a node that was there before.
    pub existing_share: f64,
    /// The part that were too close to call.
    pub possible_share: f64,
    /// The part that were given a new node.
    pub new_share: f64,
}

impl Bands {
    /// The shares of counts.
    pub fn of(counts: Decisions) -> Self {
        let of = counts.existing + counts.possible + counts.new;
        let [existing_share, possible_share, new_share] = [counts.existing, counts.possible, counts.new]
            .map(|count| Share { count, of }.rate().unwrap_or_default());
        Self { counts, existing_share, possible_share, new_share }
    }
}

/// What only the truth can tell.
#[derive(Debug, Clone, Serialize)]
pub struct TruthFigures {
    /// Records that the truth names and that were decided.
    pub labelled: usize,
    /// Records that the truth names and that were not in the input, or refused. They count nowhere.
    pub labelled_missing: usize,
    /// Clusters of the labelled records.
    pub true_clusters: usize,
    /// The allocation at each stage.
    pub stages: Vec<StageScore>,
    /// The decisions, each judged at its moment.
    #[serde(flatten)]
    pub decisions: DecisionFigures,
}

impl Scorecard {
    /// The scorecard as aligned text.
    pub fn to_table(&self, palette: Palette) -> String {
        let mut text = String::new();
        let mut section = |title: &str, body: &str| {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{}\n{body}", palette.heading(title)));
        };
        section("What was decided", &self.run(palette));
        if !self.settings.is_empty() {
            section("What was set", &settings_table(self.settings.clone(), palette));
        }
        if let Some(truth) = &self.truth {
            section("How right that is", &truth.stages(palette));
            section("How each decision was taken", &truth.decisions());
        }
        if let Some(sample) = &self.exhaustive {
            section("Recall against a look at every node", &sampled(sample));
        }
        if let Some(orders) = &self.orders {
            section("The same in other orders", &in_orders(orders, palette));
        }
        if !self.review.is_empty() {
            let doubts: Vec<_> = self.review.iter().map(|doubt| in_lines(doubt, palette)).collect();
            section("Least certain decisions", &doubts.join("\n"));
        }
        text
    }

    fn run(&self, palette: Palette) -> String {
        let Bands { counts, existing_share, possible_share, new_share } = self.decisions;
        let mut rows: Vec<_> = [
            ("records", self.records),
            ("rejected", self.rejected),
            ("mentions", self.mentions),
            ("nodes", self.nodes as u64),
        ]
        .map(|(name, count)| [name.to_owned(), grouped(count), String::new()])
        .into();
        let bands = [
            (Decision::Existing, counts.existing, existing_share),
            (Decision::Possible, counts.possible, possible_share),
            (Decision::New, counts.new, new_share),
        ];
        for (decision, count, share) in bands {
            rows.push([format!("  {decision}"), grouped(count), percent(share)]);
        }
        rows.push(["decisions/s".to_owned(), grouped(rounded(self.decisions_per_s)), String::new()]);
        let Consolidation { splits, merges, .. } = self.consolidation;
        for (name, count) in [("splits afterwards", splits), ("merges afterwards", merges)] {
            rows.push([name.to_owned(), grouped(count as u64), String::new()]);
        }
        rows.push(["  in seconds".to_owned(), format!("{:.1}", self.consolidation_s), String::new()]);
        let mut text = listing(["", "", "share"], rows, &[1, 2], palette);
        // The table is laid out by now: a word that is painted keeps its place.
        for (decision, ..) in bands {
            let word = decision.to_string();
            text =
                text.replacen(&format!(" {word} "), &format!(" {} ", palette.decision(decision, &word)), 1);
        }
        text
    }
}

impl TruthFigures {
    /// One column per stage, each with its interval.
    fn stages(&self, palette: Palette) -> String {
        let rows: [(&str, ToCells); 8] = [
            ("pairwise precision", |stage| cells(stage.pairwise.precision)),
            ("pairwise recall", |stage| cells(stage.pairwise.recall)),
            ("pairwise F1", |stage| cells(stage.pairwise.f1)),
            ("B-cubed precision", |stage| cells(stage.b_cubed.precision)),
            ("B-cubed recall", |stage| cells(stage.b_cubed.recall)),
            ("B-cubed F1", |stage| cells(stage.b_cubed.f1)),
            ("adjusted Rand index", |stage| (figure(stage.adjusted_rand_index), String::new())),
            ("nodes", |stage| (grouped(stage.nodes as u64), String::new())),
        ];
        let mut header = vec![String::new()];
        header.extend(
            self.stages.iter().flat_map(|stage| [stage.stage.to_owned(), "95 % interval".to_owned()]),
        );
        let rows = rows.iter().map(|(name, of)| {
            let mut row = vec![(*name).to_owned()];
            for stage in &self.stages {
                let (value, interval) = of(stage);
                row.extend([value, interval]);
            }
            row
        });
        let right: Vec<usize> = (1..header.len()).collect();
        let missing = match self.labelled_missing {
            0 => String::new(),
            missing => format!("; {} more are not in the input", grouped(missing as u64)),
        };
        format!(
            "{} {} labelled records in {} true clusters{missing}\n",
            listing(header, rows, &right, palette),
            grouped(self.labelled as u64),
            grouped(self.true_clusters as u64)
        )
    }

    fn decisions(&self) -> String {
        let DecisionFigures {
            blocking_recall,
            false_links,
            false_links_upper_bound,
            calibration,
            calibration_unsure,
        } = &self.decisions;
        let bound = false_links_upper_bound.map_or_else(String::new, |bound| {
            format!("; at most {} in truth, with 95 % confidence", figure(bound))
        });
        let error = |of: &Reliability| if of.decisions == 0 { none() } else { figure(of.ece) };
        let rough = |of: &Reliability| {
            if of.decisions > 0 && of.is_rough() { "; so few overstate it" } else { "" }
        };
        let rows = [
            (
                "blocking recall",
                rate(*blocking_recall),
                counted(*blocking_recall, "decisions whose true node was there"),
            ),
            ("false merges", rate(*false_links), counted(*false_links, "links") + &bound),
            (
                "calibration error",
                error(calibration),
                format!(
                    "over {} decisions that had a candidate{}",
                    grouped(calibration.decisions),
                    rough(calibration)
                ),
            ),
            (
                "  unsure ones",
                error(calibration_unsure),
                format!(
                    "over {} of them between 0.01 and 0.99{}",
                    grouped(calibration_unsure.decisions),
                    rough(calibration_unsure)
                ),
            ),
        ];
        explained(rows)
    }
}

fn sampled(sample: &SampleFigures) -> String {
    let SampleFigures { records, best_recalled, best_link_recalled } = sample;
    let row = |name, share: &Share, what: &str| (name, rate(*share), counted(*share, what));
    let bound = best_link_recalled.rest().upper_bound().map_or_else(String::new, |bound| {
        format!("; at most {} are missed in truth, with 95 % confidence", figure(bound))
    });
    let mut rows = [
        row("best node", best_recalled, "sampled records that anything spoke for"),
        row("best link", best_link_recalled, "where it would be linked"),
    ];
    rows[1].2.push_str(&bound);
    format!("{} {} records sampled\n", explained(rows), grouped(*records as u64))
}

fn in_orders(figures: &OrderFigures, palette: Palette) -> String {
    let mut rows = Vec::new();
    for stage in &figures.stages {
        let spreads = [
            ("nodes", stage.nodes, 0),
            ("agreement (adjusted Rand)", stage.agreement, 4),
            ("pairwise F1", stage.pair_f1, 4),
            ("B-cubed F1", stage.b_cubed_f1, 4),
            ("wrong pairs", stage.wrong_pairs, 0),
        ];
        for (name, spread, digits) in spreads {
            let Some(Spread { least, mean, greatest }) = spread else { continue };
            let cells = [least, mean, greatest].map(|value| format!("{value:.digits$}"));
            rows.push([stage.stage.to_owned(), name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>());
        }
    }
    let table = listing(["", "", "least", "mean", "greatest"], rows, &[2, 3, 4], palette);
    format!("{table} {} orders\n", figures.orders)
}

/// A name, a figure and what it rests on, one a line.
fn explained<const N: usize>(rows: [(&str, String, String); N]) -> String {
    let (names, notes): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|(name, value, note)| ((name.to_owned(), value), note)).unzip();
    let lines = pairs(names);
    let lines = lines.lines().zip(&notes).map(|(line, note)| format!("{line}   {note}\n"));
    lines.collect()
}

/// A decision in doubt: what it is of, and what speaks on either side.
fn in_lines(doubt: &Doubt, palette: Palette) -> String {
    let said = |arguments: &[Argument]| {
        let said: Vec<_> = arguments
            .iter()
            .map(|Argument { field, bits }| {
                format!("{} {}", one_line(field, 32), palette.evidence(*bits, &format!("{bits:+.1}")))
            })
            .collect();
        if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
    };
    let decision = palette.decision(doubt.decision, &doubt.decision.to_string());
    let lines =
        [("record", &doubt.record_id, &doubt.record), ("node", &doubt.node.to_string(), &doubt.label)]
            .map(|(kind, name, line)| one_line(&format!("   {kind:<6}  {name}  {line}"), LINE_CHARS_MAX));
    format!(
        " {:.4}  {decision}\n{}\n{}\n   for {}; against {}\n",
        doubt.confidence,
        lines[0],
        lines[1],
        said(&doubt.speaks_for),
        said(&doubt.speaks_against)
    )
}

fn cells(estimate: Estimate) -> (String, String) {
    let interval = estimate.interval;
    (figure(estimate.value), format!("{} – {}", figure(interval.low), figure(interval.high)))
}

fn rate(share: Share) -> String {
    share.rate().map_or_else(none, figure)
}

fn counted(share: Share, what: &str) -> String {
    format!("{} of {} {what}", grouped(share.count), grouped(share.of))
}

fn figure(value: f64) -> String {
    format!("{value:.4}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn none() -> String {
    "n/a".to_owned()
}
