//! `cortexkg demo`: the restaurants of two guides, decided, scored and explained.

use cortexkg::{Decision, DurableEngine, EngineConfig, Explanation};
use cortexkg_scalable::ScalabilityConfig;
use cortexkg_store::{MemoryStore, Sync};

use crate::allocation::Allocator;
use crate::commands::score;
use crate::console::Console;
use crate::evaluation::Stage;
use crate::failure::{Failure, Outcome};
use crate::input::{FactInput, Format, InputOptions, Refusal};
use crate::palette::Palette;
use crate::report::Report;
use crate::scoring::{Grouping, Score, ScoreError};
use crate::tables::one_line;

const RECORDS: &[u8] = include_bytes!("../../../../data/fodors-zagats/records.csv");
const CLUSTERS: &[u8] = include_bytes!("../../../../data/fodors-zagats/clusters.csv");

/// Options of `cortexkg demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The data: 864 restaurants as Fodor's and Zagat's guides list them; 112 stand in both, written differently. It comes
from the RIDDLE repository (University of Texas at Austin) and is part of the program, so nothing is fetched. The
engine is told nothing about the columns and never sees the truth; it decides row by row, in one pass, and then looks
again at what it decided.")]
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
    let mut allocator = Allocator::new(EngineConfig::default(), ScalabilityConfig::default(), 1, 0)?;
    let mut nodes = Grouping::default();
    let mut facts = Vec::new();
    let mut picks = Picks::default();
    for item in &mut input {
        let entry = match item {
            Ok(entry) => entry,
            Err(Refusal::Rejected(rejection)) => return Err(Failure::Run(rejection.to_string())),
            Err(Refusal::Broken(error)) => return Err(error.into()),
        };
        facts.push(entry.fact.clone());
        for allocated in allocator.allocate(vec![entry])? {
            let result = allocated.outcome.map_err(|rejection| Failure::Run(rejection.to_string()))?;
            for mention in result.mentions() {
                nodes.insert(&mention.record_id, &mention.allocated_node.to_string());
                if let Some(explanation) =
                    allocator.explain(allocated.source.as_deref(), &mention.record_id)?
                {
                    picks.consider(explanation);
                }
            }
        }
    }
    let report = Report::of(&allocator, "fodors-zagats", Format::Csv, 0, 0)?;
    let unusable = |error: ScoreError| Failure::Run(error.to_string());
    let truth = Grouping::read(CLUSTERS, "fodors-zagats/clusters.csv", "cluster_id").map_err(unusable)?;
    let score = Score::of(&nodes, &truth).map_err(unusable)?;
    let mut graph = DurableEngine::open(MemoryStore::default(), EngineConfig::default())?;
    graph.allocate_batch(facts, Sync::Lazy)?;
    let done = graph.consolidate()?;
    let again = Stage::of("consolidated", &graph)?.nodes;
    let score_again = Score::of(&again, &truth).map_err(unusable)?;
    picks.settle(&nodes, &again);
    if args.json {
        let picks: Vec<_> = picks.in_order().map(|(_, explanation)| explanation).collect();
        let json = serde_json::json!({
            "report": report, "score": score, "consolidation": done, "score_consolidated": score_again,
            "explanations": picks,
        });
        console.print(&format!("{json}\n"))?;
        return Ok(Outcome::Complete);
    }
    let palette = console.out_palette;
    console.print(INTRODUCTION)?;
    console.print(&format!("\n{}\n", palette.heading("What came out")))?;
    console.print(&report.to_table(palette))?;
    console.print(&format!("\n{}\n", palette.heading("How right that is")))?;
    console.print(&score::table(&score, palette))?;
    console.print(&format!("\n{}\n", palette.heading("After a second look (cortexkg consolidate)")))?;
    console.print(&score::table(&score_again, palette))?;
    console.print(&format!(" {} nodes taken apart, {} put together\n", done.splits, done.merges))?;
    for (title, explanation) in picks.in_order() {
        console.print(&format!("\n{}\n", palette.heading(title)))?;
        console.print(&in_words(explanation, palette))?;
        console.print(truth_of(explanation, &nodes, &truth))?;
    }
    console.print(&format!("\n{}\n{ADVICE}", palette.heading("Your own data")))?;
    Ok(Outcome::Complete)
}

const INTRODUCTION: &str = "\
864 restaurants as two guides list them, one guide after the other. 112 stand in both, written
differently. The engine takes them row by row, once; it is told nothing about the columns and never
sees the truth.
";
const ADVICE: &str =
    "  cortexkg allocate FILE --out nodes.csv    CSV, TSV, JSONL or N-Triples, plain or compressed\n";

/// Most characters in one line.
const LINE_CHARS_MAX: usize = 104;

/// The decisions worth telling, picked by what the engine said of them. The first wins where two are equal.
#[derive(Default)]
struct Picks {
    /// Sure matches, of which a second look may undo some.
    matches: Vec<Pick>,
    clear: Option<Pick>,
    close: Option<Pick>,
    new: Option<Pick>,
}

