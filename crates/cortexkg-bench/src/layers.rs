//! Allocates facts with one engine, for whoever counts the instructions of [`measured_allocation`].

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use cortexkg::{AllocationEngine, AllocationResult, EngineConfig, Fact, FieldValue};
use cortexkg_bench::{Mentions, Recipe};
use cortexkg_scalable::{ScalabilityConfig, ScalableAllocationEngine};

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// `AllocationEngine`.
    Core,
    /// `ScalableAllocationEngine` without layers.
    Plain,
    /// With `development_defaults()`.
    Development,
    /// With `production_optimized()`.
    Production,
}

/// Options of `layers`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_enum)]
    engine: Engine,
    /// Records to allocate, as CSV with the identifier in the first column; made-up ones if not given.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Nodes of made-up records.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    nodes: u64,
    /// Values of the vector of each made-up record; 0: words only.
    #[arg(long, value_name = "D", default_value_t = 0)]
    dimension: usize,
}

/// Allocates, and prints how many facts became how many nodes.
pub(crate) fn run(args: &Args) -> Result<()> {
    let facts = match &args.records {
        Some(path) => records(path).with_context(|| path.display().to_string())?,
        None => {
            let (things, mentions) = (args.nodes, args.nodes / 10 * 13);
            let recipe = Recipe { things, mentions, dimension: args.dimension, seed: 1 };
            Mentions::new(recipe)?.map(|mention| mention.fact).collect()
        }
    };
    let config = match args.engine {
        Engine::Core => return counted(AllocationEngine::new(EngineConfig::default()), facts),
        Engine::Plain => ScalabilityConfig::plain(),
        Engine::Development => ScalabilityConfig::development_defaults(),
        Engine::Production => ScalabilityConfig::production_optimized(),
    };
    counted(ScalableAllocationEngine::new(EngineConfig::default(), config), facts)
}

/// What takes facts one by one.
trait Allocates {
    fn allocate(&mut self, fact: Fact) -> Result<AllocationResult>;
    fn nodes(&self) -> usize;
}

impl Allocates for AllocationEngine {
    fn allocate(&mut self, fact: Fact) -> Result<AllocationResult> {
        Ok(self.allocate_fact(fact)?)
    }

    fn nodes(&self) -> usize {
        self.node_count()
    }
}

impl Allocates for ScalableAllocationEngine {
    fn allocate(&mut self, fact: Fact) -> Result<AllocationResult> {
        Ok(self.allocate_fact(fact)?)
    }

    fn nodes(&self) -> usize {
        self.engine().node_count()
    }
}

fn counted(mut engine: impl Allocates, facts: Vec<Fact>) -> Result<()> {
    let count = facts.len();
    measured_allocation(&mut engine, facts)?;
    println!("{}", serde_json::json!({ "facts": count, "nodes": engine.nodes() }));
    Ok(())
}

/// The loop that is measured: a function of its own, so that it has a name to whoever looks from outside.
#[inline(never)]
fn measured_allocation(engine: &mut impl Allocates, facts: Vec<Fact>) -> Result<()> {
    for fact in facts {
        engine.allocate(fact)?;
    }
    Ok(())
}

fn records(path: &PathBuf) -> Result<Vec<Fact>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let mut facts = Vec::new();
    for row in reader.records() {
        let row = row?;
        let cells = header.iter().zip(&row).skip(1).filter(|(_, value)| !value.is_empty());
        let cells = cells.map(|(name, value)| (name, FieldValue::Text(value.to_owned())));
        facts.push(Fact::record(cells).with_id(row.get(0).unwrap_or_default()));
    }
    Ok(facts)
}
