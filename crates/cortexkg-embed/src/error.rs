//! Why there is no model.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::files::ModelKind;

/// Why a model cannot be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The path leads to no folder.
    #[error("{}: is no folder; give the folder that holds the model's files", folder.display())]
    NoFolder {
        /// The path.
        folder: PathBuf,
    },
    /// A file that every such model has is not there.
    #[error("{}: there is no {what}; give the folder of a whole model", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file, or what its name looks like.
        what: &'static str,
    },
    /// Several files could be meant.
    #[error("{}: there are several files {what}; leave only one in the folder", folder.display())]
    Ambiguous {
        /// The folder.
        folder: PathBuf,
        /// What their names look like.
        what: &'static str,
    },
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {source}; check the permissions", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what its name says, or does not fit the others.
    #[error("{}: {what}; get the model's files again, all from one place", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A model of a kind that nothing here can run.
    #[error(
        "{}: is a model of the kind {found}; those that can be used are BERT encoders with mean pooling (all-MiniLM-L6-v2) \
         and static ones (model2vec, WordLlama)", path.display()
    )]
    Unsupported {
        /// The file that says so.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// This build has no code for the kind of model.
    #[error("{}: is a {kind} model, and this build has no code for those; build it with the feature {}", folder.display(), kind.feature())]
    NotBuilt {
        /// The folder.
        folder: PathBuf,
        /// The kind.
        kind: ModelKind,
    },
}
