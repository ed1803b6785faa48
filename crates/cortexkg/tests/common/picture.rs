//! All that can be seen of a graph, to compare it with another.

use cortexkg::{
    AllocationResult, Depth, DurableEngine, EngineConfig, Fact, FieldModel, NodeId, NodeView, StateHash,
};
use cortexkg_store::{MemoryStore, Store, Sync};

/// All that can be seen of a graph.
#[derive(Debug, PartialEq)]
pub(crate) struct Picture {
    pub(crate) hash: StateHash,
    pub(crate) position: u64,
    pub(crate) nodes: Vec<NodeView>,
    pub(crate) redirects: Vec<(NodeId, NodeId)>,
    pub(crate) exceptions: Vec<String>,
    pub(crate) model: Vec<FieldModel>,
    pub(crate) counts: (usize, usize, usize),
    pub(crate) log: Vec<String>,
}

impl Picture {
    pub(crate) fn of<S: Store>(graph: &DurableEngine<S>) -> Self {
        let engine = graph.engine();
        let hash = graph.state_hash().expect("a sound store");
        let log = graph.log_entries(0, u64::MAX).expect("a sound store");
        Self {
            hash,
            position: graph.position(),
            nodes: engine.node_ids().map(|id| engine.node(id).expect("it has members")).collect(),
            redirects: engine.redirects().collect(),
            exceptions: engine.exceptions().map(|exception| format!("{exception:?}")).collect(),
            model: engine.model(),
            counts: (engine.node_count(), engine.edge_count(), engine.fact_count()),
            log: log.iter().map(|entry| format!("{entry:?}")).collect(),
        }
    }

    /// The same without what a history leaves behind: its log, the order of edges, what was learned and what overruled.
    #[allow(clippy::type_complexity, reason = "what is compared, side by side")]
    pub(crate) fn content(&self) -> (Vec<NodeView>, Vec<(NodeId, NodeId)>, Vec<(String, u64, u64)>) {
        let mut nodes = self.nodes.clone();
        nodes.iter_mut().for_each(|node| node.edges.sort());
        let fields = self.model.iter().map(|field| (field.name.clone(), field.present, field.distinct));
        (nodes, self.redirects.clone(), fields.collect())
    }
}

pub(crate) fn open<S: Store>(store: S) -> DurableEngine<S> {
    DurableEngine::open(store, EngineConfig::default()).expect("an open graph")
}

/// An empty graph in memory.
pub(crate) fn empty() -> DurableEngine<MemoryStore> {
    open(MemoryStore::default())
}

/// A graph of made-up facts.
pub(crate) fn filled(seed: u64, count: usize) -> DurableEngine<MemoryStore> {
    let mut graph = empty();
    take_in(&mut graph, super::stream::facts(seed, count));
    graph
}

/// Allocates facts of which each is good.
#[track_caller]
pub(crate) fn take_in<S: Store>(graph: &mut DurableEngine<S>, facts: Vec<Fact>) -> Vec<AllocationResult> {
    let results = graph.allocate_batch(facts, Sync::Durable).expect("a sound store");
    results.into_iter().map(|result| result.expect("a good fact")).collect()
}

/// The same graph, opened by each of the roads that lead to it.
pub(crate) fn by_every_road(
    graph: &DurableEngine<MemoryStore>,
) -> Vec<(&'static str, DurableEngine<MemoryStore>)> {
    let as_it_is = open(graph.store().clone());
    let mut store = graph.store().clone();
    store.remove_snapshot().expect("memory does not fail");
    let from_the_log = open(store.clone());
    let mut fresh = open(store);
    fresh.checkpoint().expect("memory does not fail");
    let from_a_fresh_snapshot = open(fresh.store().clone());
    assert!(from_the_log.opening().is_rebuilt);
    assert_eq!(
        (from_a_fresh_snapshot.opening().repeated, from_a_fresh_snapshot.opening().is_rebuilt),
        (0, false)
    );
    vec![
        ("as it is", as_it_is),
        ("from the log", from_the_log),
        ("from a fresh snapshot", from_a_fresh_snapshot),
        ("after a snapshot", fresh),
    ]
}

/// Checks that a graph is the same by whatever road it is opened, and clean.
#[track_caller]
pub(crate) fn check_roads(graph: &DurableEngine<MemoryStore>, what: &str) {
    let live = Picture::of(graph);
    for (road, mut opened) in by_every_road(graph) {
        let found = Picture::of(&opened);
        assert_eq!(found.hash, live.hash, "{what}, {road}");
        assert_eq!(found, live, "{what}, {road}");
        assert_clean(&mut opened, &format!("{what}, {road}"));
    }
}

/// Checks that a graph also goes on in the same way, by whatever road it is opened.
#[track_caller]
pub(crate) fn check_future(mut graph: DurableEngine<MemoryStore>, probes: &[Fact], what: &str) {
    let roads = by_every_road(&graph);
    let expected = take_in(&mut graph, probes.to_vec());
    let live = Picture::of(&graph);
    for (road, mut opened) in roads {
        for (found, expected) in take_in(&mut opened, probes.to_vec()).iter().zip(&expected) {
            assert_eq!(found, expected, "{what}, {road}");
        }
        assert_eq!(Picture::of(&opened), live, "{what}, {road}");
    }
    assert_clean(&mut graph, what);
}

#[track_caller]
pub(crate) fn assert_clean<S: Store>(graph: &mut DurableEngine<S>, what: &str) {
    let report = graph.verify(Depth::Rebuild, &mut |_| {}).expect("a sound store");
    assert!(report.is_clean(), "{what}: {:#?}", report.faults);
}
