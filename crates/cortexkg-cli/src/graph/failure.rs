//! What a graph refuses, as a failure of the command.

use std::io;

use cortexkg::OperationError;
use cortexkg_store::StoreError;

use crate::failure::Failure;

impl From<StoreError> for Failure {
    /// What the caller can put right is a matter of usage; what the disk or damage did is not.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InUse { path } => Self::Usage(format!(
                "{} is in use by another process; try again when it has ended, or read from a backup (`cortexkg backup` \
                 takes one while `allocate` runs)",
                path.display()
            )),
            StoreError::Format { .. } | StoreError::NotClosed { .. } | StoreError::ReadOnly => {
                Self::Usage(error.to_string())
            }
            StoreError::Damaged { .. } => {
                Self::Run(format!("{error}; restore a backup with `cortexkg restore`"))
            }
            // Whoever reads standard output has gone, as after `export - --format ckg | head`.
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => Self::OutputClosed,
            StoreError::Io { place, source } => {
                Self::Run(format!("{place}: {source}; {}", what_to_do(source.kind())))
            }
            _ => Self::Run(error.to_string()),
        }
    }
}

/// What to do about an answer of the operating system.
fn what_to_do(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room there and run the command again: what was acknowledged is all there"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "nothing can be written there: make it writable, or `cortexkg restore` a backup of it elsewhere"
        }
        io::ErrorKind::PermissionDenied => "check who owns the directory and who may write to it",
        io::ErrorKind::IsADirectory => "a directory stands where a file of the graph belongs: move it away",
        io::ErrorKind::NotFound => "check the path",
        _ => "check the disk and run the command again",
    }
}

impl From<OperationError> for Failure {
    /// As for [`StoreError`]: a node that is not there was named wrongly, a log that gives another graph is damage.
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Store(error) => error.into(),
            OperationError::Snapshot { place, what } => {
                Self::Snapshot(format!("{place}: is damaged ({what}); nothing is lost"))
            }
            OperationError::Broken | OperationError::Diverged { .. } => Self::Run(error.to_string()),
            _ => Self::Usage(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_system_say_what_to_do() {
        for (kind, told) in [
            (io::ErrorKind::StorageFull, "make room"),
            (io::ErrorKind::ReadOnlyFilesystem, "make it writable"),
            (io::ErrorKind::IsADirectory, "move it away"),
            (io::ErrorKind::Other, "check the disk"),
        ] {
            let failure = Failure::from(StoreError::io("graph/cortexkg.redb", kind.into()));
            assert!(failure.to_string().contains(told) && failure.code() == 1, "{failure}");
        }
    }
}
