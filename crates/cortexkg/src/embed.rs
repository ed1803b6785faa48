//! Text to vector: the [`Embedder`] trait and the built-in [`LexicalEmbedder`], which needs no model.
//!
//! Whatever is not lexical is a *model*. A durable graph stores what a model says with the fact (`docs/format.md`), asks it
//! once for each fact, and can be opened without it.

use std::fmt;

use thiserror::Error;

/// Turns a text into a vector. Within one process the same text must always give the same bits.
///
/// The engine embeds facts that bring no vector of their own, always in their normal form
/// ([`normalise`](crate::normalise::normalise)).
pub trait Embedder: fmt::Debug + Send + Sync {
    /// Number of dimensions of every vector it returns, 1 to 4,096.
    fn dimension(&self) -> usize;

    /// Adds the embedding of `text` to `out`, which has [`Self::dimension`] zeros on entry. Need not be normalised; all
    /// zeros mean "no direction".
    ///
    /// # Errors
    /// Where there can be no vector; then the fact is refused.
    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), EmbedError>;

    /// Whether the vector only repeats what the words of the text say already, so that agreement of the vectors is no
    /// evidence beyond agreement of the fields, and finds no node that spikes do not find. The engine does not ask such an
    /// embedder: where nobody brings vectors, there are none.
    fn is_lexical(&self) -> bool {
        false
    }

    /// Which embedder it is, for ever: a graph that was made with one is not continued with another. For a model a hash of its
    /// contents, not the place where they lie.
    fn identity(&self) -> String {
        format!("{self:?}")
    }
}

/// Why there is no vector, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct EmbedError(pub String);

/// Stands in for the model of a graph that was opened without it.
#[derive(Debug)]
pub(crate) struct AbsentModel {
    pub(crate) identity: String,
    pub(crate) dimension: usize,
}

impl Embedder for AbsentModel {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed(&self, _: &str, _: &mut [f32]) -> Result<(), EmbedError> {
        Err(EmbedError(format!(
            "the graph was made with the model {}, and it was opened without; name that model again (`--embedder PATH`), or \
             bring a vector of {} dimensions with every fact",
            self.identity, self.dimension
        )))
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

/// Hashed character n-grams (the "hashing trick" of Weinberger et al., *Feature Hashing for Large Scale Multitask
/// Learning*, 2009, over the 3- and 4-grams and whole words of fastText's kind). No model, no network. It says nothing that
/// the words do not say, so the engine, whose default it is, does without; it is for whoever wants vectors and has no model.
///
/// Each n-gram of each word, padded with a boundary mark, adds ±1 to one of the dimensions; its hash chooses both. A
/// whole word counts like three n-grams.
#[derive(Debug, Clone, Copy)]
pub struct LexicalEmbedder {
    dimension: usize,
}

impl LexicalEmbedder {
    /// Dimensions used by the engine unless told otherwise.
    pub const DIMENSION_DEFAULT: usize = 256;

    /// An embedder of a given number of dimensions, brought into 1 to 4,096.
    pub fn new(dimension: usize) -> Self {
        Self { dimension: dimension.clamp(1, 4096) }
    }

    fn add(&self, out: &mut [f32], hash: u64, weight: f32) {
        let slot = ((hash >> 32) * self.dimension as u64) >> 32;
        out[slot as usize] += if hash & 1 == 0 { weight } else { -weight };
    }
}

impl Default for LexicalEmbedder {
    fn default() -> Self {
        Self::new(Self::DIMENSION_DEFAULT)
    }
}

impl Embedder for LexicalEmbedder {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), EmbedError> {
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            self.add(out, hash_bytes(3, word.as_bytes()), 3.0);
            ngrams(word, 3, |gram| self.add(out, hash_bytes(1, gram), 1.0));
            ngrams(word, 4, |gram| self.add(out, hash_bytes(2, gram), 1.0));
        }
        Ok(())
    }

    fn is_lexical(&self) -> bool {
        true
    }
}

/// Calls `visit` with each n-gram of characters of `word` in its order, the word padded with one mark at either end.
pub(crate) fn ngrams(word: &str, length: usize, mut visit: impl FnMut(&[u8])) {
    const MARK: u8 = 0x1f;
    let mut padded = Vec::with_capacity(word.len() + 2);
    padded.push(MARK);
    padded.extend_from_slice(word.as_bytes());
    padded.push(MARK);
    let mut starts: Vec<usize> = (0..padded.len()).filter(|&at| padded[at] & 0xc0 != 0x80).collect();
    starts.push(padded.len());
    for window in starts.windows(length + 1) {
        visit(&padded[window[0]..window[length]]);
    }
}

/// 64-bit hash of bytes within a domain: FNV-1a followed by the finaliser of SplitMix64, so that all bits are usable.
pub(crate) fn hash_bytes(domain: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ domain.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// The finaliser of SplitMix64 (Steele et al., *Fast Splittable Pseudorandom Number Generators*, 2014): a bijection
/// that spreads every bit. Used wherever the engine needs a choice that looks random and is not.
pub(crate) fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(left: &str, right: &str) -> f32 {
        let embedder = LexicalEmbedder::default();
        let [a, b] = [left, right].map(|text| {
            let mut out = vec![0.0; embedder.dimension()];
            embedder.embed(text, &mut out).expect("it never fails");
            out
        });
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    }

    #[test]
    fn near_spellings_are_near_and_others_far() {
        assert!(cosine("multicystic kidney dysplasia", "multicystic dysplastic kidney") > 0.6);
        assert!(cosine("multicystic kidney dysplasia", "crooked nasal tip") < 0.25);
        assert!((cosine("same", "same") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn ngrams_respect_characters_and_edges() {
        let grams = |word, length| {
            let mut out = Vec::new();
            ngrams(word, length, |gram| {
                out.push(String::from_utf8(gram.to_vec()).expect("whole characters"));
            });
            out
        };
        assert_eq!(grams("añb", 3), ["\u{1f}añ", "añb", "ñb\u{1f}"]);
        assert_eq!(grams("a", 3), ["\u{1f}a\u{1f}"]);
        assert!(grams("a", 4).is_empty());
    }
}
