//! What a graph refuses, as a failure of the command.

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
                Self::Run(format!("{error}; restore a backup with `cortexkg restore`, or get the file again"))
            }
            _ => Self::Run(error.to_string()),
        }
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
