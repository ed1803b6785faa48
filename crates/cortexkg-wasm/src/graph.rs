//! The engine over rows that end with the page.

use std::collections::BTreeSet;
use std::io::Write;

use cortexkg::{
    AllocationResult, CloseCall, Consolidation, DurableEngine, EngineConfig, Explanation, Fact, FactError,
    Forget, HnswLayer, Layers, MemberFact, MentionName, NearHit, Neighbour, NodeId, NodeView, OperationError,
    QuantizationLayer, SearchHit, SwapFile,
};
use cortexkg_store::snapshot::Source;
use cortexkg_store::{Snapshot, StoreError, Sync, write_portable};
use thiserror::Error;

use crate::changed::Changed;
use crate::heap::HeapRows;
use crate::map::{self, EDGE_WEIGHT, Map, Relative};
use crate::pieces::{self, Chain};
use crate::tracked::Tracked;

/// Bytes of blocks that are kept while a file is read, in order.
const CACHE_BYTES: u64 = 1 << 20;
const PLACE: &str = "the .ckg bytes";
/// Edges that are looked at to place a node.
const EDGES_MAX: usize = 16;

/// What the engine or its store refused.
#[derive(Debug, Error)]
pub(crate) enum GraphError {
    #[error(transparent)]
    Fact(#[from] FactError),
    #[error(transparent)]
    Operation(#[from] OperationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which of two records are or are not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Different,
}

/// What a graph may take, and how it begins if there is none yet.
#[derive(Debug, Default)]
pub(crate) struct Setting {
    /// Most bytes of the engine's structures, and the file for the rest with the place from which on it is free.
    pub(crate) memory: Option<(usize, Box<dyn SwapFile>, u64)>,
    /// Whether the vectors of a large graph are found by one bit of each value, and ranked by eight.
    pub(crate) is_quantized: bool,
}

/// A graph that ends with the page, unless somebody keeps its bytes.
pub(crate) struct Graph(DurableEngine<Tracked>);

impl Graph {
    /// An empty graph, over rows that are empty.
    pub(crate) fn new(rows: HeapRows, setting: Setting) -> Result<Self, GraphError> {
        Self::over(Tracked::kept(rows), setting)
    }

    /// The graph of a `.ckg` file, in rows that are empty; all of it is yet to be kept.
    pub(crate) fn import(
        file: impl Source,
        mut rows: HeapRows,
        setting: Setting,
    ) -> Result<Self, GraphError> {
        pieces::fill(&mut rows, &Snapshot::open(file, PLACE, CACHE_BYTES)?, PLACE)?;
        Self::over(Tracked::new_to_all(rows), setting)
    }

    /// The graph of rows that are kept already.
    pub(crate) fn restored(rows: HeapRows, setting: Setting) -> Result<Self, GraphError> {
        Self::over(Tracked::kept(rows), setting)
    }

    fn over(store: Tracked, setting: Setting) -> Result<Self, GraphError> {
        // As the program has it: large graphs are not scanned. One that is there keeps its own.
        // Nothing is kept more exactly by the index itself: the tables have it at 8 bits, and have the last word.
        let quantization = setting
            .is_quantized
            .then(|| QuantizationLayer { bytes_max: Some(0), ..QuantizationLayer::default() });
        let layers = Layers { hnsw: Some(HnswLayer::default()), quantization };
        let config = EngineConfig { layers, ..EngineConfig::default() };
        let (most, swap) = match setting.memory {
            Some((most, swap, from)) => (Some(most), Some((swap, from))),
            None => (None, None),
        };
        Ok(Self(DurableEngine::open_within(store, config, most, swap)?))
    }

    /// Lets go of what was loaded to be looked at, where memory is short.
    pub(crate) fn keep_to_budget(&mut self) {
        let kept = self.0.keep_to_budget();
        debug_assert!(kept.is_ok(), "with a swap file nothing is written that could fail: {kept:?}");
    }

    /// Writes the graph as `.ckg` file.
    pub(crate) fn export(&self, out: &mut dyn Write) -> Result<(), GraphError> {
        write_portable(self.0.store(), out, &mut |_| {})?;
        Ok(())
    }

    /// Writes everything that a storage keeps; what stands in it then.
    pub(crate) fn write_base(&self, out: &mut dyn Write, columns: &[u8]) -> Result<Chain, GraphError> {
        Ok(pieces::write_base(out, columns, self.0.store())?)
    }

    /// Up to where the file of its rows is in use.
    pub(crate) fn heap_end(&self) -> u64 {
        self.0.store().heap_end()
    }

    /// Up to where the file of what memory has no room for is in use.
    pub(crate) fn swap_end(&self) -> u64 {
        self.0.swap_end()
    }

    /// Bytes of the values of rows.
    pub(crate) fn bytes_of(&self, changed: &Changed) -> Result<usize, GraphError> {
        Ok(self.0.store().bytes_of(changed)?)
    }

    /// Whether rows have changed since they were last taken.
    pub(crate) fn is_changed(&self) -> bool {
        self.0.store().is_changed()
    }

    /// See [`Tracked::take`].
    pub(crate) fn take_changed(&mut self) -> Option<Changed> {
        self.0.store_mut().take()
    }

    /// See [`Tracked::give_back`].
    pub(crate) fn give_back(&mut self, taken: Option<Changed>) {
        self.0.store_mut().give_back(taken);
    }

    /// The piece that says what has changed behind others.
    pub(crate) fn change(
        &self,
        chain: &Chain,
        changed: &Changed,
        columns: Option<&[u8]>,
    ) -> Result<Vec<u8>, GraphError> {
        Ok(pieces::change(chain, self.0.store(), changed, columns)?)
    }

    /// Decides on a fact, and lights up the columns of its nodes.
    pub(crate) fn allocate(
        &mut self,
        fact: Fact,
        map: &mut Map<'_>,
    ) -> Result<Result<AllocationResult, FactError>, GraphError> {
        let mut relatives: Vec<Vec<Relative>> = Vec::new();
        let observe = |_: &_, ballot: &_| relatives.push(map::relatives(ballot));
        let result = match self.0.allocate_observed(fact, Sync::Durable, observe)? {
            Ok(result) => result,
            Err(why) => return Ok(Err(why)),
        };
        let subject = result.allocated_node;
        // A fact that was there before was not decided on.
        let mut relatives = relatives.into_iter();
        let mut of_subject = relatives.next().unwrap_or_default();
        if let Some(object) = &result.object {
            of_subject.push((object.allocated_node, EDGE_WEIGHT));
        }
        map.light(subject, &of_subject);
        if let Some(object) = &result.object {
            let mut of_object = relatives.next().unwrap_or_default();
            of_object.push((subject, EDGE_WEIGHT));
            map.light(object.allocated_node, &of_object);
        }
        Ok(Ok(result))
    }

    /// Gives every node a column that has none, and takes those of nodes that are no more.
    pub(crate) fn settle(&self, map: &mut Map<'_>) -> Result<(), GraphError> {
        let alive: BTreeSet<NodeId> = self.0.engine().node_ids().collect();
        map.keep_only(|node| alive.contains(&node));
        for &node in &alive {
            if !map.has_room() {
                break;
            }
            if map::column_of(map.pool, node).is_none() {
                map.light(node, &self.relatives(node)?);
            }
        }
        Ok(())
    }

    /// What a node of the graph as it stands is near to: what its oldest mention was weighed against, and the other ends of its edges.
    fn relatives(&self, node: NodeId) -> Result<Vec<Relative>, GraphError> {
        let Some(view) = self.node(node)? else { return Ok(Vec::new()) };
        let mut relatives = Vec::new();
        if let Some(first) = view.members.first() {
            let source = (!first.source.is_empty()).then_some(&*first.source);
            relatives = map::relatives(&self.0.ballot(source, &first.record_id)?);
        }
        let ends = view.edges.iter().take(EDGES_MAX);
        relatives.extend(ends.map(|&(from, _, to)| (if from == node { to } else { from }, EDGE_WEIGHT)));
        Ok(relatives)
    }

    pub(crate) fn search(&self, text: &str, limit: usize) -> Result<Vec<SearchHit>, GraphError> {
        Ok(self.0.view(None)?.search(text, limit)?)
    }

    pub(crate) fn search_near(&self, vector: &[f32], limit: usize) -> Result<Vec<NearHit>, GraphError> {
        Ok(self.0.engine().search_near(vector, limit)?)
    }

    pub(crate) fn why(&self, source: Option<&str>, record: &str) -> Result<Explanation, GraphError> {
        Ok(self.0.why(source, record)?)
    }

    /// A node, or the one that it was merged into.
    pub(crate) fn node(&self, node: NodeId) -> Result<Option<NodeView>, GraphError> {
        let view = self.0.view(None)?;
        Ok(view.node(view.resolve(node))?)
    }

    pub(crate) fn facts(&self, node: NodeId) -> Result<Vec<MemberFact>, GraphError> {
        let view = self.0.view(None)?;
        Ok(view.facts(view.resolve(node))?)
    }

    pub(crate) fn neighbours(&self, node: NodeId) -> Result<Vec<Neighbour>, GraphError> {
        let view = self.0.view(None)?;
        Ok(view.neighbours(view.resolve(node))?)
    }

    /// Close calls that nobody has settled, at most so many, with the labels of both nodes.
    pub(crate) fn open_calls(&self, limit: usize) -> Result<Vec<(CloseCall, [String; 2])>, GraphError> {
        let view = self.0.view(None)?;
        let label = |node| Ok::<_, GraphError>(view.node(node)?.map_or_else(String::new, |node| node.label));
        let calls = view.open_calls()?.into_iter().take(limit);
        calls
            .map(|call| {
                let labels = [label(call.node)?, label(call.other)?];
                Ok((call, labels))
            })
            .collect()
    }

    /// Says of two records whether they are the same; the position in the log.
    pub(crate) fn link(
        &mut self,
        verdict: Verdict,
        left: MentionName<'_>,
        right: MentionName<'_>,
    ) -> Result<u64, GraphError> {
        let linked = match verdict {
            Verdict::Same => self.0.must_link(left, right)?,
            Verdict::Different => self.0.cannot_link(left, right)?,
        };
        Ok(linked.position)
    }

    /// The node of a record now.
    pub(crate) fn node_of(&self, name: MentionName<'_>) -> Result<NodeId, GraphError> {
        Ok(self.0.why(name.source, name.record)?.result.allocated_node)
    }

    /// Takes an operation back; the position of what does.
    pub(crate) fn undo(&mut self, position: u64) -> Result<u64, GraphError> {
        Ok(self.0.undo(position)?)
    }

    pub(crate) fn consolidate(&mut self) -> Result<Consolidation, GraphError> {
        Ok(self.0.consolidate()?)
    }

    /// The position in the log, and the number of facts that were forgotten.
    pub(crate) fn forget(
        &mut self,
        source: Option<&str>,
        record_id: &str,
    ) -> Result<(u64, usize), GraphError> {
        Ok(self.0.forget(&Forget::Fact { source, record_id })?)
    }

    /// Facts and nodes.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.0.engine().fact_count(), self.0.engine().node_count())
    }

    pub(crate) fn state_hash(&self) -> Result<String, GraphError> {
        Ok(self.0.state_hash()?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cortexkg_columns::{ColumnAllocator, ColumnId};

    fn pool() -> ColumnAllocator {
        ColumnAllocator::with_columns(64).unwrap()
    }

    fn exported(graph: &Graph) -> Vec<u8> {
        let mut bytes = Vec::new();
        graph.export(&mut bytes).unwrap();
        bytes
    }

    fn import(bytes: Vec<u8>) -> Result<Graph, GraphError> {
        Graph::import(bytes, HeapRows::default(), Setting::default())
    }

    fn filled(facts: impl IntoIterator<Item = Fact>, pool: &mut ColumnAllocator) -> Graph {
        let mut graph = Graph::new(HeapRows::default(), Setting::default()).unwrap();
        for fact in facts {
            graph.allocate(fact, &mut Map { pool, time: 0, columns_max: 64 }).unwrap().unwrap();
        }
        graph
    }

    fn three() -> impl Iterator<Item = Fact> {
        let facts = ["Ada Lovelace", "Charles Babbage", "ada lovelace"].map(Fact::text);
        facts.into_iter().zip(["a", "b", "c"]).map(|(fact, id)| fact.with_id(id))
    }

    #[test]
    fn what_is_exported_comes_back_with_the_same_hash() {
        let mut graph = filled(three(), &mut pool());
        assert_eq!(graph.forget(None, "b").unwrap(), (3, 1));
        let back = import(exported(&graph)).unwrap();
        assert_eq!(back.state_hash().unwrap(), graph.state_hash().unwrap());
        assert_eq!(back.counts(), (2, 1));
        assert_eq!(back.search("lovelace", 5).unwrap().len(), 1);
        assert!(back.why(None, "c").unwrap().to_string().contains("existing"));
    }

    #[test]
    fn every_node_has_a_column_and_loses_it_when_it_goes() {
        let mut pool = pool();
        let mut graph = filled(three(), &mut pool);
        assert_eq!(pool.allocated_count(), 2);
        graph.forget(None, "b").unwrap();
        graph.settle(&mut Map { pool: &mut pool, time: 0, columns_max: 64 }).unwrap();
        assert_eq!(pool.allocated_count(), 1);
        let mut other = ColumnAllocator::with_columns(64).unwrap();
        graph.settle(&mut Map { pool: &mut other, time: 0, columns_max: 64 }).unwrap();
        assert_eq!(other.allocated_count(), 1);
    }

    #[test]
    fn the_ends_of_a_triple_lie_side_by_side() {
        let mut pool = pool();
        let others = ["Grace Hopper", "Radia Perlman", "Barbara Liskov"].map(Fact::text);
        let mut graph = filled(others, &mut pool);
        let triple = Fact::triple("Ada Lovelace", "worked with", "Charles Babbage");
        let ends =
            graph.allocate(triple, &mut Map { pool: &mut pool, time: 0, columns_max: 64 }).unwrap().unwrap();
        let cell = |node| pool.grid().cell(ColumnId(map::column_of(&pool, node).unwrap())).unwrap();
        let object = ends.object.as_ref().unwrap().allocated_node;
        assert_eq!(cell(ends.allocated_node).distance(cell(object)), 1);
    }

    /// What a native engine has written, and `tests/node/same_bits.test.mjs` reads and writes. `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_file_that_node_reads_is_what_is_written_here() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures");
        let texts = std::fs::read_to_string(folder.join("texts.txt")).unwrap();
        let facts = (1..).zip(texts.lines()).map(|(line, text)| Fact::text(text).with_id(format!("{line}")));
        let mut graph = filled(facts, &mut pool());
        graph.forget(None, "4").unwrap();
        let told = format!("{}\n", graph.state_hash().unwrap());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(folder.join("texts.ckg"), exported(&graph)).unwrap();
            std::fs::write(folder.join("texts.hash"), &told).unwrap();
        }
        assert_eq!(told, std::fs::read_to_string(folder.join("texts.hash")).unwrap());
        let file = std::fs::read(folder.join("texts.ckg")).unwrap();
        assert!(exported(&graph) == file, "texts.ckg is another");
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        assert!(import(Vec::new()).is_err());
        assert!(import(vec![7; 4_096]).is_err());
        let graph = filled(three(), &mut pool());
        assert!(graph.why(None, "nobody").unwrap_err().to_string().contains("nobody"));
    }
}
