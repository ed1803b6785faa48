//! `cortexkg demo`: the restaurants of two guides, decided, scored and explained.

use cortexkg::{Decision, Explanation};

use crate::allocation::Allocator;
use crate::commands::score;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::input::{FactInput, Format, InputOptions, Refusal};
use crate::report::Report;
use crate::scoring::{Grouping, Score, ScoreError};

const RECORDS: &[u8] = include_bytes!("../../../../data/fodors-zagats/records.csv");
const CLUSTERS: &[u8] = include_bytes!("../../../../data/fodors-zagats/clusters.csv");

/// Options of `cortexkg demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The data: 864 restaurants as Fodor's and Zagat's guides list them; 112 stand in both, written differently. It comes
from the RIDDLE repository (University of Texas at Austin) and is part of the program, so nothing is fetched. The
engine is told nothing about the columns and never sees the truth; it decides row by row, in one pass.")]
pub struct Args {
    /// Print report, score and explanations as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Runs the demonstration.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &Args, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut input = FactInput::from_reader(
        RECORDS,
        "fodors-zagats",
        &InputOptions { format: Some(Format::Csv), ..InputOptions::default() },
    )?;
    let mut allocator = Allocator::new(1, 0)?;
    let mut nodes = Grouping::default();
    let mut picks = Picks::default();
    for item in &mut input {
        let entry = match item {
            Ok(entry) => entry,
            Err(Refusal::Rejected(rejection)) => return Err(Failure::Run(rejection.to_string())),
            Err(Refusal::Broken(error)) => return Err(error.into()),
        };
        for allocated in allocator.allocate(vec![entry]) {
            let result = allocated.outcome.map_err(|rejection| Failure::Run(rejection.to_string()))?;
            for mention in result.mentions() {
                nodes.insert(&mention.record_id, &mention.allocated_node.to_string());
                if let Some(explanation) =
                    allocator.engine().explain(allocated.source.as_deref(), &mention.record_id)
                {
                    picks.consider(explanation);
                }
            }
        }
    }
    let report = Report::of(&allocator, "fodors-zagats", Format::Csv, 0, 0);
    let unusable = |error: ScoreError| Failure::Run(error.to_string());
    let truth = Grouping::read(CLUSTERS, "fodors-zagats/clusters.csv", "cluster_id").map_err(unusable)?;
    let score = Score::of(&nodes, &truth).map_err(unusable)?;
    if args.json {
        let picks: Vec<_> = picks.in_order().map(|(_, explanation)| explanation).collect();
        let json = serde_json::json!({ "report": report, "score": score, "explanations": picks });
        console.print(&format!("{json}\n"))?;
        return Ok(Outcome::Complete);
    }
    console.print("864 restaurants from two guides, one pass, no labels, no hints\n\n")?;
    console.print(&report.to_table())?;
    console.print("\nagainst the truth\n")?;
    console.print(&score::table(&score))?;
    for (title, explanation) in picks.in_order() {
        console.print(&format!(
            "\n{title}\n{}{}",
            in_words(explanation),
            truth_of(explanation, &nodes, &truth)
        ))?;
    }
    console.print(
        "\nYour own data: cortexkg allocate FILE --out nodes.csv   (CSV, TSV, JSONL or N-Triples)\n",
    )?;
    Ok(Outcome::Complete)
}

/// The decisions worth telling, picked by what the engine said of them. The first wins where two are equal.
#[derive(Default)]
struct Picks {
    clear: Option<Explanation>,
    close: Option<Explanation>,
    new: Option<Explanation>,
}

impl Picks {
    fn consider(&mut self, explanation: Explanation) {
        if explanation.candidates.is_empty() {
            return;
        }
        let margin = |explanation: &Explanation| explanation.result.margin_bits;
        let rival = |explanation: &Explanation| {
            -explanation.candidates.first().map_or(0.0, |rival| rival.evidence_bits)
        };
        let (slot, rank): (_, &dyn Fn(&Explanation) -> f32) = match explanation.result.decision {
            Decision::Existing => (&mut self.clear, &|explanation| -margin(explanation)),
            Decision::Possible => (&mut self.close, &margin),
            // Nearly all near rivals of an unsure decision are mistakes; the sure ones show what sets two apart.
            Decision::New if explanation.result.confidence < 0.99 => return,
            Decision::New => (&mut self.new, &rival),
        };
        if slot.as_ref().is_none_or(|best| rank(&explanation).total_cmp(&rank(best)).is_lt()) {
            *slot = Some(explanation);
        }
    }

    fn in_order(&self) -> impl Iterator<Item = (&'static str, &Explanation)> {
        let titles = ["A clear match", "A close call", "New, in spite of a rival"];
        std::iter::zip(titles, [&self.clear, &self.close, &self.new])
            .filter_map(|(title, pick)| pick.as_ref().map(|pick| (title, pick)))
    }
}

/// An explanation as a few plain sentences.
fn in_words(explanation: &Explanation) -> String {
    let Explanation { result, mention, candidates, .. } = explanation;
    let Some(rival) = candidates.first() else { return String::new() };
    let sure = f64::from(result.confidence) * 100.0;
    let margin = result.margin_bits;
    let verdict = match result.decision {
        Decision::Existing => format!("is the same as node {}", rival.node),
        Decision::Possible => {
            format!("may be the same as node {}: it gets a node of its own, tied to that one", rival.node)
        }
        Decision::New => format!("is new; the nearest was node {}", rival.node),
    };
    let mut text = format!("  {}: {mention}\n  {verdict}: {}\n", result.record_id, rival.label);
    text.push_str(&format!("  {sure:.1} % sure, {margin:.1} bits ahead of the next best answer\n"));
    for (word, sign) in [("for", 1.0f32), ("against", -1.0)] {
        let mut votes: Vec<_> = rival.votes.iter().filter(|vote| vote.bits * sign >= 0.05).collect();
        votes.sort_by(|left, right| right.bits.abs().total_cmp(&left.bits.abs()));
        for vote in votes.into_iter().take(4) {
            text.push_str(&format!(
                "    {word:<7} {:>6.1} bits  {}: {}\n",
                vote.bits.abs(),
                vote.field,
                vote.reason
            ));
        }
    }
    text
}

/// Whether the mention and its strongest rival are the same thing in truth; the engine never sees this.
fn truth_of(explanation: &Explanation, nodes: &Grouping, truth: &Grouping) -> String {
    let Explanation { result, candidates, .. } = explanation;
    let Some(rival) = candidates.first() else { return String::new() };
    let first = nodes.first_in(&rival.node.to_string());
    match (truth.group(&result.record_id), first.and_then(|first| truth.group(first))) {
        (Some(own), Some(other)) if own == other => "  the truth: the same restaurant\n".to_owned(),
        (Some(_), Some(_)) => "  the truth: two restaurants\n".to_owned(),
        _ => String::new(),
    }
}
