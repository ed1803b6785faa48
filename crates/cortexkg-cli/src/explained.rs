//! Explanations for people: the decision, and the account of each candidate's bits.

use cortexkg::{CandidateExplanation, Explanation};

use crate::palette::Palette;
use crate::tables::one_line;

/// Most characters in a line.
const LINE_CHARS_MAX: usize = 160;

/// Why a mention went where it went.
pub(crate) fn explanation(explanation: &Explanation, palette: Palette) -> String {
    let Explanation { result, mention, candidates, new_probability } = explanation;
    let title = one_line(&format!("{}  {mention}", result.record_id), LINE_CHARS_MAX);
    let mut text = format!(
        "{}\n  {} → node {}   confidence {:.4}   margin {:.1} bits   P(new) {new_probability:.4}\n",
        palette.heading(&title),
        palette.decision(result.decision, &result.decision.to_string()),
        result.allocated_node,
        result.confidence,
        result.margin_bits,
    );
    if candidates.is_empty() {
        text.push_str("  nothing in the graph resembled it\n");
    }
    candidates.iter().for_each(|one| text.push_str(&candidate(one, palette)));
    text
}

/// How one candidate was weighed.
pub(crate) fn candidate(candidate: &CandidateExplanation, palette: Palette) -> String {
    let mut text = one_line(&format!("  node {}  {}", candidate.node, candidate.label), LINE_CHARS_MAX);
    let at_most = if candidate.stopped_early { "at most " } else { "" };
    text.push_str(&format!(
        "\n    evidence {at_most}{:+.1} bits (prior {:+.1})   probability {:.4}",
        candidate.evidence_bits, candidate.prior_bits, candidate.probability,
    ));
    if !candidate.origins.is_empty() {
        text.push_str(&format!("   found by {}", candidate.origins.join(", ")));
    }
    text.push('\n');
    for vote in &candidate.votes {
        let bits = palette.evidence(vote.bits, &format!("{:+7.1}", vote.bits));
        let what = format!("{:<10}  {:<16}  {}", vote.column, vote.field, vote.reason);
        text.push_str(&format!("    {bits}  {}\n", one_line(&what, LINE_CHARS_MAX)));
    }
    text
}
