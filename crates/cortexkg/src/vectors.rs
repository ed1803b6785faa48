//! One vector per node, as an 8-bit code: what the semantic column compares, and what is looked at for those that are near.

use cortexkg_index::{FlatIndex, Hit, Q8Code};
use cortexkg_store::StoreError;

use crate::error::FactError;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::near::NearIndex;
use crate::paged::{EachTable, Paged, Record};
use crate::perceive::Perceived;
use crate::surroundings::{AllSurroundings, NEAREST, Surroundings};

/// The code of a mention's vector.
pub(crate) type Code = Q8Code;

/// Members after which a node's vector moves no slower: the newest always counts for at least 1/16.
const MEMBERS_MAX: u32 = 16;
/// How many times larger a graph may be whose vectors are scanned, where they say more than the words do.
const SCAN_FARTHER: usize = 16;
/// The index grows along from this part of the size on from which it is needed, and goes when the graph falls below that part.
const GROWN_FROM: usize = 2;
const DROPPED_BELOW: usize = 4;
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
    /// What finds them where the graph is too large for that, or will be soon.
    near: Option<NearIndex>,
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
            near: None,
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
                self.near = None;
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

    /// Keeps what finds near vectors fit for a graph of so many nodes: side by side while they are few, in an index when they are many.
    pub(crate) fn keep_up(&mut self, nodes: usize, scan_nodes_max: usize) {
        let below = self.scanned_below(scan_nodes_max);
        self.keep_for_scanning(nodes < below);
        if !self.say_more_than_words() || nodes < below / DROPPED_BELOW {
            self.near = None;
        } else if nodes >= below / GROWN_FROM && self.near.is_none() {
            self.near = Some(NearIndex::new(self.dimension));
        }
        if let Some(near) = &mut self.near {
            let codes = &self.codes;
            near.follow(codes.len() as NodeIndex, |node| codes.get(node));
        }
    }

    /// Whether near vectors can be found at all.
    pub(crate) fn can_find(&self) -> bool {
        self.scanned.is_some() || self.near.is_some()
    }

    /// Begins or ends to keep the codes side by side, as the graph is small enough to be scanned or not.
    fn keep_for_scanning(&mut self, is_small: bool) {
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

    /// The nodes nearest to a mention, and where it lies among them; of equals the oldest first. By exact scan while the graph is small, by
    /// the index then.
    pub(crate) fn nearest(&self, code: &Code, count: usize) -> (Vec<NodeIndex>, Option<Surroundings>) {
        let says_more = self.say_more_than_words();
        let looked_at = if says_more { count.max(NEAREST) } else { count };
        let (found, nodes) = if let Some(index) = &self.scanned {
            let mut hits: Vec<Hit> = Vec::new();
            // The code is of the index's dimension, the only thing that can be wrong.
            let _ = index.search(code, looked_at, &mut hits);
            let found = hits.iter().map(|hit| (hit.id as NodeIndex, hit.similarity.units())).collect();
            (found, index.len())
        } else if let Some(near) = &self.near {
            (near.nearest(code, looked_at), near.len())
        } else {
            (Vec::new(), 0)
        };
        let around = Surroundings::of(found.iter().map(|&(_, cosine)| cosine), nodes);
        let around = around.filter(|_| says_more);
        (found.into_iter().take(count).map(|(node, _)| node).collect(), around)
    }

    /// Where a mention lies among the nodes, if vectors say more than words.
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
        if let Some(near) = &mut self.near {
            near.moved(node, members, &moved);
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
        if let Some(near) = &mut self.near {
            near.remove(node);
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let kept = (self.scanned.is_some(), self.near.is_some());
        to.section("vector space", [(self.dimension as u32, self.given, kept.0, kept.1)])?;
        if let Some(near) = &self.near {
            near.save(to)?;
        }
        to.section("surroundings", self.surroundings.all().chunks(SURROUNDINGS_AT_ONCE))?;
        to.section("all surroundings", [self.surroundings.common()])?;
        self.codes.save("vectors", to)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        let (dimension, given, is_small, has_near): (u32, bool, bool, bool) = from.one("vector space")?;
        self.near = has_near.then(|| NearIndex::load(from)).transpose()?;
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
        let found_by = self.scanned.as_ref().map_or(0, FlatIndex::bytes)
            + self.near.as_ref().map_or(0, NearIndex::bytes);
        self.codes.bytes() + found_by + self.surroundings.bytes()
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
