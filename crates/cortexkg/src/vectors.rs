//! One vector per node, as an 8-bit code: what the semantic column compares and, in a small graph, what is scanned.

use cortexkg_index::{FlatIndex, Hit, Q8Code};
use cortexkg_store::StoreError;

use crate::error::FactError;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::paged::{EachTable, Paged, Record};
use crate::perceive::Perceived;
use crate::surroundings::{AllSurroundings, NEAREST, Surroundings};

/// The code of a mention's vector.
pub(crate) type Code = Q8Code;

/// Members after which a node's vector moves no slower: the newest always counts for at least 1/16.
const MEMBERS_MAX: u32 = 16;
/// How many times larger a graph may be whose vectors are scanned, where they say more than the words do.
const SCAN_FARTHER: usize = 16;
/// Surroundings in one record of a snapshot.
const SURROUNDINGS_AT_ONCE: usize = 1024;

/// The code of a node's vector; empty if it has none. Its scale is of no use and not kept.
#[derive(Debug)]
struct NodeCode;

impl Record for NodeCode {
    type View<'a> = Option<Q8Code>;
    type Content<'c> = [i8];
    const EMPTY: &'static [u8] = &[];

    fn view(bytes: &[u8]) -> Option<Q8Code> {
        if bytes.is_empty() {
            return None;
        }
        let values: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
        Q8Code::from_parts(values, 1.0).ok()
    }

    fn is_sound(bytes: &[u8]) -> bool {
        Self::view(bytes).is_some()
    }

    fn encode(code: &[i8], into: &mut Vec<u8>) {
        into.extend(code.iter().map(|&value| value as u8));
    }
}

/// The vectors of all nodes, in one space. The built-in embedder's space gives way to that of the first embedding that a fact
/// brings: vectors of two spaces cannot be compared.
#[derive(Debug)]
pub(crate) struct Vectors {
    /// By place of the node.
    codes: Paged<NodeCode>,
    dimension: usize,
    /// The codes side by side, while the graph is small enough to scan them.
    scanned: Option<FlatIndex>,
    /// Where mentions lie among the nodes.
    pub(crate) surroundings: AllSurroundings,
    /// Whether the space is that of embeddings from outside.
    given: bool,
    /// Whether the engine's own embedder only repeats the words.
    embedder_is_lexical: bool,
}

impl Vectors {
    pub(crate) fn new(dimension: usize, embedder_is_lexical: bool) -> Self {
        let dimension = dimension.clamp(1, cortexkg_index::DIMENSION_MAX);
        let scanned = Some(new_index(dimension));
        Self {
            codes: Paged::default(),
            dimension,
            scanned,
            surroundings: AllSurroundings::default(),
            given: false,
            embedder_is_lexical,
        }
    }

    /// Checks the embedding that a fact brings, and moves to its space if it is the first.
    pub(crate) fn check(&mut self, record: &str, perceived: &Perceived) -> Result<(), FactError> {
        let Some(found) = perceived.given_dimension else { return Ok(()) };
        let expected = self.expected_dimension().unwrap_or(found);
        if found == expected {
            if self.expected_dimension().is_none() {
                self.given = true;
                self.dimension = found;
                self.codes = Paged::default();
                self.scanned = self.scanned.as_ref().map(|_| new_index(found));
            }
        } else {
            let (record, expected) = (record.to_owned(), expected.to_string());
            return Err(FactError::EmbeddingDimension { record, found, expected });
        }
        Ok(())
    }

    /// The dimension that an embedding from outside must have; none if the first one will set it.
    pub(crate) fn expected_dimension(&self) -> Option<usize> {
        self.say_more_than_words().then_some(self.dimension)
    }

    /// The code of a normalised embedding; none if it is empty or of another space.
    pub(crate) fn encode(&self, embedding: &[f32], is_given: bool) -> Option<Code> {
        let same_space = self.given == is_given || !self.embedder_is_lexical;
        let fits = !embedding.is_empty() && embedding.len() == self.dimension;
        if same_space && fits { Q8Code::from_embedding(embedding).ok() } else { None }
    }

    /// Whether agreement of vectors says more than the words do.
    pub(crate) fn say_more_than_words(&self) -> bool {
        self.given || !self.embedder_is_lexical
    }

    /// Begins or ends to keep the codes side by side, as the graph is small enough to be scanned or not.
    pub(crate) fn keep_for_scanning(&mut self, is_small: bool) {
        if is_small == self.scanned.is_some() {
            return;
        }
        self.scanned = is_small.then(|| new_index(self.dimension));
        if let Some(index) = &mut self.scanned {
            self.codes.scan(|node, code| {
                if let Some(code) = code {
                    let added = index.add(u64::from(node), &code);
                    debug_assert!(added.is_ok(), "{added:?}");
                }
            });
        }
    }

    /// Cosine between a mention and a node, in 1/65536.
    pub(crate) fn similarity(&self, code: &Code, node: NodeIndex) -> Option<i32> {
        self.get(node)?.similarity(code).ok().map(cortexkg_index::Similarity::units)
    }

    /// The code of a node's vector.
    fn get(&self, node: NodeIndex) -> Option<Code> {
        if (node as usize) < self.codes.len() { self.codes.get(node) } else { None }
    }

