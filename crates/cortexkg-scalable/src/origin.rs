//! Where a value came from.

use std::fmt;

use serde::Serialize;

use crate::Profile;
use crate::check::Quoted;

/// Where a value came from, what counts least first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// Nobody has said anything of it.
    Default,
    /// A profile that was asked for has another value than [`Profile::Default`].
    Profile {
        /// Which.
        name: Profile,
    },
    /// A file.
    File {
        /// The file, as it was named.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// An option of the command line.
    Flag {
        /// As it was given: `--vector-budget 512M`.
        text: String,
    },
}

impl Origin {
    /// Its place among the kinds of origins: what counts more comes later.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Profile { .. } => 1,
            Self::File { .. } => 2,
            Self::Environment { .. } => 3,
            Self::Flag { .. } => 4,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile { name } => write!(f, "profile {name}"),
            Self::File { path, line } => write!(f, "{path}, line {line}"),
            Self::Environment { variable } => f.write_str(variable),
            Self::Flag { text } => Quoted(text).fmt(f),
        }
    }
}