struct Pick {
    explanation: Explanation,
    /// The lower, the better told.
    rank: f32,
}

impl Picks {
    fn consider(&mut self, explanation: Explanation) {
        let Some(rival) = explanation.candidates.first() else { return };
        let margin = explanation.result.margin_bits;
        let is_sure = explanation.result.confidence >= 0.99;
        let (slot, rank) = match explanation.result.decision {
            // A sure match of two rows that hardly say the same.
            Decision::Existing if is_sure => {
                let same = parts(&explanation.mention).filter(|part| parts(&rival.label).any(|p| p == *part));
                let rank = same.count() as f32 - margin / 1000.0;
                self.matches.push(Pick { explanation, rank });
                return;
            }
            Decision::Possible => (&mut self.close, margin),
            // Nearly all near rivals of an unsure decision are mistakes; the sure ones show what sets two apart.
            Decision::New if is_sure => (&mut self.new, -rival.evidence_bits),
            _ => return,
        };
        if slot.as_ref().is_none_or(|best| rank.total_cmp(&best.rank).is_lt()) {
            *slot = Some(Pick { explanation, rank });
        }
    }

    /// Picks among the matches that hold at the second look.
    fn settle(&mut self, before: &Grouping, after: &Grouping) {
        let holds = |pick: &Pick| {
            let Explanation { result, candidates, .. } = &pick.explanation;
            let node = candidates.first().map(|rival| rival.node.to_string());
            let other = node.and_then(|node| before.first_in(&node).map(str::to_owned));
            other.is_some_and(|other| after.group(&other) == after.group(&result.record_id))
        };
        let matches = std::mem::take(&mut self.matches).into_iter().filter(holds);
        self.clear = matches.reduce(|best, pick| if pick.rank < best.rank { pick } else { best });
    }

    fn in_order(&self) -> impl Iterator<Item = (&'static str, &Explanation)> {
        let titles = ["A match, written differently", "A close call", "New, in spite of a rival"];
        std::iter::zip(titles, [&self.clear, &self.close, &self.new])
            .filter_map(|(title, pick)| pick.as_ref().map(|pick| (title, &pick.explanation)))
    }
}

fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split(" · ")
}

/// An explanation as a few plain sentences and the account of its bits, which add up.
fn in_words(explanation: &Explanation, palette: Palette) -> String {
    let Explanation { result, mention, candidates, .. } = explanation;
    let Some(rival) = candidates.first() else { return String::new() };
    let node = rival.node;
    let (verdict, of) = match result.decision {
        Decision::Existing => ("The same: the row joins the node", "sure"),
        Decision::Possible => ("Perhaps the same: a node of its own, tied to the other", "for two things"),
        Decision::New => ("Another one: a new node", "sure"),
    };
    let mut text = String::new();
    for (kind, name, line) in
        [("row ", &result.record_id, mention), ("node", &node.to_string(), &rival.label)]
    {
        text.push_str(&one_line(&format!("  {kind}  {name:<7}  {line}"), LINE_CHARS_MAX));
        text.push('\n');
    }
    let verdict = palette.decision(result.decision, verdict);
    text.push_str(&format!("  {verdict}, {} {of}\n", percent(result.confidence)));
    let mut account = |bits: f32, what: &str, reason: &str| {
        let bits = palette.evidence(bits, &format!("{bits:>+6.1}"));
        text.push_str(&format!("  {bits}  {what:<8} {reason}\n"));
    };
    let mut votes: Vec<_> = rival.votes.iter().filter(|vote| vote.bits.abs() >= 0.05).collect();
    votes.sort_by(|left, right| right.bits.total_cmp(&left.bits));
    for vote in votes {
        account(vote.bits, vote.field.trim_start_matches('@'), &vote.reason);
    }
    account(rival.prior_bits, "prior", "before any look: it could be any node, or a new one");
    let sum = format!("{:>+6.1}", rival.evidence_bits);
    text.push_str(&format!("  {}  bits for that node and against a new one\n", palette.heading(&sum)));
    text
}

/// A probability in words that never claims to be certain.
fn percent(probability: f32) -> String {
    if probability > 0.999 {
        "more than 99.9 %".to_owned()
    } else {
        format!("{:.1} %", f64::from(probability) * 100.0)
    }
}

/// Whether the mention and its strongest rival are the same thing in truth; the engine never sees this.
fn truth_of(explanation: &Explanation, nodes: &Grouping, truth: &Grouping) -> &'static str {
    let Explanation { result, candidates, .. } = explanation;
    let Some(rival) = candidates.first() else { return "" };
    let first = nodes.first_in(&rival.node.to_string());
    match (truth.group(&result.record_id), first.and_then(|first| truth.group(first))) {
        (Some(own), Some(other)) if own == other => "  In truth: the same restaurant.\n",
        (Some(_), Some(_)) => "  In truth: two restaurants.\n",
        _ => "",
    }
}
