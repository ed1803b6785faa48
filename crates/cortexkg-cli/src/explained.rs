//! Explanations for people: the decision, and each candidate's evidence as a waterfall of bits.

use cortexkg::{CandidateExplanation, Explanation, WaterfallStep};

use crate::palette::Palette;
use crate::tables::{listing, one_line};

/// Most characters in a line that quotes data.
const LINE_CHARS_MAX: usize = 160;
/// Most characters in the name of a field, and in one of two values that are compared.
const FIELD_CHARS_MAX: usize = 24;
const VALUE_CHARS_MAX: usize = 36;
/// Width of a bar, in characters.
const BAR_CHARS: usize = 30;

/// The stretch of evidence that waterfalls are drawn on: the same for all that stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Least evidence on it, in bits; 0 or less.
    pub(crate) low_bits: f32,
    /// Most evidence on it, in bits; above `low_bits`.
    pub(crate) high_bits: f32,
}

impl Scale {
    /// One that holds every step of these candidates, and 0.
    pub(crate) fn of<'a>(candidates: impl IntoIterator<Item = &'a CandidateExplanation>) -> Self {
        let mut scale = Self { low_bits: 0.0, high_bits: 1.0 };
        for step in candidates.into_iter().flat_map(CandidateExplanation::waterfall) {
            scale.low_bits = scale.low_bits.min(step.total_bits);
            scale.high_bits = scale.high_bits.max(step.total_bits);
        }
        scale
    }

    /// Where some evidence lies on it: 0 to 1, from left to right.
    pub(crate) fn place(self, bits: f32) -> f32 {
        ((bits - self.low_bits) / (self.high_bits - self.low_bits)).clamp(0.0, 1.0)
    }

    /// The cell of a bar in which some evidence lies.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn cell(self, bits: f32) -> usize {
        (self.place(bits) * (BAR_CHARS - 1) as f32).round() as usize
    }

    /// The way from one evidence to another: full towards the node, dotted away from it, with a line where "a new node" stands.
    fn bar(self, from_bits: f32, to_bits: f32, fill: char) -> String {
        let (from, to, zero) = (self.cell(from_bits), self.cell(to_bits), self.cell(0.0));
        let cells = (0..BAR_CHARS).map(|at| match at {
            _ if (from.min(to)..=from.max(to)).contains(&at) => fill,
            _ if at == zero => '│',
            _ => ' ',
        });
        cells.collect()
    }
}

/// Why a mention went where it went.
pub(crate) fn explanation(explanation: &Explanation, scale: Scale, palette: Palette) -> String {
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
    candidates.iter().for_each(|one| text.push_str(&candidate(one, scale, palette)));
    text
}

/// How one candidate was weighed.
pub(crate) fn candidate(candidate: &CandidateExplanation, scale: Scale, palette: Palette) -> String {
    let mut text = one_line(&format!("  node {}  {}", candidate.node, candidate.label), LINE_CHARS_MAX);
    text.push_str(&format!(
        "\n    evidence {:+.1} bits (prior {:+.1})   probability {:.4}",
        candidate.evidence_bits, candidate.prior_bits, candidate.probability,
    ));
    if !candidate.origins.is_empty() {
        text.push_str(&format!("   found by {}", candidate.origins.join(", ")));
    }
    text.push('\n');
    text.push_str(&waterfall(candidate, scale, palette));
    text
}

/// The steps under each other: bits, running total, a bar, and what they rest on.
fn waterfall(candidate: &CandidateExplanation, scale: Scale, palette: Palette) -> String {
    let steps = candidate.waterfall();
    let rows = steps.iter().map(|step| {
        let field = one_line(&step.field, FIELD_CHARS_MAX);
        [field, step.agreement.clone(), compared(step, VALUE_CHARS_MAX), said_before(step)]
    });
    let words = listing(["field", "agreement", "compared", "said before"], rows, &[], Palette::PLAIN);
    let mut words = words.lines();
    let heading = format!(
        "    {:>7} {:>7}  {:BAR_CHARS$} {}",
        "bits",
        "total",
        axis(scale),
        words.next().unwrap_or_default()
    );
    let mut text = format!("{}\n", palette.faint(heading.trim_end()));
    let mut from_bits = 0.0;
    for (step, words) in steps.iter().zip(words) {
        let fill = if step.bits < 0.0 { '▒' } else { '█' };
        let bits = palette.evidence(step.bits, &format!("{:+7.1}", step.bits));
        let bar = palette.evidence(step.bits, &scale.bar(from_bits, step.total_bits, fill));
        text.push_str(format!("    {bits} {:+7.1}  {bar} {words}", step.total_bits).trim_end());
        text.push('\n');
        from_bits = step.total_bits;
    }
    let bar = scale.bar(0.0, candidate.evidence_bits, '━');
    let last = format!("    {:>7} {:+7.1}  {bar}  evidence", "", candidate.evidence_bits);
    text.push_str(&format!("{}\n", palette.heading(&last)));
    text
}

/// Names the ends of a scale and, where there is room between them, its 0.
fn axis(scale: Scale) -> String {
    let low = if scale.low_bits < 0.0 { format!("{:+.0}", scale.low_bits) } else { String::new() };
    let high = format!("{:+.0}", scale.high_bits);
    let mut cells = vec![' '; BAR_CHARS];
    let mut write = |at: usize, text: &str| {
        cells.iter_mut().skip(at).zip(text.chars()).for_each(|(cell, character)| *cell = character);
    };
    let zero = scale.cell(0.0);
    write(0, &low);
    write(BAR_CHARS - high.len(), &high);
    if zero == 0 || (zero > low.len() && zero + high.len() + 1 < BAR_CHARS) {
        write(zero, "0");
    }
    cells.into_iter().collect()
}

/// The values that a step rests on, shortened: one where both say the same.
pub(crate) fn compared(step: &WaterfallStep, chars_max: usize) -> String {
    let quoted = |value: &String| format!("“{}”", one_line(value, chars_max));
    match (&step.stated, &step.held) {
        (Some(stated), Some(held)) if stated == held => quoted(stated),
        (Some(stated), Some(held)) => format!("{} and {}", quoted(stated), quoted(held)),
        (None, Some(partner)) => format!("both tied to {}", quoted(partner)),
        (Some(stated), None) => quoted(stated),
        (None, None) => String::new(),
    }
}

/// What stronger votes had said already, and what that cost.
pub(crate) fn said_before(step: &WaterfallStep) -> String {
    match step.taken_off_bits {
        None => "all of it".to_owned(),
        Some(bits) if bits >= 0.05 => format!("{:.0} %, {bits:.1} bits off", 100.0 * step.said_before),
        Some(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lead_from_total_to_total_across_zero() {
        let scale = Scale { low_bits: -10.0, high_bits: 19.0 };
        assert_eq!(scale.bar(-10.0, -8.0, '▒'), format!("▒▒▒{}│{}", " ".repeat(7), " ".repeat(19)));
        assert_eq!(scale.bar(17.0, 19.0, '█'), format!("{}│{}███", " ".repeat(10), " ".repeat(16)));
        assert_eq!(axis(scale), format!("-10{}0{}+19", " ".repeat(7), " ".repeat(16)));
        assert_eq!(axis(scale).chars().count(), BAR_CHARS);
    }

    #[test]
    fn a_scale_without_candidates_has_a_length() {
        let scale = Scale::of([]);
        assert_eq!((scale.place(0.0), scale.place(1.0)), (0.0, 1.0));
        assert_eq!(axis(scale).trim_end(), format!("0{}+1", " ".repeat(27)));
    }
}
