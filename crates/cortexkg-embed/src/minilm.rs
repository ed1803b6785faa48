//! BERT encoders in the style of all-MiniLM-L6-v2 (Reimers and Gurevych, *Sentence-BERT*, 2019): the mean of what the last layer says of
//! each token.

use std::fmt;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use cortexkg::embed::{EmbedError, Embedder};

use crate::error::ModelError;
use crate::files::{ModelFiles, read};
use crate::tokens::Tokens;

/// Tokens of a text that are looked at, the marks of its ends included.
const TOKENS_MAX: usize = 256;

/// A BERT encoder with mean pooling.
pub struct MiniLm {
    tokens: Tokens,
    model: BertModel,
    dimension: usize,
    identity: String,
}

impl MiniLm {
    /// Loads a model.
    ///
    /// # Errors
    /// Where a file cannot be read, is no such model, or the files do not fit each other.
    pub fn load(files: &ModelFiles) -> Result<Self, ModelError> {
        let Some((config_path, config)) = files.config() else {
            let folder = files.weights().parent().unwrap_or(files.weights()).to_owned();
            return Err(ModelError::Missing { folder, what: "config.json" });
        };
        let wrong = |what: String| ModelError::Wrong { path: config_path.clone(), what };
        let parsed: Config = serde_json::from_value(config.clone())
            .map_err(|error| wrong(format!("does not describe a BERT encoder: {error}")))?;
        let (dimension, heads) = (parsed.hidden_size, parsed.num_attention_heads);
        if !(1..=4096).contains(&dimension) || heads == 0 || !dimension.is_multiple_of(heads) {
            return Err(wrong(format!(
                "hidden_size is {dimension} for {heads} heads; a multiple up to 4096 is taken"
            )));
        }
        let tokens_max = TOKENS_MAX.min(parsed.max_position_embeddings);
        let tokenizer_bytes = read(files.tokenizer())?;
        // Both ends are marked.
        if tokens_max < 3 {
            return Err(wrong(format!("max_position_embeddings is {tokens_max}; at least 3 are needed")));
        }
        let tokens = Tokens::parse(files.tokenizer(), &tokenizer_bytes, tokens_max)?;
        let weights = read(files.weights())?;
        let canonical = config.to_string();
        let identity = files.identity(&[&weights, &tokenizer_bytes, canonical.as_bytes()], dimension);
        let model = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .and_then(|weights| BertModel::load(weights, &parsed))
            .map_err(|error| ModelError::Wrong {
                path: files.weights().to_owned(),
                what: format!("does not hold the encoder that config.json describes: {error}"),
            })?;
        Ok(Self { tokens, model, dimension, identity })
    }

    fn encode(&self, tokens: &[u32]) -> candle_core::Result<Vec<f32>> {
        let tokens = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        // One text at a time: nothing is padded, so the mask hides nothing and the mean is over all tokens.
        let states = self.model.forward(&tokens, &tokens.zeros_like()?, None)?;
        states.mean(1)?.squeeze(0)?.to_vec1()
    }
}

impl fmt::Debug for MiniLm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.identity)
    }
}

impl Embedder for MiniLm {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let tokens = self.tokens.of(text, true)?;
        let vector =
            self.encode(&tokens).map_err(|error| EmbedError(format!("the model failed: {error}")))?;
        out.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        Ok(())
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}
