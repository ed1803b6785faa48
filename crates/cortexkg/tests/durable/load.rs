//! What comes with its nodes: graphs that are there already, facts that were placed elsewhere.

use cortexkg::{Fact, FactError, Forget, GraphEdge, GraphNode, KnowledgeGraph, NodeId, OperationError};
use cortexkg_store::Sync;

use crate::common::picture::{Picture, check_future, check_roads, empty, filled, take_in};
use crate::common::stream::facts;

fn node(id: Option<u64>, name: &str, alias: &str) -> GraphNode {
    let name = cortexkg::Field { name: "name".to_owned(), value: name.into() };
    GraphNode { id: id.map(NodeId), properties: vec![name], aliases: vec![alias.to_owned()], embedding: None }
}

fn edge(from: u64, to: u64) -> GraphEdge {
    GraphEdge { from: NodeId(from), predicate: "knows".to_owned(), to: NodeId(to) }
}

fn loaded() -> KnowledgeGraph {
    KnowledgeGraph {
        nodes: vec![
            node(Some(3), "ada lovelace", "the enchantress of number"),
            node(None, "charles babbage", "the father of the computer"),
            node(Some(9), "grace hopper", "amazing grace"),
        ],
        edges: vec![edge(3, 4), edge(4, 9), edge(3, 4)],
    }
}

#[test]
fn a_loaded_graph() {
    let mut graph = empty();
    assert_eq!(graph.load_graph(&loaded()).unwrap(), [NodeId(3), NodeId(4), NodeId(9)]);
    assert_eq!((graph.engine().node_count(), graph.engine().edge_count()), (3, 2));
    check_roads(&graph, "loaded");
    take_in(&mut graph, facts(80, 60));
    check_roads(&graph, "with facts");
    graph.merge(NodeId(9), NodeId(4)).unwrap();
    check_roads(&graph, "merged");
    graph.unmerge(NodeId(4)).unwrap();
    let before = Picture::of(&graph);
    let (forget, _) = graph.forget(&Forget::Node(NodeId(4))).unwrap();
    check_roads(&graph, "forgotten");
    graph.undo(forget).unwrap();
    assert_eq!(Picture::of(&graph).content(), before.content());
    // An edge that was loaded twice is there until both are taken back.
    let ties: Vec<_> = graph
        .log_entries(0, u64::MAX)
        .unwrap()
        .into_iter()
        .filter(|entry| entry.operation == "tie")
        .collect();
    let edges = graph.engine().edge_count();
    let first = graph.undo(ties[0].position).unwrap();
    assert_eq!(graph.engine().edge_count(), edges);
    graph.undo(ties[2].position).unwrap();
    assert_eq!(graph.engine().edge_count(), edges - 1);
    check_roads(&graph, "untied");
    graph.undo(first).unwrap();
    assert_eq!(graph.engine().edge_count(), edges);
    graph.compact().unwrap();
    assert_eq!(graph.engine().edge_count(), edges);
    check_roads(&graph, "compacted");
    check_future(graph, &facts(81, 30), "loaded");
}

#[test]
fn a_graph_on_top_of_facts() {
    let mut graph = filled(82, 60);
    let next = graph.engine().node_ids().last().unwrap().0 + 100;
    let more = KnowledgeGraph {
        nodes: vec![node(Some(next), "radia perlman", "mother of the internet")],
        edges: vec![edge(0, next)],
    };
    graph.load_graph(&more).unwrap();
    check_roads(&graph, "on top");
    let hash = graph.state_hash().unwrap();
    // Below what is in use; an unknown end; an embedding of another space.
    for refused in [
        KnowledgeGraph { nodes: vec![node(Some(5), "x", "y")], edges: vec![] },
        KnowledgeGraph { nodes: vec![node(None, "x", "y")], edges: vec![edge(0, next + 50)] },
        KnowledgeGraph { nodes: vec![node(None, "x", "y"), GraphNode::default()], edges: vec![] },
    ] {
        assert!(matches!(graph.load_graph(&refused), Err(OperationError::Load(_))));
        assert_eq!(graph.state_hash().unwrap(), hash);
    }
    take_in(&mut graph, facts(83, 20).into_iter().map(|fact| fact.with_source("then")).collect());
    check_roads(&graph, "after refusals");
}

