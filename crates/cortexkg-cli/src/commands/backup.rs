//! `cortexkg backup`: a copy of the graph, also while facts stream in.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkg_store::{RedbStore, Store, StoreError, Table};
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::graph::requests::{Answer, Asking, Standing};
use crate::graph::{check_empty, existing, holds_a_graph};
use crate::progress::Progress;
use crate::report::grouped;

/// Options of `cortexkg backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
While `cortexkg allocate` writes the graph, it is asked to make the backup after its next commit, and the stream goes on
meanwhile. The backup holds the graph as of that commit; it opens like any other: --data TARGET. The snapshot is left out
and made again when the backup is restored.

Example:
  cortexkg backup /backups/monday --data graph
  cortexkg stats --data /backups/monday")]
pub struct Args {
    /// Directory for the backup; it must be empty or not there. What a backup that was killed has left counts as nothing.
    pub target: PathBuf,
    /// Seconds to wait for a process that writes the graph.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Time between two looks at the answer, and between two at whether the writer is gone.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TRY_EVERY: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct BackedUp {
    target: PathBuf,
    rows: u64,
    /// Position in the log behind the last operation in the backup.
    position: u64,
    /// Whether another process made it while it was writing.
    is_online: bool,
}

/// Makes the backup, or has it made.
///
/// # Errors
/// Where the target is in use, nobody answers, or a disk fails.
pub fn run(args: &Args, data: Option<&Path>, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let directory = existing(data)?;
    check_empty(&args.target, "TARGET")?;
    let target = std::path::absolute(&args.target)
        .map_err(|error| Failure::of_write(&args.target.display().to_string(), &error))?;
    let draws = console.draws_progress;
    let backed_up = match open(directory) {
        Ok(store) => copy(&store, &target, draws)?,
        Err(StoreError::InUse { .. }) => ask(directory, &target, Duration::from_secs(args.wait), draws)?,
        Err(error) => return Err(error.into()),
    };
    if args.json {
        console.print_json(&backed_up)?;
    } else {
        console.print(&format!(
            "{} rows up to operation {} are in {}\n",
            grouped(backed_up.rows),
            grouped(backed_up.position.saturating_sub(1)),
            backed_up.target.display()
        ))?;
    }
    Ok(Outcome::Complete)
}

/// Opens the store to be copied, beside other readers.
pub(crate) fn open(directory: &Path) -> Result<RedbStore, StoreError> {
    match RedbStore::open_read_only(directory) {
        Err(StoreError::NotClosed { .. }) => {
            RedbStore::open(directory)?.close()?;
            RedbStore::open_read_only(directory)
        }
        opened => opened,
    }
}

fn copy(store: &RedbStore, target: &Path, draws: bool) -> Result<BackedUp, Failure> {
    let source = store.backup_source()?;
    let progress = Progress::of_rows(draws, source.rows());
    let copied = source.copy_to(target, &mut |rows| progress.rows(rows));
    progress.finish();
    copied?;
    let position = store.last_key(Table::Log)?.map_or(0, |last| last + 1);
    Ok(BackedUp { target: target.to_owned(), rows: source.rows(), position, is_online: false })
}

/// Has the writer make the backup. Should the writer end meanwhile, it is made here.
fn ask(directory: &Path, target: &Path, wait: Duration, draws: bool) -> Result<BackedUp, Failure> {
    let mut asking = Asking::leave(directory, target)?;
    let mut progress: Option<Progress> = None;
    let mut standing = asking.standing();
    let (mut changed, mut tried) = (Instant::now(), Instant::now());
    let answer = loop {
        std::thread::sleep(LOOK_EVERY);
        let now = asking.standing();
        match &now {
            Standing::Answered(answer) => break answer.clone(),
            Standing::UnderWay(done) => {
                let bar = progress.get_or_insert_with(|| Progress::of_rows(draws, done.rows_total));
                bar.rows(done.rows);
            }
            Standing::Waiting => {}
        }
        if now != standing {
            (standing, changed) = (now, Instant::now());
        }
        if tried.elapsed() >= TRY_EVERY {
            tried = Instant::now();
            if let Some(backed_up) = take_over(&mut asking, directory, target, draws)? {
                return Ok(backed_up);
            }
        }
        // A request that was taken in this very moment is waited for.
        if changed.elapsed() >= wait && (standing != Standing::Waiting || asking.withdraw()) {
            return Err(nobody_answered(directory, wait, &standing));
        }
    };
    if let Some(progress) = progress {
        progress.finish();
    }
    match answer {
        Answer { error: Some(error), .. } => {
            Err(Failure::Run(format!("the process that writes the graph could not make the backup: {error}")))
        }
        Answer { rows, position, .. } => {
            Ok(BackedUp { target: target.to_owned(), rows, position, is_online: true })
        }
    }
}

/// Makes the backup here if the writer is gone.
fn take_over(
    asking: &mut Asking,
    directory: &Path,
    target: &Path,
    draws: bool,
) -> Result<Option<BackedUp>, Failure> {
    let store = match open(directory) {
        Ok(store) => store,
        Err(StoreError::InUse { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // It may have answered with its last breath, and somebody may have tidied up since.
    if matches!(asking.standing(), Standing::Answered(_)) {
        return Ok(None);
    }
    if holds_a_graph(target) {
        let made = open(target)?;
        let rows = made.figures()?.rows.iter().sum();
        let position = made.last_key(Table::Log)?.map_or(0, |last| last + 1);
        return Ok(Some(BackedUp { target: target.to_owned(), rows, position, is_online: true }));
    }
    asking.withdraw();
    copy(&store, target, draws).map(Some)
}

fn nobody_answered(directory: &Path, wait: Duration, standing: &Standing) -> Failure {
    let what = match standing {
        Standing::Waiting => "did not take the request up",
        _ => "did not go on with the backup",
    };
    Failure::Run(format!(
        "the process that writes {} {what} for {} s; `cortexkg allocate` looks for requests after each commit, other commands do \
         not: wait longer with --wait, or until it has ended",
        directory.display(),
        wait.as_secs()
    ))
}
