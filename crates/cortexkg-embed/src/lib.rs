//! Embedding models for CortexKG, from files that are there already: nothing is ever downloaded.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use cortexkg::{AllocationEngine, EngineConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let embedder = cortexkg_embed::load(Path::new("models/all-MiniLM-L6-v2"))?;
//! let engine = AllocationEngine::new(EngineConfig { embedder, ..EngineConfig::default() });
//! # Ok(())
//! # }
//! ```
//!
//! | kind | cargo feature | what it is | files |
//! |---|---|---|---|
//! | [`Static`](ModelKind::Static) | `static` | one vector per token, averaged (model2vec, WordLlama) | `*.safetensors`, `tokenizer.json` |
//! | [`MiniLm`](ModelKind::MiniLm) | `minilm` | a BERT encoder, its outputs averaged (all-MiniLM-L6-v2) | `model.safetensors`, `tokenizer.json`, `config.json` |
//!
//! The kind is found from the files; see [`ModelFiles`]. Without a feature the crate still tells the kinds apart, so that a program
//! can say what it lacks; neither tokenizers nor tensor libraries are built then.
//!
//! # What always holds
//!
//! - A model is known by a hash of its files ([`identity`](cortexkg::embed::Embedder::identity)), not by where they lie.
//! - A static model gives the same bits on every processor. A BERT encoder gives the same bits on the same machine, and on another one
//!   bits that may differ in the last places: its sums are as wide as the processor's registers. A durable graph stores what the
//!   model said, so it is the same everywhere; runs that are to be compared bit by bit must be made on one machine, or be given vectors.
//! - Whatever the text, the work is bounded: both look at its first tokens only.

mod error;
mod files;
#[cfg(feature = "minilm")]
mod minilm;
#[cfg(feature = "static")]
mod static_table;
#[cfg(any(feature = "minilm", feature = "static"))]
mod tokens;

use std::path::Path;
use std::sync::Arc;

use cortexkg::embed::Embedder;

pub use error::ModelError;
pub use files::{ModelFiles, ModelKind};
#[cfg(feature = "minilm")]
pub use minilm::MiniLm;
#[cfg(feature = "static")]
pub use static_table::StaticTable;

/// Loads the model in a folder, of whatever kind it is.
///
/// # Errors
/// [`ModelError`]: which file is missing or wrong, or that the kind was left out of this build.
pub fn load(folder: &Path) -> Result<Arc<dyn Embedder>, ModelError> {
    let files = ModelFiles::find(folder)?;
    match files.kind() {
        #[cfg(feature = "static")]
        ModelKind::Static => Ok(Arc::new(StaticTable::load(&files)?)),
        #[cfg(feature = "minilm")]
        ModelKind::MiniLm => Ok(Arc::new(MiniLm::load(&files)?)),
        #[allow(unreachable_patterns, reason = "with all features there is none left")]
        kind => Err(ModelError::NotBuilt { folder: folder.to_owned(), kind }),
    }
}
