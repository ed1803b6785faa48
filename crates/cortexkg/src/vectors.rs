//! One vector per node, as an 8-bit code: what the semantic column compares, and what is looked at for those that are near.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use cortexkg_index::{FlatIndex, Hit, HnswConfig, Precision, Q8Code};
use cortexkg_store::StoreError;

use crate::error::FactError;
use crate::graph::NodeIndex;
use crate::image::{ImageReader, ImageWriter};
use crate::layers::Layers;
use crate::near::{self, NearIndex};
use crate::node_code::{CodeView, NodeCode, moved_towards};
use crate::paged::{EachTable, Paged};
use crate::perceive::Perceived;
use crate::quantization::{AdaptiveQuantizationEngine, QuantizationReport};
use crate::surroundings::{AllSurroundings, NEAREST, Surroundings};

/// The code of a mention's vector.
pub(crate) type Code = Q8Code;

/// The index grows from this part of the size on from which it is used, and goes when the graph falls below that part.
const GROWN_FROM: usize = 2;
const DROPPED_BELOW: usize = 4;
/// Sections of a snapshot.
const NEAR: &str = "near index";
const GROWING: &str = "growing index";
/// Surroundings in one record of a snapshot.
const SURROUNDINGS_AT_ONCE: usize = 1024;

/// By what near vectors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finder {
    /// By looking at each.
    Scan,
    /// By the index.
    Hnsw,
    /// Not at all.
    None,
}

/// The vectors of all nodes, in one space. The built-in embedder's space gives way to that of the first embedding that a fact
/// brings: vectors of two spaces cannot be compared.
#[derive(Debug)]
pub(crate) struct Vectors {
    /// By place of the node.
    codes: Paged<NodeCode>,
    dimension: usize,
    /// The codes side by side, while any fact is served by a scan.
    scanned: Option<FlatIndex>,
    /// What finds them where the graph is too large for that.
    near: Option<NearIndex>,
    /// What will, once it is whole.
    growing: Option<NearIndex>,
    /// Which layers the graph has.
    layers: Layers,
    /// How exactly each is kept, where that is a matter of importance.
    quantizer: Option<AdaptiveQuantizationEngine>,
    /// Where mentions lie among the nodes.
    pub(crate) surroundings: AllSurroundings,
    /// Whether the space is that of embeddings from outside.
    given: bool,
    /// Whether the engine's own embedder only repeats the words.
    embedder_is_lexical: bool,
    /// One search of so many is compared with a scan; measured, no state.
    recall_sampling: u64,
    /// Exact vectors that were read for coarse ones; measured, no state.
    read_again: AtomicU64,
}

