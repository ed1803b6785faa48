//! Why a command did not finish, and the exit code that tells.

use std::io;

use thiserror::Error;

use crate::input::InputError;

/// How a command ended when nothing stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done: exit code 0.
    Complete,
    /// Everything was done, but some records were rejected: exit code 3.
    WithRejections,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::WithRejections => 3,
        }
    }
}

/// What stopped a command.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The command cannot be carried out as it was given: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The run failed on the way; what was decided before is written: exit code 1.
    #[error("{0}")]
    Run(String),
    /// A part of the graph's snapshot is damaged: exit code 1.
    #[error("{0}")]
    Snapshot(String),
    /// Whoever read standard output has gone (`| head`): nothing to say, exit code 0. A command that was changing something
    /// when that happened says how far it came, and fails.
    #[error("standard output is closed")]
    OutputClosed,
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Run(_) | Self::Snapshot(_) => 1,
            Self::Usage(_) => 2,
        }
    }

    /// A failure to write standard output.
    pub fn of_output(error: &io::Error) -> Self {
        Self::of_write("standard output", error)
    }

    /// A failure to write the file or stream of that name.
    pub fn of_write(name: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => {
                Self::Run(format!("cannot write {name}: {error}; check the space and the permissions there"))
            }
        }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        if error.is_usage() { Self::Usage(error.to_string()) } else { Self::Run(error.to_string()) }
    }
}
