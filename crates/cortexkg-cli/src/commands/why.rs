//! `cortexkg why`: what decided a mention.

use std::path::Path;

use cortexkg::{CandidateExplanation, Decision, Explanation, WaterfallStep};
use serde::Serialize;

use crate::console::Console;
use crate::explained::{self, Scale};
use crate::failure::{Failure, Outcome};
use crate::graph::{RecordArgs, find_source, to_read};
use crate::picture::{Picture, PictureArgs};

/// Options of `cortexkg why`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The account is that of the decision, as the log keeps it. The node named is where the mention belongs now. Each candidate's
evidence is a waterfall: it starts at the prior, every vote is a step, and the node wins against a new one above 0. One bit more
doubles the odds.

Example:
  cortexkg why r17 --data graph
  cortexkg why r17 --data graph --picture r17.svg
  cortexkg why t5#o --source wikidata --data graph")]
pub struct Args {
    /// Which mention.
    #[command(flatten)]
    pub record: RecordArgs,
    /// Draw the strongest candidate.
    #[command(flatten)]
    pub drawn: PictureArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Why {
    source: String,
    #[serde(flatten)]
    explanation: Explanation,
    /// The evidence of the strongest candidate, step by step.
    waterfall: Vec<WaterfallStep>,
}

/// Prints the explanation.
///
/// # Errors
/// Where there is no such record, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let graph = to_read(data, console)?;
    let source = find_source(&graph, &args.record.record, args.record.source.as_deref())?;
    let explanation = graph.why(Some(&source), &args.record.record)?;
    if let Some(path) = &args.drawn.picture {
        picture(&explanation).write(path)?;
    }
    if args.json {
        let waterfall = explanation.candidates.first().map_or_else(Vec::new, CandidateExplanation::waterfall);
        console.print_json(&Why { source, explanation, waterfall })?;
    } else {
        let scale = Scale::of(&explanation.candidates);
        console.print(&explained::explanation(&explanation, scale, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn picture(explanation: &Explanation) -> Picture<'_> {
    let leader = explanation.candidates.first();
    Picture {
        title: format!("Why {} went where it went", explanation.result.record_id),
        lines: lines(explanation),
        panels: leader.into_iter().map(|leader| (heading(explanation, leader), leader)).collect(),
    }
}

/// The mention, and what was decided on it.
pub(crate) fn lines(explanation: &Explanation) -> [String; 2] {
    let Explanation { result, mention, .. } = explanation;
    let outcome = format!(
        "decided: {}, node {}, confidence {:.4}, {:.1} bits ahead of the next best",
        result.decision, result.allocated_node, result.confidence, result.margin_bits
    );
    [mention.clone(), outcome]
}

/// What the strongest candidate was to the decision.
pub(crate) fn heading(explanation: &Explanation, leader: &CandidateExplanation) -> String {
    match explanation.result.decision {
        Decision::Existing => format!("node {} won", leader.node),
        Decision::New | Decision::Possible => format!("node {} came nearest, a new node won", leader.node),
    }
}