    /// Visits the codes of all nodes that have one, in order, loading none to stay.
    pub(crate) fn scan(&self, mut visit: impl FnMut(NodeIndex, &[i8])) {
        self.codes.scan(|node, code| {
            if let Some(code) = code {
                visit(node, code.values());
            }
        });
    }

    /// The nodes nearest to a mention, by exact scan, and where it lies among them; of equals the oldest first. None in a graph that
    /// is not small.
    pub(crate) fn nearest(&self, code: &Code, count: usize) -> (Vec<NodeIndex>, Option<Surroundings>) {
        let says_more = self.say_more_than_words();
        let looked_at = if says_more { count.max(NEAREST) } else { count };
        let mut hits: Vec<Hit> = Vec::new();
        if let Some(index) = &self.scanned {
            // The code is of the index's dimension, the only thing that can be wrong.
            let _ = index.search(code, looked_at, &mut hits);
        }
        let nodes = self.scanned.as_ref().map_or(0, FlatIndex::len);
        let around = Surroundings::of(hits.iter().map(|hit| hit.similarity.units()), nodes);
        let around = around.filter(|_| says_more);
        (hits.into_iter().take(count).map(|hit| hit.id as NodeIndex).collect(), around)
    }

    /// Where a mention lies among the nodes, if vectors say more than words and are scanned.
    pub(crate) fn look_around(&self, code: &Code) -> Option<Surroundings> {
        if self.say_more_than_words() { self.nearest(code, 0).1 } else { None }
    }

    /// Below how many nodes they are scanned, where those that repeat the words are below `scan_nodes_max`.
    pub(crate) fn scanned_below(&self, scan_nodes_max: usize) -> usize {
        if self.say_more_than_words() { scan_nodes_max.saturating_mul(SCAN_FARTHER) } else { scan_nodes_max }
    }

    /// Moves a node's vector towards that of a new member, the node's `members`-th.
    pub(crate) fn add(&mut self, node: NodeIndex, members: u32, code: &Code) {
        let moved = match self.get(node) {
            None => code.clone(),
            Some(old) => {
                let weight = members.clamp(2, MEMBERS_MAX) as i32;
                let moved = old.values().iter().zip(code.values()).map(|(&old, &new)| {
                    let sum = i32::from(old) * (weight - 1) + i32::from(new);
                    // Rounded to nearest, halves away from zero.
                    ((2 * sum + sum.signum() * weight) / (2 * weight)) as i8
                });
                let moved: Vec<i8> = moved.collect();
                Q8Code::from_parts(moved, 1.0).expect("between two codes lies a code")
            }
        };
        if let Some(index) = &mut self.scanned {
            let id = u64::from(node);
            let kept = if index.contains(id) { index.replace(id, &moved) } else { index.add(id, &moved) };
            debug_assert!(kept.is_ok(), "{kept:?}");
        }
        while self.codes.len() <= node as usize {
            self.codes.push(&[]);
        }
        self.codes.set(node, moved.values());
    }

    /// Forgets a node's vector.
    pub(crate) fn remove(&mut self, node: NodeIndex) {
        if self.get(node).is_some() {
            self.codes.set(node, &[]);
        }
        if let Some(index) = &mut self.scanned {
            // That it has none is fine.
            let _ = index.remove(u64::from(node));
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.section("vector space", [(self.dimension as u32, self.given, self.scanned.is_some())])?;
        to.section("surroundings", self.surroundings.all().chunks(SURROUNDINGS_AT_ONCE))?;
        to.section("all surroundings", [self.surroundings.common()])?;
        self.codes.save("vectors", to)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        let (dimension, given, is_small): (u32, bool, bool) = from.one("vector space")?;
        self.given = given;
        self.dimension = (dimension as usize).clamp(1, cortexkg_index::DIMENSION_MAX);
        self.surroundings =
            AllSurroundings::load(from.chunks("surroundings")?, from.one("all surroundings")?);
        self.codes = Paged::open("vectors", from)?;
        self.scanned = None;
        self.keep_for_scanning(is_small);
        Ok(())
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("vectors", self.codes.blocks());
    }

    pub(crate) fn bytes(&self) -> usize {
        self.codes.bytes() + self.scanned.as_ref().map_or(0, FlatIndex::bytes) + self.surroundings.bytes()
    }
}

fn new_index(dimension: usize) -> FlatIndex {
    FlatIndex::new(dimension).expect("a dimension in range")
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
        assert_eq!(vectors.nearest(&code(0.0, 1.0), 5).0, [1, 0]);
        vectors.remove(1);
        assert_eq!(vectors.nearest(&code(0.0, 1.0), 5).0, [0]);
    }

    #[test]
    fn a_graph_that_grows_small_again_is_scanned_again() {
        let mut vectors = Vectors::new(2, false);
        let code = Q8Code::from_embedding(&[1.0, 0.0]).expect("a code");
        vectors.add(0, 1, &code);
        vectors.keep_for_scanning(false);
        assert!(vectors.nearest(&code, 5).0.is_empty());
        vectors.keep_for_scanning(true);
        vectors.add(1, 1, &code);
        assert_eq!(vectors.nearest(&code, 5).0, [0, 1]);
    }
}