impl Vectors {
    pub(crate) fn new(dimension: usize, embedder_is_lexical: bool, layers: Layers) -> Self {
        let dimension = dimension.clamp(1, cortexkg_index::DIMENSION_MAX);
        let scanned = Some(new_index(dimension));
        Self {
            codes: Paged::default(),
            dimension,
            scanned,
            near: None,
            growing: None,
            layers,
            quantizer: layers.quantization.map(AdaptiveQuantizationEngine::new),
            surroundings: AllSurroundings::default(),
            given: false,
            embedder_is_lexical,
            recall_sampling: 0,
            read_again: AtomicU64::new(0),
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
                (self.near, self.growing) = (None, None);
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

    /// Which layers the graph has.
    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    /// From now on with these layers.
    pub(crate) fn set_layers(&mut self, layers: Layers) {
        self.layers = layers;
        match (layers.quantization, &mut self.quantizer) {
            (None, quantizer) => *quantizer = None,
            (Some(layer), Some(quantizer)) => quantizer.set_layer(layer),
            (Some(layer), quantizer) => *quantizer = Some(AdaptiveQuantizationEngine::new(layer)),
        }
    }

    /// Keeps what finds near vectors fit for a graph of so many nodes: side by side while they are scanned, in an index when they are many.
    pub(crate) fn keep_up(&mut self, nodes: usize, scan_nodes_max: usize) {
        let wanted = near::settings(&self.layers, self.dimension).filter(|_| self.say_more_than_words());
        let above = self.layers.hnsw.map_or(usize::MAX, |hnsw| hnsw.above_nodes as usize);
        match wanted {
            Some(settings) if nodes >= above / DROPPED_BELOW => {
                if nodes >= above / GROWN_FROM || self.near.is_some() {
                    self.grow(&settings);
                }
            }
            _ => (self.near, self.growing) = (None, None),
        }
        let is_scanned = if !self.say_more_than_words() {
            nodes < scan_nodes_max
        } else if let (Some(_), Some(hnsw)) = (&self.near, self.layers.hnsw) {
            // What is laid out anew costs a look at every vector: not at each step to and fro.
            let below = if self.scanned.is_some() { above } else { above / 4 * 3 };
            hnsw.percent_of_facts < 100 || nodes < below
        } else {
            true
        };
        self.keep_for_scanning(is_scanned);
    }

    /// Lets the index grow that is to be, and puts it in the place of the one that is once it is whole.
    fn grow(&mut self, settings: &HnswConfig) {
        let is_there = self.near.as_ref().is_some_and(|near| near.is_built(settings));
        if is_there {
            self.growing = None;
        } else if self.growing.as_ref().is_none_or(|growing| !growing.is_built(settings)) {
            self.growing = Some(NearIndex::new(settings.clone()));
        }
        let (codes, places) = (&self.codes, self.codes.len() as NodeIndex);
        for index in [&mut self.near, &mut self.growing].into_iter().flatten() {
            index.set_ef_search(settings.ef_search);
            index.follow(places, |node| codes.get(node).code());
        }
        if self.growing.as_ref().is_some_and(|growing| growing.is_whole(places)) {
            self.near = self.growing.take();
            self.set_recall_sampling(self.recall_sampling);
        }
    }

    /// By what the vectors near to a mention are found, whose fact hashes to this hundredth, in a graph of so many nodes.
    pub(crate) fn finder(&self, nodes: usize, hundredth: u8) -> Finder {
        let is_served = |percent: u8, above: u32| hundredth < percent && nodes >= above as usize;
        match (&self.near, &self.scanned, self.layers.hnsw) {
            (Some(_), Some(_), Some(hnsw)) if is_served(hnsw.percent_of_facts, hnsw.above_nodes) => {
                Finder::Hnsw
            }
            (_, Some(_), _) => Finder::Scan,
            (Some(_), None, _) => Finder::Hnsw,
            (None, None, _) => Finder::None,
        }
    }

    /// Takes note that a mention came to a node, and looks at how exactly it and others are kept; `weight` in 1/256.
    pub(crate) fn note_use(
        &mut self,
        used: &[(NodeIndex, u32, u32)],
        pinned: &BTreeSet<NodeIndex>,
        mentions: usize,
    ) {
        let Some(quantizer) = &mut self.quantizer else { return };
        let now = mentions as u32;
        for &(node, weight, edges) in used {
            quantizer.note(node, weight, edges, now);
        }
        let Some(near) = self.near.as_mut().filter(|near| near.index().config().precision == Precision::One)
        else {
            return;
        };
        let places = self.codes.len() as NodeIndex;
        quantizer.press(near.counted_bytes(), places);
        let turn = quantizer.turn(places, near.counted_bytes());
        for node in used.iter().map(|&(node, ..)| node).chain(turn) {
            let Some(is) = near.precision(node) else { continue };
            let is_pinned = pinned.contains(&node);
            let importance = quantizer.importance(node, is_pinned, now);
            let wanted = quantizer.precision(importance);
            if wanted < is {
                near.set_precision(node, wanted, None);
                quantizer.made_coarser += 1;
            } else if wanted > is {
                let row_bytes = |precision: Precision| match precision {
                    Precision::One => 0,
                    finer => finer.row_bytes(self.dimension) as u64,
                };
                let bytes = near.counted_bytes() + row_bytes(wanted) - row_bytes(is);
                // What a user has pinned stays exact whatever else must go.
                if is_pinned || quantizer.fits(bytes) {
                    near.set_precision(node, wanted, self.codes.get(node).code().as_ref());
                    quantizer.made_finer += 1;
                }
            }
        }
    }

    /// How important a node is, in 1/65536, where that is kept account of.
    pub(crate) fn importance(&self, node: NodeIndex, is_pinned: bool, mentions: usize) -> Option<u32> {
        self.quantizer.as_ref().map(|quantizer| quantizer.importance(node, is_pinned, mentions as u32))
    }

    /// What the index keeps a node's vector at.
    pub(crate) fn precision(&self, node: NodeIndex) -> Option<Precision> {
        self.near.as_ref()?.precision(node)
    }

    /// What is kept how; none where all are kept alike.
    pub(crate) fn quantization(&self) -> Option<QuantizationReport> {
        let (quantizer, near) = (self.quantizer.as_ref()?, self.near.as_ref()?);
        let read_again = self.read_again.load(Ordering::Relaxed);
        Some(quantizer.report(near.index().precisions(), near.counted_bytes(), read_again))
    }

    /// One search of `every` in the index is compared with a scan; 0: none.
    pub(crate) fn set_recall_sampling(&mut self, every: u64) {
        self.recall_sampling = every;
        if let Some(near) = &mut self.near {
            near.set_recall_sampling(every);
        }
    }

    pub(crate) fn recall_sampling(&self) -> u64 {
        self.recall_sampling
    }

    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Vectors that are looked for.
    pub(crate) fn count(&self) -> usize {
        let counted = self.near.as_ref().map(NearIndex::len).or(self.scanned.as_ref().map(FlatIndex::len));
        if self.say_more_than_words() { counted.unwrap_or(0) } else { 0 }
    }

    /// The index in use, to look at.
    pub(crate) fn near_index(&self) -> Option<&cortexkg_index::HnswAllocationIndex> {
        self.near.as_ref().map(NearIndex::index)
    }

    /// Which part of the index that is to be is there, of how many vectors.
    pub(crate) fn growing(&self) -> Option<(usize, usize)> {
        self.growing.as_ref().map(|growing| (growing.len(), self.codes.len()))
    }

    /// Begins or ends to keep the codes side by side, as the graph is small enough to be scanned or not.
    fn keep_for_scanning(&mut self, is_small: bool) {
        if is_small == self.scanned.is_some() {
            return;
        }
        self.scanned = is_small.then(|| new_index(self.dimension));
        if let Some(index) = &mut self.scanned {
            self.codes.scan(|node, code| {
                if let Some(code) = code.code() {
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

    /// Brings the vectors of nodes near that are about to be read.
    pub(crate) fn touch(&self, nodes: impl Iterator<Item = NodeIndex> + Clone) {
        self.codes.touch(nodes.filter(|&node| (node as usize) < self.codes.len()));
    }

    /// The code of a node's vector.
    fn get(&self, node: NodeIndex) -> Option<Code> {
        self.view(node)?.code()
    }

    fn view(&self, node: NodeIndex) -> Option<CodeView<'_>> {
        ((node as usize) < self.codes.len()).then(|| self.codes.get(node))
    }

    /// Visits the codes of all nodes that have one, in order, loading none to stay.
    pub(crate) fn scan(&self, mut visit: impl FnMut(NodeIndex, &[i8])) {
        self.codes.scan(|node, code| {
            if let Some(code) = code.code() {
                visit(node, code.values());
            }
        });
    }

    /// The nodes nearest to a mention, and where it lies among them; of equals the oldest first.
    pub(crate) fn nearest(
        &self,
        code: &Code,
        count: usize,
        finder: Finder,
    ) -> (Vec<NodeIndex>, Option<Surroundings>) {
        let says_more = self.say_more_than_words();
        let looked_at = if says_more { count.max(NEAREST) } else { count };
        let (found, nodes) = match (finder, &self.scanned, &self.near) {
            (Finder::Scan, Some(index), _) => {
                let mut hits: Vec<Hit> = Vec::new();
                // The code is of the index's dimension, the only thing that can be wrong.
                let _ = index.search(code, looked_at, &mut hits);
                let found = hits.iter().map(|hit| (hit.id as NodeIndex, hit.similarity.units())).collect();
                (found, index.len())
            }
            (Finder::Hnsw, _, Some(near)) => {
                let read = |node, into: &mut Vec<f32>| {
                    self.read_again.fetch_add(1, Ordering::Relaxed);
                    self.view(node).is_some_and(|code| code.read(into))
                };
                let touch = |nodes: &[u64]| self.touch(nodes.iter().map(|&node| node as NodeIndex));
                (near.nearest(code, looked_at, touch, read), near.len())
            }
            _ => (Vec::new(), 0),
        };
        let around = Surroundings::of(found.iter().map(|&(_, cosine)| cosine), nodes);
        let around = around.filter(|_| says_more);
        (found.into_iter().take(count).map(|(node, _)| node).collect(), around)
    }

    /// Where a mention lies among the nodes, if vectors say more than words.
    pub(crate) fn look_around(&self, code: &Code, finder: Finder) -> Option<Surroundings> {
        if self.say_more_than_words() { self.nearest(code, 0, finder).1 } else { None }
    }

    /// Moves a node's vector towards that of a new member, the node's `members`-th.
    pub(crate) fn add(&mut self, node: NodeIndex, members: u32, code: &Code) {
        let before = self.get(node);
        let moved = match &before {
            None => code.clone(),
            Some(old) => moved_towards(old, code, members),
        };
        if let Some(index) = &mut self.scanned {
            let id = u64::from(node);
            let kept = if index.contains(id) { index.replace(id, &moved) } else { index.add(id, &moved) };
            debug_assert!(kept.is_ok(), "{kept:?}");
        }
        // Nodes without a vector may have come meanwhile, however many: what comes now is not to wait for them.
        let places = self.codes.len() as NodeIndex;
        for index in [&mut self.near, &mut self.growing].into_iter().flatten() {
            if places < node {
                index.pass_over(places, node);
            }
            index.moved(node, members, before.as_ref(), &moved);
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
        for index in [&mut self.near, &mut self.growing].into_iter().flatten() {
            index.remove(node);
        }
    }

    pub(crate) fn save(&self, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        let kept = (self.scanned.is_some(), self.near.is_some(), self.growing.is_some());
        to.section("vector space", [(self.dimension as u32, self.given, kept)])?;
        to.section("layers", [&self.layers])?;
        if let Some(quantizer) = &self.quantizer {
            let (uses, saved) = quantizer.saved();
            to.section("uses", uses.chunks(SURROUNDINGS_AT_ONCE))?;
            to.section("quantization", [saved])?;
        }
        for (name, index) in [(NEAR, &self.near), (GROWING, &self.growing)] {
            if let Some(index) = index {
                index.save(name, to)?;
            }
        }
        to.section("surroundings", self.surroundings.all().chunks(SURROUNDINGS_AT_ONCE))?;
        to.section("all surroundings", [self.surroundings.common()])?;
        self.codes.save("vectors", to)
    }

    pub(crate) fn load(&mut self, from: &ImageReader<'_>) -> Result<(), StoreError> {
        let (dimension, given, kept): (u32, bool, (bool, bool, bool)) = from.one("vector space")?;
        let (is_scanned, has_near, has_growing) = kept;
        self.layers = from.one("layers")?;
        self.quantizer = match self.layers.quantization {
            Some(layer) => {
                let (uses, saved) = (from.chunks("uses")?, from.one("quantization")?);
                Some(AdaptiveQuantizationEngine::load(layer, uses, saved))
            }
            None => None,
        };
        self.near = has_near.then(|| NearIndex::load(NEAR, from)).transpose()?;
        self.growing = has_growing.then(|| NearIndex::load(GROWING, from)).transpose()?;
        self.given = given;
        self.dimension = (dimension as usize).clamp(1, cortexkg_index::DIMENSION_MAX);
        self.surroundings =
            AllSurroundings::load(from.chunks("surroundings")?, from.one("all surroundings")?);
        self.codes = Paged::open("vectors", from)?;
        self.scanned = None;
        self.keep_for_scanning(is_scanned);
        Ok(())
    }

    pub(crate) fn each_table(&mut self, visit: &mut EachTable<'_>) {
        visit("vectors", self.codes.blocks());
    }

    pub(crate) fn bytes(&self) -> usize {
        let found_by = self.scanned.as_ref().map_or(0, FlatIndex::bytes)
            + [&self.near, &self.growing].into_iter().flatten().map(NearIndex::bytes).sum::<usize>()
            + self.quantizer.as_ref().map_or(0, AdaptiveQuantizationEngine::bytes);
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
        let mut vectors = Vectors::new(2, true, Layers::default());
        let code = |x: f32, y: f32| Q8Code::from_embedding(&[x, y]).expect("a code");
        vectors.add(0, 1, &code(1.0, 0.0));
        let before = vectors.similarity(&code(0.0, 1.0), 0).expect("a vector");
        vectors.add(0, 2, &code(0.0, 1.0));
        assert!(vectors.similarity(&code(0.0, 1.0), 0).expect("a vector") > before + 40_000);
        assert_eq!(vectors.similarity(&code(0.0, 1.0), 7), None);
        vectors.add(1, 1, &code(0.0, 1.0));
        assert_eq!(vectors.nearest(&code(0.0, 1.0), 5, Finder::Scan).0, [1, 0]);
        vectors.remove(1);
        assert_eq!(vectors.nearest(&code(0.0, 1.0), 5, Finder::Scan).0, [0]);
    }

    #[test]
    fn a_graph_that_grows_small_again_is_scanned_again() {
        let mut vectors = Vectors::new(2, false, Layers::default());
        let code = Q8Code::from_embedding(&[1.0, 0.0]).expect("a code");
        vectors.add(0, 1, &code);
        vectors.keep_for_scanning(false);
        assert!(vectors.nearest(&code, 5, Finder::Scan).0.is_empty());
        vectors.keep_for_scanning(true);
        vectors.add(1, 1, &code);
        assert_eq!(vectors.nearest(&code, 5, Finder::Scan).0, [0, 1]);
    }
}
