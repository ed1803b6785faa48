//! Text to tokens, bounded.

use std::path::Path;

use cortexkg::embed::EmbedError;
use tokenizers::{Tokenizer, TruncationParams};

use crate::error::ModelError;

/// Most bytes of a token on average: what lies behind so many times the tokens wanted is not even looked at.
const TOKEN_BYTES: usize = 16;

/// A tokenizer that gives no more than so many tokens, and no padding.
#[derive(Debug)]
pub(crate) struct Tokens {
    tokenizer: Tokenizer,
    tokens_max: usize,
}

impl Tokens {
    /// The tokenizer in some bytes, read from `path`. What the file says of padding and truncation is for batches.
    pub(crate) fn parse(path: &Path, bytes: &[u8], tokens_max: usize) -> Result<Self, ModelError> {
        let wrong = |error: tokenizers::Error| ModelError::Wrong {
            path: path.to_owned(),
            what: format!("is no tokenizer: {error}"),
        };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(wrong)?;
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: tokens_max, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(wrong)?;
        Ok(Self { tokenizer, tokens_max })
    }

    /// The numbers of a text's tokens; `with_special` asks for the marks of beginning and end that some models want.
    pub(crate) fn of(&self, text: &str, with_special: bool) -> Result<Vec<u32>, EmbedError> {
        let text = &text[..boundary(text, self.tokens_max * TOKEN_BYTES)];
        let encoding = self.tokenizer.encode_fast(text, with_special);
        let encoding = encoding.map_err(|error| EmbedError(format!("the tokenizer failed: {error}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The number of a token.
    #[cfg(feature = "static")]
    pub(crate) fn number(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }
}

/// The last boundary between characters at or before a byte. What `str::floor_char_boundary` does from Rust 1.91 on.
fn boundary(text: &str, byte: usize) -> usize {
    if byte >= text.len() {
        return text.len();
    }
    (0..=byte).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
