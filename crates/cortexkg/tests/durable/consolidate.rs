//! Consolidation: early decisions are repaired, and the repair is a part of the log like everything else.

use std::num::NonZeroU64;

use cortexkg::{DurableEngine, Fact, NodeId};
use cortexkg_store::{MemoryStore, Store};

use crate::common::Table as Data;
use crate::common::picture::{Picture, empty, filled, open, take_in};

/// A graph of real records that consolidation has something to do in.
fn restaurants() -> DurableEngine<MemoryStore> {
    let mut graph = empty();
    for facts in Data::records("fodors-zagats").facts().chunks(97) {
        take_in(&mut graph, facts.to_vec());
    }
    graph
}

/// The same graph from its log alone.
fn rebuilt(graph: DurableEngine<MemoryStore>) -> DurableEngine<MemoryStore> {
    let mut store = graph.close().unwrap();
    store.remove_snapshot().unwrap();
    open(store)
}

#[test]
fn what_it_repairs_is_in_the_log_and_can_be_undone() {
    let mut graph = restaurants();
    let before = graph.position();
    let done = graph.consolidate().unwrap();
    assert!(done.splits > 0, "{done:?}");
    let log = graph.log_entries(before, u64::MAX).unwrap();
    let count = |operation: &str| log.iter().filter(|entry| entry.operation == operation).count();
    assert_eq!(
        [count("consolidate"), count("split"), count("merge")],
        [1, done.splits, done.merges],
        "one entry each"
    );
    let split = log.iter().find(|entry| entry.operation == "split").unwrap();
    let [from, new] = split.nodes[..] else { panic!("{split:?}") };
    let members = |graph: &DurableEngine<MemoryStore>, id| graph.engine().node(id).unwrap().members.len();
    let both = members(&graph, from) + members(&graph, new);
    graph.undo(split.position).unwrap();
    assert_eq!((graph.engine().resolve(new), members(&graph, from)), (from, both), "one again");
    assert!(graph.verify(cortexkg::Depth::Rebuild, &mut |_| {}).unwrap().is_clean());
}

#[test]
fn repeating_the_log_gives_the_same_graph() {
    let mut graph = restaurants();
    graph.consolidate().unwrap();
    take_in(&mut graph, vec![Fact::record([("name", "citrus"), ("city", "los angeles")]).with_id("after")]);
    let expected = Picture::of(&graph);
    let from_log = rebuilt(graph);
    assert_eq!(Picture::of(&from_log), expected);
    let mut from_log = from_log;
    from_log.checkpoint().unwrap();
    let from_snapshot = open(from_log.close().unwrap());
    assert_eq!(from_snapshot.opening().repeated, 0);
    assert_eq!(Picture::of(&from_snapshot), expected);
}

/// Takes a step at every so many mentions, facts given by so many at a time.
fn in_steps(every: u64, at_once: usize) -> DurableEngine<MemoryStore> {
    let mut graph = empty();
    graph.consolidate_every(NonZeroU64::new(every));
    for facts in Data::records("fodors-zagats").facts().chunks(at_once) {
        take_in(&mut graph, facts.to_vec());
    }
    graph
}

#[test]
fn steps_inside_the_stream_happen_where_the_log_says() {
    let at_once = in_steps(100, 1000);
    let log = at_once.log_entries(0, u64::MAX).unwrap();
    let count = |operation: &str| log.iter().filter(|entry| entry.operation == operation).count();
    assert_eq!(count("consolidate"), 8, "864 restaurants");
    assert!(count("split") + count("merge") > 0, "something is repaired");
    let expected = Picture::of(&at_once);
    assert_eq!(Picture::of(&in_steps(100, 1)), expected, "one by one");
    assert_eq!(Picture::of(&in_steps(100, 97)), expected, "by 97");
    assert_eq!(Picture::of(&rebuilt(at_once)), expected, "from the log");
}

/// Killed right before a step, the next run takes it, before anything else.
#[test]
fn a_step_that_was_missed_is_made_up_for() {
    let expected = Picture::of(&in_steps(100, 50));
    let facts = Data::records("fodors-zagats").facts();
    for broken_off in [100, 300, 800] {
        let mut graph = empty();
        graph.consolidate_every(NonZeroU64::new(100));
        take_in(&mut graph, facts[..broken_off - 1].to_vec());
        graph.consolidate_every(None);
        take_in(&mut graph, facts[..broken_off].to_vec());
        let mut graph = open(graph.close().unwrap());
        graph.consolidate_every(NonZeroU64::new(100));
        take_in(&mut graph, facts.clone());
        assert_eq!(Picture::of(&graph), expected, "broken off after {broken_off}");
    }
}

/// Close calls are not lost where the process ends, and a compaction carries them over.
#[test]
fn close_calls_survive_a_snapshot_the_log_and_a_compaction() {
    let mut graph = restaurants();
    graph.consolidate().unwrap();
    let expected = Picture::of(&graph);

    let mut graph = restaurants();
    graph.checkpoint().unwrap();
    let mut graph = open(graph.close().unwrap());
    graph.consolidate().unwrap();
    assert_eq!(Picture::of(&graph), expected, "through a snapshot");

    let mut graph = rebuilt(restaurants());
    graph.consolidate().unwrap();
    assert_eq!(Picture::of(&graph), expected, "through the log");

    let mut graph = restaurants();
    graph.compact().unwrap();
    let done = graph.consolidate().unwrap();
    assert!(done.pairs_compared > 100, "a compaction forgets no close call: {done:?}");
    let position = graph.position();
    let expected = Picture::of(&graph);
    let graph = rebuilt(graph);
    assert_eq!((graph.position(), Picture::of(&graph)), (position, expected));
}

#[test]
fn a_second_time_finds_nothing_more_to_merge() {
    let mut graph = restaurants();
    graph.consolidate().unwrap();
    let nodes: Vec<NodeId> = graph.engine().node_ids().collect();
    let again = graph.consolidate().unwrap();
    assert_eq!((again.pairs_compared, again.merges), (0, 0));
    assert!(again.splits <= 1, "{again:?}");
    assert!(graph.engine().node_ids().count() <= nodes.len() + 1);
}

/// An empty graph, one of a single fact, one with forgotten facts: nothing to do is no error.
#[test]
fn nothing_to_do_is_done() {
    let mut graph = empty();
    assert_eq!(graph.consolidate().unwrap(), cortexkg::Consolidation::default());
    take_in(&mut graph, vec![Fact::text("alone").with_id("a")]);
    assert_eq!(graph.consolidate().unwrap().splits, 0);
    let mut graph = filled(3, 400);
    let node = graph.engine().node_ids().next().unwrap();
    graph.forget(&cortexkg::Forget::Node(node)).unwrap();
    graph.consolidate().unwrap();
    assert!(graph.verify(cortexkg::Depth::Rebuild, &mut |_| {}).unwrap().is_clean());
}
