//! Static models: a table with one vector per token; a text is the mean of its tokens.
//!
//! Model2vec (Tulkens and van Dongen, *Model2Vec: Fast State-of-the-Art Static Embeddings*, 2024) and WordLlama distil such tables
//! from large models. A text costs a look-up and an addition per token.

use cortexkg::embed::{EmbedError, Embedder};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::error::ModelError;
use crate::files::{ModelFiles, read};
use crate::tokens::Tokens;

/// Tokens of a text that are looked at.
const TOKENS_MAX: usize = 512;

/// A static model.
#[derive(Debug)]
pub struct StaticTable {
    tokens: Tokens,
    /// Row by row.
    table: Vec<f32>,
    dimension: usize,
    /// What a token counts, by its number; empty if all count the same.
    weights: Vec<f32>,
    /// The row of a token, by its number; empty if they are the same.
    rows: Vec<u32>,
    /// Stands for whatever has no token, and says nothing.
    unknown: Option<u32>,
    identity: String,
}

impl StaticTable {
    /// Loads a model. The table is the tensor `embeddings`, or the only matrix whatever its name; a model2vec file may also have
    /// `weights`, one per token, and `mapping`, from tokens to rows.
    ///
    /// # Errors
    /// Where a file cannot be read, is no such model, or the files do not fit each other.
    pub fn load(files: &ModelFiles) -> Result<Self, ModelError> {
        let (weights_path, tokenizer_path) = (files.weights(), files.tokenizer());
        let weights_bytes = read(weights_path)?;
        let tokenizer_bytes = read(tokenizer_path)?;
        let tokens = Tokens::parse(tokenizer_path, &tokenizer_bytes, TOKENS_MAX)?;
        let wrong = |what: String| ModelError::Wrong { path: weights_path.to_owned(), what };
        let tensors = SafeTensors::deserialize(&weights_bytes)
            .map_err(|error| wrong(format!("is no safetensors file: {error}")))?;
        let (name, matrix) = matrix(&tensors).map_err(wrong)?;
        let &[rows, dimension] = matrix.shape() else {
            return Err(wrong(format!("the tensor {name} is no matrix")));
        };
        if rows == 0 || !(1..=4096).contains(&dimension) {
            return Err(wrong(format!(
                "the tensor {name} has {rows} rows of {dimension}; 1 to 4096 are taken"
            )));
        }
        let table = floats(&matrix).map_err(|what| wrong(format!("the tensor {name} {what}")))?;
        if let Some(at) = table.iter().position(|value| !value.is_finite()) {
            return Err(wrong(format!("row {} of the tensor {name} is not finite", at / dimension)));
        }
        let optional = |name: &str| tensors.tensor(name).ok().filter(|found| found.shape().len() == 1);
        let weights = match optional("weights") {
            Some(weights) => floats(&weights).map_err(|what| wrong(format!("the tensor weights {what}")))?,
            None => Vec::new(),
        };
        let mapping = match optional("mapping") {
            Some(mapping) => {
                numbers(&mapping, rows).map_err(|what| wrong(format!("the tensor mapping {what}")))?
            }
            None => Vec::new(),
        };
        let unknown = unknown_token(&tokenizer_bytes, &tokens);
        let identity = files.identity(&[&weights_bytes, &tokenizer_bytes], dimension);
        Ok(Self { tokens, table, dimension, weights, rows: mapping, unknown, identity })
    }
}

impl Embedder for StaticTable {
    fn dimension(&self) -> usize {
        self.dimension
    }

    /// Adds the tokens up, in their order; the mean has the same direction.
    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        for token in self.tokens.of(text, false)? {
            if Some(token) == self.unknown {
                continue;
            }
            let at = token as usize;
            let row = self.rows.get(at).map_or(at, |&row| row as usize);
            // The tokenizer may know tokens that were added after the table was made.
            let Some(vector) = self.table.get(row * self.dimension..(row + 1) * self.dimension) else {
                continue;
            };
            let weight = self.weights.get(at).copied().unwrap_or(1.0);
            out.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value * weight);
        }
        Ok(())
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

/// The table among the tensors of a file.
fn matrix<'a>(tensors: &SafeTensors<'a>) -> Result<(String, TensorView<'a>), String> {
    let mut matrices: Vec<_> =
        tensors.tensors().into_iter().filter(|(_, tensor)| tensor.shape().len() == 2).collect();
    if let Some(at) = matrices.iter().position(|(name, _)| name == "embeddings") {
        return Ok(matrices.swap_remove(at));
    }
    match (matrices.pop(), matrices.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err("has no matrix, so it is no table of tokens".to_owned()),
        (Some(_), others) => Err(format!(
            "has {} matrices and none is called embeddings, so it is no static model (a BERT encoder needs its config.json beside it)",
            others + 1
        )),
    }
}

/// The numbers of a tensor as `f32`.
fn floats(tensor: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = tensor.data();
    Ok(match tensor.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        // Quantized with one scale for all, which has no say in a direction.
        Dtype::I8 => data.iter().map(|&byte| f32::from(byte as i8)).collect(),
        other => return Err(format!("holds {other:?}; F64, F32, F16, BF16 and I8 are taken")),
    })
}

/// The numbers of a tensor as row numbers below `rows`.
fn numbers(tensor: &TensorView<'_>, rows: usize) -> Result<Vec<u32>, String> {
    let data = tensor.data();
    let wide: Vec<i64> = match tensor.dtype() {
        Dtype::I64 => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|&bytes| i64::from(i32::from_le_bytes(bytes))).collect(),
        other => return Err(format!("holds {other:?}; I64 and I32 are taken")),
    };
    let narrow = wide.into_iter().map(|row| u32::try_from(row).ok().filter(|&row| (row as usize) < rows));
    narrow.collect::<Option<_>>().ok_or_else(|| format!("names a row that is not among {rows}"))
}

/// The token that stands for everything unknown.
fn unknown_token(tokenizer: &[u8], tokens: &Tokens) -> Option<u32> {
    let parsed: Value = serde_json::from_slice(tokenizer).ok()?;
    let model = parsed.get("model")?;
    match model.get("unk_token").and_then(Value::as_str) {
        Some(token) => tokens.number(token),
        None => u32::try_from(model.get("unk_id")?.as_u64()?).ok(),
    }
}
