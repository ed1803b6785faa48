//! `cortexkg restore`: a graph from a backup.

use std::path::{Path, PathBuf};

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_store::RedbStore;
use serde::Serialize;

use crate::commands::backup::open;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::{check_empty, close, directory_of, existing};
use crate::progress::Progress;
use crate::report::grouped;

/// Options of `cortexkg restore`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Copies the backup, checks every row on the way, and opens the graph once, so that it is known to work. The backup stays as
it is. A directory that is not empty is never overwritten; what a restore that was killed has left counts as nothing.

Example:
  cortexkg restore /backups/monday --data graph2")]
pub struct Args {
    /// Directory of the backup.
    pub backup: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Restored {
    rows: u64,
    facts: usize,
    nodes: usize,
    /// Position that the next operation gets.
    position: u64,
    state_hash: String,
}

/// Restores, and prints what is there now.
///
/// # Errors
/// Where the directory is not empty, the backup is damaged, or a disk fails.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let directory = directory_of(data)?;
    let backup = existing(Some(&args.backup))?;
    check_empty(directory, "--data")?;
    let store = open(backup)?;
    let source = store.backup_source()?;
    let progress = Progress::of_rows(console.draws_progress, source.rows());
    let copied = source.copy_to(directory, &mut |rows| progress.rows(rows));
    progress.step("opening the graph");
    let opened = copied
        .map_err(Failure::from)
        .and_then(|()| Ok(DurableEngine::open(RedbStore::open(directory)?, EngineConfig::default())?));
    progress.finish();
    let graph = opened?;
    let engine = graph.engine();
    let restored = Restored {
        rows: source.rows(),
        facts: engine.fact_count(),
        nodes: engine.node_count(),
        position: graph.position(),
        state_hash: graph.state_hash()?.to_string(),
    };
    close(graph)?.told(console);
    if args.json {
        console.print_json(&restored)?;
    } else {
        console.print(&format!(
            "{} facts in {} nodes are in {}\n state hash  {}\n",
            grouped(restored.facts as u64),
            grouped(restored.nodes as u64),
            directory.display(),
            console.out_palette.faint(&restored.state_hash)
        ))?;
    }
    Ok(Outcome::Complete)
}
