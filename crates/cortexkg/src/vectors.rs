//! One vector per node, as an 8-bit code: what the semantic column compares and, in a small graph, what is scanned.

use cortexkg_index::{FlatIndex, Hit, Q8Code};
use cortexkg_store::StoreError;

use crate::error::FactError;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::perceive::Perceived;

/// The code of a mention's vector.
pub(crate) type Code = Q8Code;

/// Members after which a node's vector moves no slower: the newest always counts for at least 1/16.
const MEMBERS_MAX: u32 = 16;

/// The vectors of all nodes, in one space. The built-in embedder's space gives way to that of the first embedding that a fact
/// brings: vectors of two spaces cannot be compared.
#[derive(Debug, Clone)]
pub(crate) struct Vectors {
    index: FlatIndex,
    /// Whether the space is that of embeddings from outside.
    given: bool,
    /// Whether the engine's own embedder only repeats the words.
    embedder_is_lexical: bool,
}

impl Vectors {
    pub(crate) fn new(dimension: usize, embedder_is_lexical: bool) -> Self {
        Self { index: new_index(dimension), given: false, embedder_is_lexical }
    }

    /// Checks the embedding that a fact brings, and moves to its space if it is the first.
    pub(crate) fn check(&mut self, record: &str, perceived: &Perceived) -> Result<(), FactError> {
        let Some(found) = perceived.given_dimension else { return Ok(()) };
        let expected = self.expected_dimension().unwrap_or(found);
        if found == expected {
            if self.expected_dimension().is_none() {
                self.given = true;
                self.index = new_index(found);
            }
        } else {
            let (record, expected) = (record.to_owned(), expected.to_string());
            return Err(FactError::EmbeddingDimension { record, found, expected });
        }
        Ok(())
    }

    /// The dimension that an embedding from outside must have; none if the first one will set it.
    pub(crate) fn expected_dimension(&self) -> Option<usize> {
        self.say_more_than_words().then(|| self.index.dimension())
    }

    /// The code of a normalised embedding; none if it is empty or of another space.
    pub(crate) fn encode(&self, embedding: &[f32], is_given: bool) -> Option<Code> {
        let same_space = self.given == is_given || !self.embedder_is_lexical;
        let fits = !embedding.is_empty() && embedding.len() == self.index.dimension();
        if same_space && fits { Q8Code::from_embedding(embedding).ok() } else { None }
    }

    /// Whether agreement of vectors says more than the words do.
    pub(crate) fn say_more_than_words(&self) -> bool {
        self.given || !self.embedder_is_lexical
    }

    /// Cosine between a mention and a node, in 1/65536.
    pub(crate) fn similarity(&self, code: &Code, node: NodeIndex) -> Option<i32> {
        self.index.similarity(u64::from(node), code).ok().map(cortexkg_index::Similarity::units)
    }

    /// The code of a node's vector.
    pub(crate) fn get(&self, node: NodeIndex) -> Option<&[i8]> {
        self.index.get(u64::from(node))
    }

    /// The nodes nearest to a mention, by exact scan; of equals the oldest first.
    pub(crate) fn nearest(&self, code: &Code, count: usize) -> Vec<NodeIndex> {
        let mut hits: Vec<Hit> = Vec::new();
        // The code is of the index's dimension, the only thing that can be wrong.
        let _ = self.index.search(code, count, &mut hits);
        hits.into_iter().map(|hit| hit.id as NodeIndex).collect()
    }

    /// Moves a node's vector towards that of a new member, the node's `members`-th.
    pub(crate) fn add(&mut self, node: NodeIndex, members: u32, code: &Code) {
        let id = u64::from(node);
        let result = match self.index.get(id) {
            None => self.index.add(id, code),
            Some(old) => {
                let weight = members.clamp(2, MEMBERS_MAX) as i32;
                let moved = old.iter().zip(code.values()).map(|(&old, &new)| {
                    let sum = i32::from(old) * (weight - 1) + i32::from(new);
                    // Rounded to nearest, halves away from zero.
                    ((2 * sum + sum.signum() * weight) / (2 * weight)) as i8
                });
                let moved: Vec<i8> = moved.collect();
                Q8Code::from_parts(moved, 1.0).and_then(|moved| self.index.replace(id, &moved))
            }
        };
        debug_assert!(result.is_ok(), "{result:?}");
    }

    /// The nodes that have a vector, in no particular order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeIndex> {
        self.index.ids().iter().map(|&id| id as NodeIndex)
    }

    /// Forgets a node's vector.
    pub(crate) fn remove(&mut self, node: NodeIndex) {
        // That it has none is fine.
        let _ = self.index.remove(u64::from(node));
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("vector space", [(self.index.dimension() as u32, self.given)])?;
        let mut nodes: Vec<u64> = self.index.ids().to_vec();
        nodes.sort_unstable();
        let codes = nodes.into_iter().filter_map(|node| Some((node, self.index.get(node)?)));
        to.section("vectors", codes)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        let (dimension, given): (u32, bool) = from.one("vector space")?;
        self.given = given;
        self.index = new_index(dimension as usize);
        let mut sound = true;
        from.section("vectors", |(node, values): (u64, Vec<i8>)| {
            let code = Q8Code::from_parts(values, 1.0);
            sound &= code.and_then(|code| self.index.add(node, &code)).is_ok();
        })?;
        if sound { Ok(()) } else { Err(StoreError::damaged("the snapshot", "a vector is of another space")) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes()
    }
}

fn new_index(dimension: usize) -> FlatIndex {
    FlatIndex::new(dimension.clamp(1, cortexkg_index::DIMENSION_MAX)).expect("a dimension in range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_moves_towards_its_members() {
        let mut vectors = Vectors::new(2, true);
        let code = |x: f32, y: f32| Q8Code::from_embedding(&[x, y]).expect("a code");
        vectors.add(0, 1, &code(1.0, 0.0));
        let before = vectors.similarity(&code(0.0, 1.0), 0).expect("a vector");
        vectors.add(0, 2, &code(0.0, 1.0));
        assert!(vectors.similarity(&code(0.0, 1.0), 0).expect("a vector") > before + 40_000);
        assert_eq!(vectors.similarity(&code(0.0, 1.0), 7), None);
        vectors.add(1, 1, &code(0.0, 1.0));
        assert_eq!(vectors.nearest(&code(0.0, 1.0), 5), [1, 0]);
    }
}
