//! `cargo xtask ablate`: what each part of the engine is worth, on real data.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::bench::{Set, number, table};
use crate::program::{Program, json as read};
use crate::step::command;

/// Sets that are looked at, those of them that are there.
const SETS: [&str; 5] = ["febrl1", "febrl3", "fodors-zagats", "patentsview", "hpo"];
/// What is left out, as `cortexkg evaluate --leave-out` calls it.
const PARTS: [&str; 7] = [
    "semantic-column",
    "structural-column",
    "temporal-column",
    "exception-column",
    "spikes-for-minhash",
    "spikes-for-trigrams",
    "inhibition",
];

/// Options of `cargo xtask ablate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder with one folder per set, looked into before data and data/cache.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only these sets (may be given more than once).
    #[arg(long = "set", value_name = "SET")]
    sets: Vec<String>,
    /// Only the first N records of a set.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(unknown) = args.sets.iter().find(|name| !SETS.contains(&name.as_str())) {
        bail!("{unknown}: no such set; there are: {}", SETS.join(", "));
    }
    let program = Program::build()?;
    let is_wanted = |set: &&str| args.sets.is_empty() || args.sets.iter().any(|name| name == set);
    let mut cards = Vec::new();
    for name in SETS.into_iter().filter(is_wanted) {
        let Some(set) = Set::find(name, args.data.as_deref()) else {
            eprintln!("{name}: not here, skipped; `cargo xtask data` fetches the larger sets");
            continue;
        };
        let mut rows = Vec::new();
        for part in [None].into_iter().chain(PARTS.map(Some)) {
            eprintln!(
                "{name}: {}",
                part.map_or_else(|| "everything".to_owned(), |part| format!("without {part}"))
            );
            let mut evaluate = command(program.path());
            evaluate.arg("evaluate").arg(&set.records).arg("--truth").arg(&set.clusters).arg("--json");
            evaluate.args(args.limit.map(|limit| format!("--limit={limit}")));
            evaluate.args(part.map(|part| format!("--leave-out={part}")));
            rows.push((part.unwrap_or("nothing"), read(&mut evaluate)?));
        }
        if !args.json {
            println!("{name}, {} records\n{}\n", rows[0].1["records"], rows_of(&rows));
        }
        cards.push(json!({ "set": name, "left_out": rows.into_iter().map(|(part, card)| json!({ "part": part, "card": card })).collect::<Vec<_>>() }));
    }
    if args.json {
        println!("{}", json!(cards));
    }
    Ok(())
}

/// One row per part that is left out.
fn rows_of(rows: &[(&str, Value)]) -> comfy_table::Table {
    let mut table = table(&[
        "left out",
        "pair F1",
        "B3 F1",
        "pair F1, consolidated",
        "B3 F1, consolidated",
        "blocking recall",
        "false merges",
        "calibration error",
        "decisions/s",
    ]);
    for (part, card) in rows {
        let truth = &card["truth"];
        let f1 = |stage: usize, of: &str| number(truth["stages"][stage][of]["f1"]["value"].as_f64(), 4);
        table.add_row([
            (*part).to_owned(),
            f1(0, "pairwise"),
            f1(0, "b_cubed"),
            f1(1, "pairwise"),
            f1(1, "b_cubed"),
            number(truth["blocking_recall"]["rate"].as_f64(), 4),
            number(truth["false_links"]["rate"].as_f64(), 4),
            number(truth["calibration"]["ece"].as_f64(), 4),
            number(card["decisions_per_s"].as_f64(), 0),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_what_is_left() {
        let figures =
            |f1: f64| json!({ "pairwise": { "f1": { "value": f1 } }, "b_cubed": { "f1": { "value": 0.5 } } });
        let card = json!({
            "truth": {
                "stages": [figures(0.25), figures(0.75)], "blocking_recall": { "rate": 0.99 },
                "false_links": { "rate": null }, "calibration": { "ece": 0.0123 },
            },
            "decisions_per_s": 4321.0,
        });
        let text = rows_of(&[("inhibition", card)]).to_string();
        for part in ["inhibition", "0.2500", "0.7500", "0.9900", "n/a", "0.0123", "4321"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
