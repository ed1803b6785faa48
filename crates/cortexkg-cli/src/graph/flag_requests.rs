//! Asking the process that writes a graph to turn features on or off, through files in the graph's directory, as for a backup
//! (`requests.rs`).
//!
//! | file | from | says |
//! |---|---|---|
//! | `ID.flags` | who asks | the flags, as on the command line |
//! | `ID.taken` | the writer | the same, renamed, so that either it is taken or withdrawn |
//! | `ID.set` | the writer | what is on now, or what was wrong |

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkg_scalable::{Backing, FeatureFlags, ScalableAllocationEngine};
use serde::{Deserialize, Serialize};

use super::requests::{DIRECTORY, entries, put, take};
use crate::failure::Failure;

/// How a request's name ends.
pub(super) const FLAGS: &str = "flags";
/// Time between two looks for the answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Time between two looks for whether there is a writer still.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// What the writer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    /// What is on now.
    flags: FeatureFlags,
    /// What was wrong with the request.
    error: Option<String>,
}

/// The writer's side: turns on and off what was asked for. Costs one look at the directory if nothing was.
///
/// # Errors
/// Where the change cannot be committed.
pub(crate) fn answer_requests<E: Backing>(
    data: &Path,
    engine: &mut ScalableAllocationEngine<E>,
) -> Result<(), Failure> {
    let directory = data.join(DIRECTORY);
    if fs::metadata(&directory).is_err() {
        return Ok(());
    }
    for path in entries(&directory) {
        if path.extension().is_none_or(|extension| extension != FLAGS) {
            continue;
        }
        let taken = path.with_extension("taken");
        // Whoever asked may have withdrawn it meanwhile.
        if fs::rename(&path, &taken).is_err() {
            continue;
        }
        let flags = FeatureFlags::of(engine.config());
        let error = match take::<String>(&taken) {
            Some(asked) => flags.set_named(&asked).err().map(|error| error.to_string()),
            None => Some("the request cannot be read".to_owned()),
        };
        if error.is_none() {
            engine.set_flags(&flags, "asked by `cortexkg flags`")?;
        }
        // That nobody can be told undoes nothing.
        let _ =
            put(&taken.with_extension("set"), &Answer { flags: FeatureFlags::of(engine.config()), error });
    }
    Ok(())
}

/// A request that is left; taken away with all that belongs to it when dropped.
struct Left(PathBuf);

impl Drop for Left {
    fn drop(&mut self) {
        for extension in [FLAGS, "taken", "set", "partial"] {
            // What is not there, or cannot be removed, does no harm.
            let _ = fs::remove_file(self.0.with_extension(extension));
        }
        if let Some(directory) = self.0.parent() {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// The asker's side: what is on once the writer has done as asked; none if there `is_nobody` any more who could.
///
/// # Errors
/// Where it refuses, does not answer in time, or the directory cannot be written to.
pub(crate) fn ask(
    data: &Path,
    flags: &str,
    wait: Duration,
    is_nobody: impl Fn() -> bool,
) -> Result<Option<FeatureFlags>, Failure> {
    let request = Left(data.join(DIRECTORY).join(format!("{}.{FLAGS}", std::process::id())));
    let leave = || {
        fs::create_dir_all(data.join(DIRECTORY))?;
        put(&request.0, &flags)
    };
    // A writer that ends may remove the empty directory in between.
    let left = leave().or_else(|_| leave()).or_else(|_| leave());
    left.map_err(|error| Failure::of_write(&request.0.display().to_string(), &error))?;
    let (since, mut tried) = (Instant::now(), Instant::now());
    loop {
        if let Some(answer) = take::<Answer>(&request.0.with_extension("set")) {
            return match answer.error {
                Some(error) => Err(Failure::Usage(error)),
                None => Ok(Some(answer.flags)),
            };
        }
        if tried.elapsed() >= TRY_EVERY {
            tried = Instant::now();
            // It may have answered with its last breath; a request that was taken is answered or cut off with its writer.
            if is_nobody() && !request.0.with_extension("set").exists() {
                return Ok(None);
            }
        }
        if since.elapsed() >= wait {
            return Err(Failure::Run(format!(
                "the process that writes {} did not answer for {} s; `cortexkg allocate` looks for requests after each commit, other \
                 commands do not: wait longer with --wait, or until it has ended",
                data.display(),
                wait.as_secs()
            )));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
