//! Which files a model consists of, and what kind of model that makes.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::ModelError;

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelKind {
    /// A vector for each token, whatever stands around it.
    Static,
    /// A BERT encoder.
    MiniLm,
}

impl ModelKind {
    /// The cargo feature that has the code for it.
    pub fn feature(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::MiniLm => "minilm",
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Static => "static",
            Self::MiniLm => "BERT",
        })
    }
}

/// The files of a model.
///
/// - Weights: the only `*.safetensors` in the folder, or in its subfolder `weights`.
/// - Tokenizer: `tokenizer.json` in the folder, or the only `*.json` in its subfolder `tokenizers`.
/// - `config.json`: says by `model_type` or `architectures` that the model is a BERT encoder; a static model needs none.
///
/// These are the layouts of Hugging Face (model2vec, sentence-transformers) and of WordLlama's package.
#[derive(Debug)]
pub struct ModelFiles {
    kind: ModelKind,
    weights: PathBuf,
    tokenizer: PathBuf,
    /// Where it lies and what it says.
    #[cfg_attr(not(feature = "minilm"), allow(dead_code, reason = "static models have no say in it"))]
    config: Option<(PathBuf, Value)>,
}

impl ModelFiles {
    /// Looks for the files in a folder; reads none but the configurations.
    ///
    /// # Errors
    /// Where one is missing, or the kind of model is unknown.
    pub fn find(folder: &Path) -> Result<Self, ModelError> {
        if !folder.is_dir() {
            return Err(ModelError::NoFolder { folder: folder.to_owned() });
        }
        let weights = match only(folder, ".safetensors")? {
            Some(weights) => Some(weights),
            None => only(&folder.join("weights"), ".safetensors")?,
        };
        let named = folder.join("tokenizer.json");
        let tokenizer =
            if named.is_file() { Some(named) } else { only(&folder.join("tokenizers"), ".json")? };
        let missing = |what| ModelError::Missing { folder: folder.to_owned(), what };
        let weights = weights.ok_or_else(|| missing("*.safetensors, nor one in a subfolder weights"))?;
        let tokenizer =
            tokenizer.ok_or_else(|| missing("tokenizer.json, nor a *.json in a subfolder tokenizers"))?;
        let config = configuration(folder.join("config.json"))?;
        let kind = match &config {
            Some((path, config)) => kind_of(path, config)?,
            None => ModelKind::Static,
        };
        if kind == ModelKind::MiniLm {
            check_pooling(folder.join("1_Pooling").join("config.json"))?;
        }
        Ok(Self { kind, weights, tokenizer, config })
    }

    /// The kind of model that they make.
    pub fn kind(&self) -> ModelKind {
        self.kind
    }

    /// The safetensors file.
    pub fn weights(&self) -> &Path {
        &self.weights
    }

    /// The tokenizer's file.
    pub fn tokenizer(&self) -> &Path {
        &self.tokenizer
    }
}

#[cfg(any(feature = "minilm", feature = "static"))]
impl ModelFiles {
    #[cfg(feature = "minilm")]
    pub(crate) fn config(&self) -> Option<&(PathBuf, Value)> {
        self.config.as_ref()
    }

    /// What identifies the model: its kind, 128 bits of a hash of what it consists of, and its dimensions.
    pub(crate) fn identity(&self, parts: &[&[u8]], dimension: usize) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let hash = hasher.finalize().to_hex();
        let hash = hash.get(..32).unwrap_or_default();
        format!("Model {{ kind: {}, blake3: {hash}, dimension: {dimension} }}", self.kind.feature())
    }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })
}

/// The only file in a folder whose name ends so; none if there is none, or no such folder.
fn only(folder: &Path, end: &'static str) -> Result<Option<PathBuf>, ModelError> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let unreadable = |source| ModelError::Unreadable { path: folder.to_owned(), source };
    let mut found = None;
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let fits = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(end));
        if fits && path.is_file() && found.replace(path).is_some() {
            return Err(ModelError::Ambiguous { folder: folder.to_owned(), what: end });
        }
    }
    Ok(found)
}

/// What a configuration says, with its place; none if there is none.
fn configuration(path: PathBuf) -> Result<Option<(PathBuf, Value)>, ModelError> {
    if !path.is_file() {
        return Ok(None);
    }
    match serde_json::from_slice(&read(&path)?) {
        Ok(config) => Ok(Some((path, config))),
        Err(error) => Err(ModelError::Wrong { path, what: format!("is no JSON: {error}") }),
    }
}

fn kind_of(path: &Path, config: &Value) -> Result<ModelKind, ModelError> {
    let model_type = config.get("model_type").and_then(Value::as_str);
    let architectures = config.get("architectures").and_then(Value::as_array);
    let architecture = architectures.and_then(|names| names.first()).and_then(Value::as_str);
    match (model_type, architecture) {
        (Some("bert"), _) | (None, Some("BertModel")) => Ok(ModelKind::MiniLm),
        (Some("model2vec"), _) | (None, Some("StaticModel") | None) => Ok(ModelKind::Static),
        (found, architecture) => Err(ModelError::Unsupported {
            path: path.to_owned(),
            found: found.or(architecture).unwrap_or_default().to_owned(),
        }),
    }
}

/// Models of sentence-transformers say how they make one vector of many; other ways than the mean give other vectors.
fn check_pooling(path: PathBuf) -> Result<(), ModelError> {
    match configuration(path)? {
        Some((path, config))
            if config.get("pooling_mode_mean_tokens").and_then(Value::as_bool) == Some(false) =>
        {
            Err(ModelError::Unsupported { path, found: "BERT encoder without mean pooling".to_owned() })
        }
        _ => Ok(()),
    }
}
