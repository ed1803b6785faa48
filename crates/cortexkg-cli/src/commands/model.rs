//! `cortexkg model`: what has been learned.

use std::path::Path;

use cortexkg::{FieldKind, FieldModel, LearnedModel, Level, Origin};
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::to_read;
use crate::palette::Palette;
use crate::report::grouped;
use crate::tables::{listing, one_line};

/// Most characters in the name of a field.
const FIELD_CHARS_MAX: usize = 32;
/// Overlaps that are listed for people.
const OVERLAPS_MAX: usize = 12;
/// The levels of agreement, best first.
const LEVELS: [&str; Level::COUNT] = ["exact", "close", "compatible", "similar", "different"];

/// What a table shows of a field, level by level.
type Levels = fn(&FieldModel) -> [String; Level::COUNT];

/// Options of `cortexkg model`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
m is how often mentions of one node agree to a level, u how often two random mentions do; the weight is log2(m / u), in bits. A
vote is bounded, and where two values are the same it is the frequency of that very value that counts instead of u. What two
fields say together is counted once: the overlap is the part that the first has said already when the second agrees.

A kind is found from the values, or given in the config file that the graph was begun with (`cortexkg allocate --help`).

Example:
  cortexkg model --data graph
  cortexkg model --data graph --json | jq '.fields[] | {name, weights_bits}'")]
pub struct Args {
    /// Print one JSON object, with all overlaps.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Learned {
    /// Names of the levels, in the order of m, u and weights.
    levels: [&'static str; Level::COUNT],
    #[serde(flatten)]
    model: LearnedModel,
}

/// Prints the tables.
///
/// # Errors
/// Where the graph cannot be read.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let model = to_read(data, console)?.engine().learned();
    if args.json {
        console.print_json(&Learned { levels: LEVELS, model })?;
    } else {
        console.print(&in_words(&model, console.out_palette))?;
    }
    Ok(Outcome::Complete)
}

fn in_words(model: &LearnedModel, palette: Palette) -> String {
    let mut text = format!(
        "{}\n {} mentions so far; refreshed next at {}\n\n",
        palette.heading(&format!("tables, version {}", model.version)),
        grouped(model.mentions),
        grouped(model.refreshes_at_mentions)
    );
    let rows = model.fields.iter().map(|field| {
        let [present, distinct] = [field.present, field.distinct].map(grouped);
        [name(&field.name), kind(field.kind), origin(field), present, distinct]
    });
    text.push_str(&listing(["field", "kind", "is", "mentions", "distinct"], rows, &[3, 4], palette));
    let parts: [(&str, Levels); 3] = [
        ("weight, in bits", |field| field.weights_bits.map(|bits| format!("{bits:+.1}"))),
        ("m: of one node", |field| field.probabilities.m.map(share)),
        ("u: at random", |field| field.probabilities.u.map(share)),
    ];
    for (title, levels) in parts {
        let rows = model.fields.iter().map(|field| {
            let [exact, close, compatible, similar, different] = levels(field);
            [name(&field.name), exact, close, compatible, similar, different]
        });
        let [exact, close, compatible, similar, different] = LEVELS;
        let header = [title, exact, close, compatible, similar, different];
        text.push_str(&format!("\n{}", listing(header, rows, &[1, 2, 3, 4, 5], palette)));
    }
    if !model.overlaps.is_empty() {
        let rows = model
            .overlaps
            .iter()
            .take(OVERLAPS_MAX)
            .map(|one| [name(&one.given), name(&one.field), format!("{:.0} %", 100.0 * one.share)]);
        let header = ["where this agrees", "this has been said", "by"];
        text.push_str(&format!("\n{}", listing(header, rows, &[2], palette)));
        if model.overlaps.len() > OVERLAPS_MAX {
            let rest = grouped((model.overlaps.len() - OVERLAPS_MAX) as u64);
            text.push_str(&format!(" {}\n", palette.faint(&format!("and {rest} less; --json has them all"))));
        }
    }
    text
}

fn name(field: &str) -> String {
    one_line(field, FIELD_CHARS_MAX)
}

/// A kind as JSON names it.
fn kind(kind: FieldKind) -> String {
    let value = serde_json::to_value(kind).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
}

/// What the user has said of a field, or that it was found.
fn origin(field: &FieldModel) -> String {
    let mut parts = vec![if field.kind_from == Origin::Given { "given" } else { "found" }.to_owned()];
    let comparator = field.comparator.filter(|_| field.comparator_from == Origin::Given);
    parts.extend(comparator.map(|comparator| format!("compared as {comparator}").replace('_', " ")));
    parts.extend(field.ignored.then(|| "ignored".to_owned()));
    parts.join(", ")
}

/// A probability with two digits that count, however small it is.
fn share(probability: f64) -> String {
    match probability {
        p if p >= 0.1 => format!("{p:.2}"),
        p if p >= 0.001 => format!("{p:.4}"),
        p => format!("{p:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_probabilities_keep_their_digits() {
        assert_eq!([0.844, 0.0123, 0.000_02].map(share), ["0.84", "0.0123", "2e-5"]);
        assert_eq!(kind(FieldKind::LongText), "long text");
    }
}
