//! Taking back, and taking that back.

use cortexkg::{DurableEngine, Fact, Forget, OperationError};
use cortexkg_store::MemoryStore;

use crate::common::picture::{Picture, check_roads, empty, filled, take_in};

fn is_undone<T>(result: &Result<T, OperationError>) -> bool {
    matches!(result, Err(OperationError::AlreadyUndone { .. }))
}

/// Undoing an operation, undoing that, and so on, leads to and fro between two contents; what does not stand cannot be undone.
#[track_caller]
fn to_and_fro(graph: &mut DurableEngine<MemoryStore>, before: &Picture, operation: u64) {
    let after = Picture::of(graph);
    let mut newest = operation;
    let mut undone = Vec::new();
    for turn in 0..6 {
        let by = graph.undo(newest).unwrap();
        undone.push(newest);
        let expected = if turn % 2 == 0 { before } else { &after };
        assert_eq!(Picture::of(graph).content(), expected.content(), "turn {turn}");
        // Whatever was undone by something that stands is undone.
        let hash = graph.state_hash().unwrap();
        for &earlier in undone.iter().rev().step_by(2) {
            assert!(is_undone(&graph.undo(earlier)), "turn {turn}: operation {earlier} does not stand");
        }
        assert_eq!(graph.state_hash().unwrap(), hash);
        newest = by;
    }
    check_roads(graph, "to and fro");
}

#[test]
fn merges() {
    let mut graph = filled(20, 100);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let before = Picture::of(&graph);
    let merge = graph.merge(ids[3], ids[8]).unwrap();
    to_and_fro(&mut graph, &before, merge);
}

#[test]
fn unmerges() {
    let mut graph = filled(21, 100);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    graph.merge(ids[3], ids[8]).unwrap();
    let before = Picture::of(&graph);
    let unmerge = graph.unmerge(ids[8]).unwrap();
    to_and_fro(&mut graph, &before, unmerge);
}

#[test]
fn forgotten_facts_nodes_and_sources() {
    for what in 0..3 {
        let mut graph = filled(22, 100);
        let node = graph.engine().node_ids().nth(4).unwrap();
        let before = Picture::of(&graph);
        let (forget, _) = match what {
            0 => graph.forget(&Forget::Fact { source: before_source(&graph), record_id: "f2" }),
            1 => graph.forget(&Forget::Node(node)),
            _ => graph.forget(&Forget::Source("payroll")),
        }
        .unwrap();
        to_and_fro(&mut graph, &before, forget);
    }
}

fn before_source(graph: &DurableEngine<MemoryStore>) -> Option<&'static str> {
    [None, Some("payroll"), Some("census"), Some("letters")]
        .into_iter()
        .find(|source| graph.find(*source, "f2").unwrap().is_some())
        .unwrap()
}

#[test]
fn every_allocation_of_a_run() {
    let mut graph = filled(23, 60);
    for position in 0..60 {
        let before = Picture::of(&graph);
        let undo = graph.undo(position).unwrap();
        assert_eq!(graph.engine().fact_count(), 59);
        assert!(is_undone(&graph.undo(position)));
        graph.undo(undo).unwrap();
        assert_eq!(Picture::of(&graph).content(), before.content(), "{position}");
    }
    check_roads(&graph, "every allocation");
    let everything = Picture::of(&graph);
    let undos: Vec<_> = (0..60).map(|position| graph.undo(position).unwrap()).collect();
    assert_eq!((graph.engine().fact_count(), graph.engine().node_count()), (0, 0));
    assert!(graph.engine().model().iter().all(|field| (field.present, field.distinct) == (0, 0)));
    check_roads(&graph, "nothing");
    for undo in undos {
        graph.undo(undo).unwrap();
    }
    assert_eq!(Picture::of(&graph).content(), everything.content());
}

#[test]
fn a_split_gives_a_new_node_and_its_undo_a_redirect() {
    let mut graph = empty();
    let same = |id: &str| Fact::record([("name", "Grace Hopper"), ("phone", "213/857-0034")]).with_id(id);
    let results = take_in(&mut graph, ["a", "b", "c"].map(same).to_vec());
    let node = results[0].allocated_node;
    assert!(results.iter().all(|result| result.allocated_node == node));
    let before = Picture::of(&graph);
    let (split, new) = graph.split(node, &["b"]).unwrap();
    assert_eq!(graph.engine().node(node).unwrap().members.len(), 2);
    assert_eq!(graph.engine().node(new).unwrap().members[0].record_id, "b");
    graph.undo(split).unwrap();
    let back = Picture::of(&graph);
    assert_eq!(back.nodes, before.nodes);
    assert_eq!(back.redirects, [(new, node)]);
    assert!(is_undone(&graph.undo(split)));
    graph.unmerge(new).unwrap();
    assert_eq!(graph.engine().node(new).unwrap().members[0].record_id, "b");
    check_roads(&graph, "split");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let mut graph = empty();
    let fact = |name: &str, id: &str| Fact::record([("name", name)]).with_id(id);
    let names = ["Ada Lovelace", "Burroughs", "Radia Perlman"];
    let facts = names.iter().zip(["a", "b", "c"]).map(|(name, id)| fact(name, id));
    let nodes: Vec<_> =
        take_in(&mut graph, facts.collect()).iter().map(|result| result.allocated_node).collect();
    let [a, b, c] = nodes[..] else { panic!("{nodes:?}") };
    let way = |result: Result<u64, OperationError>| matches!(result, Err(OperationError::InTheWay { .. }));
    // The name is taken.
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "a" }).unwrap();
    take_in(&mut graph, vec![fact("somebody else", "a")]);
    assert!(way(graph.undo(forget)));
    graph.forget(&Forget::Fact { source: None, record_id: "a" }).unwrap();
    graph.undo(forget).unwrap();
    // Merged into another since.
    let merge = graph.merge(a, b).unwrap();
    let unmerge = graph.undo(merge).unwrap();
    let other = graph.merge(c, b).unwrap();
    assert!(way(graph.undo(unmerge)));
    assert_eq!(graph.engine().resolve(b), c);
    graph.undo(other).unwrap();
    // The other way round since.
    let other = graph.merge(b, a).unwrap();
    assert!(way(graph.undo(unmerge)));
    graph.undo(other).unwrap();
    graph.undo(unmerge).unwrap();
    assert_eq!(graph.engine().resolve(b), a);
    check_roads(&graph, "in the way");
}

/// A merge that stands a second time, because its undo was undone, is one merge.
#[test]
fn a_merge_that_was_repeated_is_taken_back_once() {
    let mut graph = filled(24, 60);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let [a, b, c] = [ids[1], ids[2], ids[3]];
    let first = graph.merge(a, b).unwrap();
    let undo = graph.undo(first).unwrap();
    let second = graph.undo(undo).unwrap();
    graph.undo(first).unwrap();
    assert_eq!(graph.engine().resolve(b), b);
    let hash = graph.state_hash().unwrap();
    assert!(is_undone(&graph.undo(second)), "nothing is merged any more");
    assert_eq!(graph.state_hash().unwrap(), hash);
    graph.merge(c, b).unwrap();
    assert!(is_undone(&graph.undo(second)), "this merge is another one");
    assert_eq!(graph.engine().resolve(b), c);
}
