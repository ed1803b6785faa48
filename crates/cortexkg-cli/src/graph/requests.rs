//! Asking the process that writes a graph for a backup, through files in the graph's directory.
//!
//! A graph has one writer, and nobody reads beside it. Whoever wants a backup meanwhile leaves a request in `requests/` and waits;
//! the writer looks there after each commit, copies the state as of that moment in a thread while the stream goes on, and answers
//! in a file beside the request.
//!
//! | file | from | says |
//! |---|---|---|
//! | `ID.request` | who asks | where the backup is to go |
//! | `ID.accepted` | the writer | the request, taken; it was renamed, so that either it is taken or withdrawn |
//! | `ID.progress` | the writer | rows copied and rows in all |
//! | `ID.answer` | the writer | how it ended |
//!
//! Every file is written under another name and renamed, so that nobody reads half of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cortexkg_store::BackupSource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Graph;
use super::flag_requests::FLAGS;
use crate::failure::Failure;

/// Name of the directory of requests.
pub(super) const DIRECTORY: &str = "requests";
/// Time between two notes of how far a backup is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A request for a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Request {
    /// Directory of the backup; absolute.
    pub(crate) target: PathBuf,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Progress {
    pub(crate) rows: u64,
    pub(crate) rows_total: u64,
}

/// How a backup ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Answer {
    /// Rows that were copied.
    pub(crate) rows: u64,
    /// Position in the log behind the last operation in the backup.
    pub(crate) position: u64,
    /// What went wrong, if something did.
    pub(crate) error: Option<String>,
}

/// Removes what earlier writers and askers have left. Only a writer may do so: then nobody is at work here.
pub(crate) fn clear(data: &Path) {
    let directory = data.join(DIRECTORY);
    for path in entries(&directory) {
        if path.extension().is_none_or(|extension| extension != "request" && extension != FLAGS) {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(path);
        }
    }
    let _ = fs::remove_dir(directory);
}

pub(super) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

pub(super) fn put<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, serde_json::to_vec(value)?)?;
    fs::rename(partial, path)
}

pub(super) fn take<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The writer's side: looks for requests and has them answered.
pub(crate) struct Answering {
    directory: PathBuf,
    at_work: Vec<JoinHandle<()>>,
}

impl Answering {
    pub(crate) fn new(data: &Path) -> Self {
        Self { directory: data.join(DIRECTORY), at_work: Vec::new() }
    }

    /// Takes the requests there are. Costs one look at the directory if there are none.
    pub(crate) fn look(&mut self, graph: &Graph) {
        if fs::metadata(&self.directory).is_err() {
            return;
        }
        for path in entries(&self.directory) {
            if path.extension().is_none_or(|extension| extension != "request") {
                continue;
            }
            let accepted = path.with_extension("accepted");
            // Whoever asked may have withdrawn it meanwhile.
            if fs::rename(&path, &accepted).is_err() {
                continue;
            }
            let Some(request) = take::<Request>(&accepted) else {
                answer(&accepted, 0, 0, Some("the request cannot be read".to_owned()));
                continue;
            };
            let position = graph.position();
            match graph.store().backup_source() {
                Ok(source) => self.at_work.push(std::thread::spawn(move || {
                    copy(&source, &request.target, &accepted, position);
                })),
                Err(error) => answer(&accepted, 0, position, Some(error.to_string())),
            }
        }
    }

    /// Waits for the backups that are under way.
    pub(crate) fn finish(self) {
        for thread in self.at_work {
            // One that panicked has said so already, and has not answered: whoever asked sees that the writer is gone.
            let _ = thread.join();
        }
    }
}

fn copy(source: &BackupSource, target: &Path, accepted: &Path, position: u64) {
    let path = accepted.with_extension("progress");
    let mut progress = Progress { rows: 0, rows_total: source.rows() };
    // That nobody can be told does not stop a backup.
    let _ = put(&path, &progress);
    let mut told = Instant::now();
    let copied = source.copy_to(target, &mut |rows| {
        progress.rows = rows;
        if told.elapsed() >= PROGRESS_EVERY {
            let _ = put(&path, &progress);
            told = Instant::now();
        }
    });
    answer(accepted, progress.rows, position, copied.err().map(|error| error.to_string()));
}

fn answer(accepted: &Path, rows: u64, position: u64, error: Option<String>) {
    let _ = put(&accepted.with_extension("answer"), &Answer { rows, position, error });
}

/// The asker's side.
pub(crate) struct Asking {
    directory: PathBuf,
    request: PathBuf,
    target: PathBuf,
    accepted: bool,
}

/// How a request stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has taken it.
    Waiting,
    /// The writer is at it.
    UnderWay(Progress),
    /// It is answered.
    Answered(Answer),
}

impl Asking {
    /// Leaves a request for a backup to `target`, an absolute path.
    ///
    /// # Errors
    /// Where the directory cannot be written to.
    pub(crate) fn leave(data: &Path, target: &Path) -> Result<Self, Failure> {
        let directory = data.join(DIRECTORY);
        let request = directory.join(format!("{}.request", std::process::id()));
        let asking = Self { request, directory, target: target.to_owned(), accepted: false };
        // A writer that ends may remove the empty directory in between.
        let mut left = asking.write();
        for _ in 0..3 {
            left = left.or_else(|_| asking.write());
        }
        left.map_err(|error| Failure::of_write(&asking.request.display().to_string(), &error))?;
        Ok(asking)
    }

    fn write(&self) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        put(&self.request, &Request { target: self.target.clone() })
    }

    /// How the request stands.
    pub(crate) fn standing(&mut self) -> Standing {
        if let Some(answer) = take(&self.request.with_extension("answer")) {
            return Standing::Answered(answer);
        }
        self.accepted |= self.request.with_extension("accepted").exists();
        if !self.accepted {
            return Standing::Waiting;
        }
        Standing::UnderWay(take(&self.request.with_extension("progress")).unwrap_or_default())
    }

    /// Takes the request back, unless the writer has taken it; says whether it could.
    pub(crate) fn withdraw(&self) -> bool {
        fs::remove_file(&self.request).is_ok()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        for extension in ["request", "accepted", "progress", "answer", "partial"] {
            // What is not there, or cannot be removed, does no harm.
            let _ = fs::remove_file(self.request.with_extension(extension));
        }
        let _ = fs::remove_dir(&self.directory);
    }
}
