//! `cargo xtask torture`: what a graph must survive.
//!
//! Most of it are tests of the engine (`crates/cortexkg/tests/torture`), which the ordinary run of tests has as well, a hundredth of
//! them; here they run in full. Killing processes is done here.

mod kill;

use std::fmt;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};

use crate::step::{Steps, cargo};

/// What a graph must survive.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Torture {
    /// Random operations, compared with a plain model.
    Random,
    /// A disk that fails at every operation of a run.
    Faults,
    /// A bit turned over in every page and block.
    Flips,
    /// Facts that come and go in a graph of constant size.
    Stream,
    /// The program, killed at random moments.
    Kill,
}

impl Torture {
    /// The tests of the engine that do it.
    fn tests(self) -> Option<&'static str> {
        match self {
            Self::Random => Some("random_operations::"),
            Self::Faults => Some("faults::"),
            Self::Flips => Some("flips::"),
            Self::Stream => Some("stream::"),
            Self::Kill => None,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Options of `cargo xtask torture`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A hundred times as much, on release builds: 100,000 operations, a fault at every operation of the disk, every page, 5 million
    /// facts, 500 kills. Takes an hour.
    #[arg(long)]
    full: bool,
    /// Only this.
    #[arg(long, value_enum)]
    only: Option<Torture>,
    /// Where what is random begins.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// What was done, by test.
struct Count {
    test: String,
    what: String,
    count: String,
}

impl Count {
    fn new(test: &str, what: &str, count: &dyn fmt::Display) -> Self {
        Self { test: test.to_owned(), what: what.to_owned(), count: count.to_string() }
    }

    /// A line that a test of the engine prints.
    fn from_line(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix("torture|")?.splitn(3, '|');
        Some(Self::new(parts.next()?, parts.next()?, &parts.next()?))
    }
}

/// Runs one torture or all.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    let mut counts = Vec::new();
    for &torture in Torture::value_variants() {
        if args.only.is_none_or(|only| only == torture) {
            let name = torture.name();
            steps.run(&name, || {
                counts.extend(match torture.tests() {
                    Some(tests) => engine(tests, args)?,
                    None => kill::run(args.full, args.seed)?,
                });
                Ok(())
            })?;
        }
    }
    print(&counts);
    steps.summarise();
    Ok(())
}

/// The few kills that belong to an ordinary run of all tests.
pub(crate) fn some_kills() -> Result<()> {
    print(&kill::run(false, 1)?);
    Ok(())
}

/// Runs tests of the engine; gives what they say they did.
fn engine(tests: &str, args: &Args) -> Result<Vec<Count>> {
    let mut command = cargo(["test", "--locked", "--package", "cortexkg", "--test", "torture"]);
    if args.full {
        command.arg("--release").env("CORTEXKG_TORTURE", "full");
    }
    command.args(["--", tests, "--nocapture", "--test-threads", "1"]);
    command.env("CORTEXKG_TORTURE_SEED", args.seed.to_string()).stderr(Stdio::inherit());
    let output = command.output().context("cargo did not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{text}\n`{tests}` failed with seed {}", args.seed);
    }
    // What is no count is worth reading, too: a table of stretches, say.
    let is_noise = |line: &&str| line.is_empty() || line.starts_with("test ") || line.starts_with("running ");
    let mut counts = Vec::new();
    for line in text.lines().filter(|line| !is_noise(line)) {
        match Count::from_line(line) {
            Some(count) => counts.push(count),
            None if !line.starts_with("test result") => println!("{line}"),
            None => {}
        }
    }
    Ok(counts)
}

fn print(counts: &[Count]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["torture", "what", "count"]);
    for Count { test, what, count } in counts {
        table.add_row([test, what, count]);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_lines() {
        let count = Count::from_line("torture|flips of the store|pages|69").expect("a count");
        assert_eq!((&*count.test, &*count.what, &*count.count), ("flips of the store", "pages", "69"));
        assert!(Count::from_line("test result: ok").is_none());
    }
}
