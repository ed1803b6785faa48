//! `cortexkg why-not`: why a mention does not belong to a node.

use std::path::Path;

use cortexkg::{CandidateExplanation, NodeId, Verdict, WaterfallStep, WhyNot};
use serde::Serialize;

use crate::commands::why;
use crate::console::Console;
use crate::explained::{self, Scale};
use crate::failure::{Failure, Outcome};
use crate::graph::{NodeArg, RecordArgs, find_source, leads_to, to_read};
use crate::palette::Palette;
use crate::picture::{Picture, PictureArgs};

/// Options of `cortexkg why-not`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tells what the decision said of the node, and how the node would be weighed today, beside the candidate
that was strongest. Changes nothing.

Example:
  cortexkg why-not r17 n3 --data graph
  cortexkg why-not r17 n3 --data graph --picture r17.html")]
pub struct Args {
    /// Which mention.
    #[command(flatten)]
    pub record: RecordArgs,
    /// The node: n17 or 17. One that was merged into another leads there.
    pub node: NodeArg,
    /// Draw it beside the strongest candidate.
    #[command(flatten)]
    pub drawn: PictureArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Answer {
    asked: NodeId,
    source: String,
    #[serde(flatten)]
    why_not: WhyNot,
    /// The evidence of the strongest candidate, step by step.
    waterfall: Vec<WaterfallStep>,
    /// That of the node that was asked for: as it was decided on, or else as it would be weighed today.
    asked_waterfall: Vec<WaterfallStep>,
}

/// Prints the verdict.
///
/// # Errors
/// Where there is no such record or node, or the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let mut graph = to_read(data, console)?;
    let record = &args.record.record;
    let source = find_source(&graph, record, args.record.source.as_deref())?;
    leads_to(&graph.view(None)?, args.node, console);
    let why_not = graph.why_not(Some(&source), record, args.node.0)?;
    if let Some(path) = &args.drawn.picture {
        picture(&why_not).write(path)?;
    }
    if args.json {
        let steps = |candidate: Option<&CandidateExplanation>| {
            candidate.map_or_else(Vec::new, CandidateExplanation::waterfall)
        };
        let waterfall = steps(why_not.decision.candidates.first());
        let asked_waterfall = steps(weighed(&why_not).map(|(_, candidate)| candidate));
        console.print_json(&Answer { asked: args.node.0, source, why_not, waterfall, asked_waterfall })?;
    } else {
        console.print(&in_words(record, &why_not, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

/// How the node that was asked for was weighed, or would be, and when.
fn weighed(why_not: &WhyNot) -> Option<(&'static str, &CandidateExplanation)> {
    match &why_not.verdict {
        Verdict::Lost { candidate, .. } => Some(("as it was weighed then", candidate)),
        _ => why_not.today.as_ref().map(|today| ("as it would be weighed today", today)),
    }
}

fn picture(why_not: &WhyNot) -> Picture<'_> {
    let WhyNot { decision, node, .. } = why_not;
    let leader = decision.candidates.first();
    let asked = weighed(why_not).filter(|(_, asked)| leader.is_none_or(|leader| leader != *asked));
    let mut panels: Vec<_> =
        leader.into_iter().map(|leader| (why::heading(decision, leader), leader)).collect();
    panels.extend(asked.map(|(when, asked)| (format!("node {node}, {when}"), asked)));
    let record = &decision.result.record_id;
    let title = match why_not.verdict {
        Verdict::Belongs => format!("{record} does belong to node {node}"),
        _ => format!("Why {record} does not belong to node {node}"),
    };
    Picture { title, lines: why::lines(decision), panels }
}

fn in_words(record: &str, why_not: &WhyNot, palette: Palette) -> String {
    let WhyNot { decision, node, verdict, today } = why_not;
    let scale =
        Scale::of(decision.candidates.iter().chain(weighed(why_not).map(|(_, one)| one)).chain(today));
    let mut text = match verdict {
        Verdict::Belongs => palette.heading(&format!("{record} does belong to node {node}")),
        Verdict::Lost { candidate, behind_bits } => format!(
            "{}\n{}",
            palette
                .heading(&format!("node {node} competed for {record} and was {behind_bits:.1} bits behind")),
            explained::candidate(candidate, scale, palette).trim_end()
        ),
        Verdict::NotAmongTheStrongest { candidates } => palette.heading(&format!(
            "node {node} was not among the strongest of {candidates} candidates for {record}, or none of them"
        )),
        Verdict::Younger => palette.heading(&format!("node {node} came to be after {record} was decided")),
    };
    text.push_str(&format!("\n\nWhat was decided:\n{}", explained::explanation(decision, scale, palette)));
    if let Some(today) = today {
        text.push_str(&format!("\nHow node {node} would be weighed today:\n"));
        text.push_str(&explained::candidate(today, scale, palette));
    }
    text
}
