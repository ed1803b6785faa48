//! The model that `--embedder` names.

use std::path::Path;

use cortexkg::EngineConfig;
use cortexkg_embed::{ModelError, load};

use crate::failure::Failure;

/// The engine's configuration, with the model in a folder if one is named.
///
/// # Errors
/// Where there is no model in it, or this program was built without the code for its kind.
pub(crate) fn configuration(folder: Option<&Path>) -> Result<EngineConfig, Failure> {
    let mut config = EngineConfig::default();
    if let Some(folder) = folder {
        config.embedder = load(folder).map_err(|error| match error {
            ModelError::NotBuilt { folder, kind } => Failure::Usage(format!(
                "--embedder {}: is a {kind} model, and this program was built without the code for those; build it with `cargo build \
                 --release -p cortexkg-cli --features {}-embedder`",
                folder.display(),
                kind.feature()
            )),
            error => Failure::Usage(format!("--embedder {error}")),
        })?;
    }
    Ok(config)
}
