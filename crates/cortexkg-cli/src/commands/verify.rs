//! `cortexkg verify`: does everything hold that always must?

use std::io;
use std::path::Path;

use cortexkg::{Depth, DurableEngine, EngineConfig, OperationError, VerifyReport};
use cortexkg_store::directory::SNAPSHOT_FILE;
use cortexkg_store::{RedbStore, Store, StoreError};
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::existing;
use crate::progress::Progress;
use crate::report::grouped;
use crate::tables::listing;

/// Options of `cortexkg verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything: pages and rows with their checksums, every entry of the log, every reference between facts, mentions, nodes,
edges and redirects, the index, the snapshot; then builds the graph once more from its log and compares the state hashes.

Exit codes: 0 all is well; 1 something is wrong, each fault is named; 2 there is no graph, or somebody else has it open.

Example:
  cortexkg verify --data graph
  cortexkg verify --data graph --quick --json")]
pub struct Args {
    /// Do not build the graph once more, which takes about as long as taking the facts in.
    #[arg(long)]
    pub quick: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Verified {
    is_clean: bool,
    /// What was looked at, and how many of it.
    checks: Vec<Check>,
    /// What is wrong; the first hundred.
    faults: Vec<String>,
    faults_found: u64,
    #[serde(skip)]
    snapshot_faults: u64,
    /// Whether nothing but the snapshot is damaged, which follows from the log.
    is_store_whole: bool,
    /// Absent where the graph cannot be opened.
    state_hash: Option<String>,
}

#[derive(Debug, Serialize)]
struct Check {
    what: String,
    count: u64,
}

impl Verified {
    fn checked(&mut self, what: &str, count: u64) {
        self.checks.push(Check { what: what.to_owned(), count });
    }

    fn fault(&mut self, fault: String) {
        self.faults_found += 1;
        self.faults.push(fault);
    }

    fn snapshot_fault(&mut self, fault: String) {
        self.fault(fault);
        self.snapshot_faults += 1;
    }

    fn add(&mut self, report: VerifyReport) {
        self.checks.extend(report.checks.into_iter().map(|(what, count)| Check { what, count }));
        self.faults.extend(report.faults);
        self.faults_found += report.faults_found;
    }
}

/// Verifies, and prints what was found.
///
/// # Errors
/// Where something is wrong, or the graph cannot be read at all.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let directory = existing(data)?;
    let progress = Progress::new(console.draws_progress, None);
    let mut verified = Verified::default();
    let result = verify(directory, args.quick, &progress, &mut verified);
    progress.finish();
    result?;
    verified.is_clean = verified.faults_found == 0;
    verified.is_store_whole = verified.faults_found == verified.snapshot_faults;
    if args.json {
        console.print_json(&verified)?;
    } else {
        let rows = verified.checks.iter().map(|check| [check.what.clone(), grouped(check.count)]);
        console.print(&listing(["checked", "count"], rows, &[1], console.out_palette))?;
        let word = console.out_palette.alarm("fault:");
        for fault in &verified.faults {
            console.print(&format!("{word} {fault}\n"))?;
        }
        if verified.is_clean {
            console.print("all is well\n")?;
        }
    }
    if verified.is_clean {
        return Ok(Outcome::Complete);
    }
    if verified.is_store_whole {
        return Err(Failure::Run(format!(
            "{}: only the snapshot is damaged, and nothing is lost: {}",
            directory.display(),
            if directory.join(SNAPSHOT_FILE).exists() {
                "delete it, and the next command builds it anew"
            } else {
                "it is removed, and the next command that changes the graph writes a new one"
            }
        )));
    }
    Err(Failure::Run(format!(
        "{}: {} found; restore a backup with `cortexkg restore`",
        directory.display(),
        match verified.faults_found {
            1 => "one fault".to_owned(),
            faults => format!("{} faults", grouped(faults)),
        }
    )))
}

/// Damage becomes a fault; anything else ends it.
fn verify(
    directory: &Path,
    quick: bool,
    progress: &Progress,
    verified: &mut Verified,
) -> Result<(), Failure> {
    progress.step("rows and pages");
    let opened = match RedbStore::open(directory) {
        // Somebody else's, or on a medium that cannot be written: pages are not looked at then, rows are.
        Err(StoreError::Io { source, .. })
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            RedbStore::open_read_only(directory)
        }
        opened => opened,
    };
    let mut store = match opened {
        Ok(store) => store,
        Err(error @ StoreError::Damaged { .. }) => {
            verified.fault(error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    match store.check() {
        Ok(report) => verified.checked("rows of the store", report.rows.iter().sum()),
        Err(error @ StoreError::Damaged { .. }) => verified.fault(error.to_string()),
        Err(error) => return Err(error.into()),
    }
    progress.step("snapshot");
    if !verify_snapshot(&mut store, verified)? {
        return Ok(());
    }
    progress.step("opening the graph");
    let mut graph = match DurableEngine::open(store, EngineConfig::default()) {
        Ok(graph) => graph,
        Err(
            error @ (OperationError::Store(StoreError::Damaged { .. }) | OperationError::Diverged { .. }),
        ) => {
            verified.fault(error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let depth = if quick { Depth::References } else { Depth::Rebuild };
    let report = graph.verify(depth, &mut |part| progress.step(part))?;
    verified.add(report);
    // Its blocks were good; what else made it unusable is only known from the opening.
    if let Some(damage) = graph.opening().snapshot_damage.clone() {
        verified.snapshot_fault(damage);
        graph.store_mut().remove_snapshot()?;
    }
    verified.state_hash = Some(graph.state_hash()?.to_string());
    Ok(())
}

/// Reads all blocks of the snapshot, and removes one that is damaged: what is verified afterwards is what the log says. Says whether
/// anything can be verified afterwards.
fn verify_snapshot(store: &mut RedbStore, verified: &mut Verified) -> Result<bool, Failure> {
    let damage = match store.snapshot().and_then(|snapshot| snapshot.map_or(Ok(()), |one| one.check())) {
        Ok(()) => return Ok(true),
        Err(damage @ (StoreError::Damaged { .. } | StoreError::Format { .. })) => damage,
        Err(error) => return Err(error.into()),
    };
    verified.snapshot_fault(damage.to_string());
    match store.remove_snapshot() {
        Ok(()) => Ok(true),
        Err(StoreError::ReadOnly | StoreError::Io { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