#[test]
fn placed_facts() {
    let original = filled(84, 120);
    let mut copy = empty();
    let ids: Vec<_> = original.engine().node_ids().collect();
    copy.open_nodes(ids.clone()).unwrap();
    check_roads(&copy, "opened");
    let mut facts = Vec::new();
    for position in 0..120 {
        let fact = original.fact_at(position).unwrap().unwrap();
        let found =
            original.find(fact.source.as_deref(), fact.record_id.as_deref().unwrap()).unwrap().unwrap();
        facts.push((fact, found.mentions().map(|mention| mention.allocated_node).collect::<Vec<_>>()));
    }
    for part in facts.chunks(50) {
        copy.place_facts(part.to_vec(), Sync::Durable)
            .unwrap()
            .into_iter()
            .for_each(|result| drop(result.unwrap()));
    }
    let members = |graph: &cortexkg::DurableEngine<_>| {
        let nodes = Picture::of(graph).nodes.into_iter();
        nodes.map(|node| (node.id, node.members, node.properties)).collect::<Vec<_>>()
    };
    assert_eq!(members(&copy), members(&original));
    check_roads(&copy, "placed");
    copy.undo(60).unwrap();
    copy.merge(ids[1], ids[2]).unwrap();
    check_roads(&copy, "placed and changed");
    copy.compact().unwrap();
    check_roads(&copy, "placed and compacted");
    check_future(copy, &crate::common::stream::facts(85, 40), "placed");
}

#[test]
fn what_cannot_be_placed() {
    let mut graph = filled(86, 20);
    let hash = graph.state_hash().unwrap();
    let place = |fact: Fact, nodes: &[u64]| vec![(fact, nodes.iter().map(|&id| NodeId(id)).collect())];
    let unknown = graph.place_facts(place(Fact::text("x"), &[1_000_000]), Sync::Durable);
    assert!(matches!(unknown, Err(OperationError::UnknownNode { .. })));
    assert!(matches!(graph.open_nodes(vec![NodeId(0)]), Err(OperationError::Load(_))));
    assert!(matches!(graph.open_nodes(vec![NodeId(900), NodeId(900)]), Err(OperationError::Load(_))));
    assert!(matches!(graph.open_nodes(vec![NodeId(1 << 50)]), Err(OperationError::Load(_))));
    let mut one = |fact: Fact, nodes: &[u64]| {
        graph.place_facts(place(fact, nodes), Sync::Durable).unwrap().pop().unwrap().unwrap_err()
    };
    assert!(matches!(one(Fact::text("x"), &[0, 1]), FactError::Nodes { .. }));
    assert!(matches!(one(Fact::triple("x", "y", "z"), &[0]), FactError::Nodes { .. }));
    assert!(matches!(one(Fact::text(" "), &[0]), FactError::Empty { .. }));
    let known = facts(86, 20)[1].clone();
    let count = if matches!(known.content, cortexkg::FactContent::Triple { .. }) { 2 } else { 1 };
    assert!(matches!(one(known, &[0, 0][..count]), FactError::DuplicateId { .. }));
    assert_eq!(graph.state_hash().unwrap(), hash);
    check_roads(&graph, "nothing placed");
    check_future(
        graph,
        &facts(87, 30).into_iter().map(|f| f.with_source("z")).collect::<Vec<_>>(),
        "nothing placed",
    );
}

#[test]
fn a_placed_fact_is_found_and_repeated() {
    let mut graph = empty();
    graph.open_nodes(vec![NodeId(5)]).unwrap();
    let fact = Fact::text("Ada Lovelace").with_id("p").with_source("s");
    graph.place_facts(vec![(fact.clone(), vec![NodeId(5)])], Sync::Durable).unwrap();
    let again = take_in(&mut graph, vec![fact]);
    assert_eq!((again[0].repeated, again[0].allocated_node), (true, NodeId(5)));
    check_roads(&graph, "placed");
}

#[test]
fn a_fact_that_is_placed_in_a_merged_node_goes_where_that_leads() {
    let mut graph = filled(88, 40);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    graph.merge(ids[0], ids[1]).unwrap();
    let placed =
        graph.place_facts(vec![(Fact::text("placed").with_id("p"), vec![ids[1]])], Sync::Durable).unwrap();
    assert_eq!(placed[0].as_ref().unwrap().allocated_node, ids[0]);
    check_roads(&graph, "placed in a merged node");
}

#[test]
fn what_is_tied_to_a_redirected_node_leads_on() {
    let mut graph = empty();
    graph.load_graph(&loaded()).unwrap();
    graph.open_nodes(vec![NodeId(20)]).unwrap();
    let tied = KnowledgeGraph { nodes: vec![node(None, "alan turing", "prof")], edges: vec![edge(20, 21)] };
    graph.load_graph(&tied).unwrap();
    assert_eq!(graph.engine().edge_count(), 2, "an edge needs members at both ends");
    graph.redirect(NodeId(20), NodeId(3)).unwrap();
    let knows = (NodeId(3), "knows".to_owned(), NodeId(21));
    assert_eq!(graph.engine().node(NodeId(21)).unwrap().edges, [knows]);
    check_roads(&graph, "redirected");
    graph.compact().unwrap();
    check_roads(&graph, "redirected and compacted");
}
