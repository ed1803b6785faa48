//! `cargo xtask bench layers`: instructions that the scalable engine takes beside the plain one, counted by callgrind.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use comfy_table::Table;
use serde_json::{Value, json};

use super::first_light::{number, table};
use super::made_up::MadeUp;
use crate::program::json as printed;
use crate::step::{self, command, root, succeeds};

/// Instructions of the scalable engine, of those of the plain one, in a graph of up to a thousand nodes.
const SHARE_MAX: f64 = 1.1;
/// Engines as `cortexkg-bench` calls them, and as they are here. The first is what the others are held against.
const ENGINES: [(&str, &str); 4] = [
    ("core", "AllocationEngine"),
    ("plain", "scalable, plain()"),
    ("development", "scalable, development_defaults()"),
    ("production", "scalable, production_optimized()"),
];
/// The loop that is counted.
const COUNTED: &str = "*measured_allocation*";
pub(super) const MISSING: &str = "valgrind is not installed (apt install valgrind); nothing measured";

/// Options of `cargo xtask bench layers`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes of the made-up graphs.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    nodes: u64,
    /// Values of the vectors of one of them.
    #[arg(long, value_name = "D", default_value_t = 384)]
    dimension: usize,
    /// Print one JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

/// Counts and prints.
pub(crate) fn run(args: &Args) -> Result<()> {
    if !has_valgrind() {
        eprintln!("{MISSING}");
        return Ok(());
    }
    let program = MadeUp::build()?;
    let nodes = args.nodes.to_string();
    let febrl1 = root().join("data").join("febrl1").join("records.csv").display().to_string();
    let loads: [(String, Vec<String>); 3] = [
        ("febrl1".to_owned(), vec!["--records".to_owned(), febrl1]),
        ("made up, words".to_owned(), vec!["--nodes".to_owned(), nodes.clone()]),
        (
            format!("made up, vectors of {}", args.dimension),
            vec!["--nodes".to_owned(), nodes, "--dimension".to_owned(), args.dimension.to_string()],
        ),
    ];
    let mut rows = Vec::new();
    for (load, options) in &loads {
        for (engine, name) in ENGINES {
            eprintln!("{load}: {name}");
            let (facts, instructions) = count(program.path(), engine, options)?;
            rows.push(json!({ "load": load, "engine": name, "facts": facts, "instructions": instructions }));
        }
    }
    if args.json {
        println!("{}", Value::from(rows));
    } else {
        println!("{}", compared(&rows));
    }
    Ok(())
}

pub(super) fn has_valgrind() -> bool {
    succeeds(command("valgrind").arg("--version"))
}

/// Facts, and instructions that their allocation took.
fn count(program: &Path, engine: &str, options: &[String]) -> Result<(Value, u64)> {
    let scratch = step::target().join("bench");
    fs::create_dir_all(&scratch)?;
    let out = scratch.join(format!("layers.{engine}.callgrind"));
    let mut valgrind = command("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--collect-atstart=no"]);
    valgrind.arg(format!("--toggle-collect={COUNTED}"));
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(program).args(["layers", "--engine", engine]).args(options);
    let facts = printed(&mut valgrind)?["facts"].clone();
    let counts = fs::read_to_string(&out).with_context(|| out.display().to_string())?;
    let total = total(&counts).filter(|&count| count > 0).context("callgrind met nothing to count")?;
    Ok((facts, total))
}

/// The sum at the end of a file of callgrind.
fn total(counts: &str) -> Option<u64> {
    let line = counts.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    line.or_else(|| counts.lines().find_map(|line| line.strip_prefix("summary:")))?.trim().parse().ok()
}

/// One row for each load and engine.
fn compared(rows: &[Value]) -> Table {
    let mut table =
        table(&["load", "engine", "facts", "instructions per fact", "of the plain engine's", "aim"]);
    for row in rows {
        let each = |row: &Value| {
            row["instructions"].as_f64().zip(row["facts"].as_f64()).map(|(all, facts)| all / facts)
        };
        let core = rows.iter().find(|other| other["load"] == row["load"]).and_then(each);
        let share = each(row).zip(core).map(|(each, core)| each / core);
        let is_core = row["engine"] == ENGINES[0].1;
        let verdict = match share {
            _ if is_core => "-".to_owned(),
            Some(share) if share <= SHARE_MAX => format!("≤ {SHARE_MAX} yes"),
            _ => format!("≤ {SHARE_MAX} NO"),
        };
        let text = |name: &str| row[name].as_str().unwrap_or("?").to_owned();
        table.add_row([
            text("load"),
            text("engine"),
            row["facts"].to_string(),
            number(each(row), 0),
            number(share, 4),
            verdict,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_held_against_the_first() {
        let row = |engine: &str, instructions: u64| json!({ "load": "l", "engine": engine, "facts": 10, "instructions": instructions });
        let rows = [row(ENGINES[0].1, 1_000), row("near", 1_100), row("far", 1_101)];
        let text = compared(&rows).to_string();
        let line = |at: usize| text.lines().nth(at).unwrap().trim_end().to_owned();
        assert!(line(1).ends_with('-') && line(2).ends_with("yes") && line(3).ends_with("NO"), "{text}");
        assert!(line(2).contains("110") && line(2).contains("1.1000"), "{text}");
        assert_eq!(total("events: Ir\nsummary: 12\nfn=a\n1 12\ntotals: 13\n"), Some(13));
        assert_eq!(total("summary: 12\n"), Some(12));
        assert_eq!(total("nothing"), None);
    }
}
