//! Questions to the index.

use super::HnswAllocationIndex;
use super::beam::Entry;
use super::walk::Walker;
use crate::error::IndexError;
use crate::precision::Precision;
use crate::score::Score;
use crate::vector::Vector;

/// A vector that a search found. The better one is the lesser: higher score, then smaller id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// The id that it was added under.
    pub id: u64,
    /// The estimate of its cosine with what was asked.
    pub score: Score,
}

impl Ord for Neighbour {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.score.cmp(&self.score).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Neighbour {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Reads the full embedding of an id into the buffer; returns whether it could.
pub type ReadFull<'a> = dyn FnMut(u64, &mut Vec<f32>) -> bool + 'a;

/// Is told ids.
pub type TellIds<'a> = dyn FnMut(&[u64]) + 'a;

/// What a search may be told beside the vector and the number of hits.
#[derive(Default)]
pub struct SearchOptions<'a> {
    /// Nodes to hold on to; the setting of the index if it is not given.
    pub ef: Option<usize>,
    /// Only ids that this accepts are hits. The way leads over the others as well.
    pub filter: Option<&'a mut dyn FnMut(u64) -> bool>,
    /// Has the last word on the best: reads the full embeddings of those that are not kept in full from wherever
    /// they are. What is of another dimension or not finite counts as
    /// not read.
    pub full: Option<&'a mut ReadFull<'a>>,
    /// `full` is asked for those alone that are kept at less than this; for all that are not kept in full if not given.
    pub full_below: Option<Precision>,
    /// Is told the ids that `full` is about to be asked for, so that whoever reads can have all of them on their way at once.
    pub ahead: Option<&'a mut TellIds<'a>>,
    /// How many of the best are ranked again by their own precision, or by what `full` reads. All that are held if not given.
    pub rescored: Option<usize>,
}

impl HnswAllocationIndex {
    /// Fills `hits` with the `k` nearest vectors that the walk finds, best first.
    ///
    /// # Errors
    ///
    /// [`IndexError::DimensionMismatch`] if the vector is not of the dimension of the index; `hits` is empty then.
    pub fn search(&self, vector: &Vector, k: usize, hits: &mut Vec<Neighbour>) -> Result<(), IndexError> {
        self.search_with(vector, k, &mut SearchOptions::default(), hits)
    }

    /// The same, told more.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    pub fn search_with(
        &self,
        vector: &Vector,
        k: usize,
        how: &mut SearchOptions<'_>,
        hits: &mut Vec<Neighbour>,
    ) -> Result<(), IndexError> {
        hits.clear();
        self.nodes.check(vector)?;
        let mut walker = self.walker();
        let starts = self.descend(vector, 0, &mut walker);
        if !starts.is_empty() {
            let ef = how.ef.unwrap_or(self.config.ef_search).max(k);
            match how.filter.as_mut() {
                None => {
                    self.walk(vector, 0, &starts, ef, &mut walker);
                    self.offer_copies(&mut walker.beam);
                }
                Some(filter) => self.walk_filtered(vector, &starts, ef, k, filter, &mut walker),
            }
            let found = std::mem::take(&mut walker.beam);
            if how.filter.is_none() && self.recall.is_due() {
                self.note_recall(vector, k, found.entries(), &mut walker);
            }
            self.rank(vector, found.entries(), k, how, &mut walker, hits);
            walker.beam = found;
        }
        self.keep(walker);
        Ok(())
    }

    /// Ranks what a walk found by what is known best of each.
    pub(super) fn rank(
        &self,
        vector: &Vector,
        found: &[Entry],
        k: usize,
        how: &mut SearchOptions<'_>,
        walker: &mut Walker,
        hits: &mut Vec<Neighbour>,
    ) {
        if how.full.is_none() && self.nodes.finer.is_empty() {
            hits.extend(found.iter().take(k).map(|entry| Neighbour { id: entry.id, score: entry.score }));
            return;
        }
        let rescored = how.rescored.unwrap_or(found.len()).clamp(k.min(found.len()), found.len());
        let slots: Vec<u32> = found[..rescored].iter().map(|entry| entry.slot).collect();
        let mut scores: Vec<Score> = found[..rescored].iter().map(|entry| entry.score).collect();
        self.nodes.refine(&slots, vector, &mut scores, &mut walker.scratch);
        if let Some(read) = how.full.as_mut() {
            let below = how.full_below.unwrap_or(Precision::Full);
            let asked: Vec<usize> =
                (0..rescored).filter(|&at| self.nodes.precision(found[at].slot) < below).collect();
            if let Some(ahead) = how.ahead.as_mut() {
                ahead(&asked.iter().map(|&at| found[at].id).collect::<Vec<_>>());
            }
            let mut embedding = Vec::new();
            for at in asked {
                embedding.clear();
                if read(found[at].id, &mut embedding)
                    && let Some(exact) = self.exact(vector, &embedding)
                {
                    scores[at] = exact;
                }
            }
        }
        hits.extend(found.iter().zip(scores).map(|(entry, score)| Neighbour { id: entry.id, score }));
        hits.sort_unstable();
        hits.truncate(k);
    }

    /// The cosine with a full embedding; none unless it is of the same dimension and finite.
    fn exact(&self, vector: &Vector, embedding: &[f32]) -> Option<Score> {
        if embedding.len() != vector.unit.len() {
            return None;
        }
        let kernels = self.nodes.kernels;
        let norm_squared = kernels.dot_f32(embedding, embedding);
        if !norm_squared.is_finite() {
            return None;
        }
        let dot = kernels.dot_f32(&vector.unit, embedding);
        Some(if norm_squared > 0.0 { Score::of(dot / norm_squared.sqrt()) } else { Score::default() })
    }
}
