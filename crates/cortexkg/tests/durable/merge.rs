//! Merging, unmerging, splitting: who belongs where, and where identifiers lead.

use cortexkg::{Fact, Forget, NodeId, POSSIBLY_SAME};
use cortexkg_store::Sync;

use crate::common::picture::{Picture, check_future, check_roads, empty, filled, take_in};
use crate::common::stream::facts;

#[test]
fn a_chain_of_merges() {
    let mut graph = filled(30, 100);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let [a, b, c, d] = [ids[4], ids[7], ids[9], ids[11]];
    let alone = Picture::of(&graph);
    graph.merge(a, b).unwrap();
    let with_b = Picture::of(&graph);
    graph.merge(c, a).unwrap();
    assert_eq!([a, b, c].map(|id| graph.engine().resolve(id)), [c, c, c]);
    // A redirect is followed, on both sides.
    graph.merge(b, d).unwrap();
    assert_eq!(graph.engine().resolve(d), c);
    check_roads(&graph, "a chain");
    // B comes out of the middle, with what it brought and nothing else.
    graph.unmerge(b).unwrap();
    let engine = graph.engine();
    assert_eq!(engine.node(b), alone.nodes.iter().find(|node| node.id == b).cloned());
    assert_eq!([a, b, c, d].map(|id| engine.resolve(id)), [c, b, c, c]);
    check_roads(&graph, "out of the middle");
    graph.unmerge(d).unwrap();
    graph.unmerge(a).unwrap();
    assert_eq!(Picture::of(&graph).content(), alone.content());
    graph.merge(a, b).unwrap();
    assert_eq!(Picture::of(&graph).content(), with_b.content());
    check_future(graph, &facts(31, 40), "a chain");
}

#[test]
fn the_node_that_others_were_merged_into_gives_back_the_newest() {
    let mut graph = filled(32, 80);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    graph.merge(ids[0], ids[1]).unwrap();
    graph.merge(ids[0], ids[2]).unwrap();
    graph.unmerge(ids[0]).unwrap();
    assert_eq!(graph.engine().redirects().collect::<Vec<_>>(), [(ids[1], ids[0])]);
    graph.unmerge(ids[0]).unwrap();
    assert_eq!(graph.engine().redirects().count(), 0);
    assert!(graph.unmerge(ids[0]).is_err());
}

#[test]
fn redirects_are_for_ever() {
    let mut graph = filled(33, 200);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    for pair in ids.chunks_exact(2) {
        graph.merge(pair[0], pair[1]).unwrap();
    }
    let expected: Vec<_> = graph.engine().redirects().collect();
    assert_eq!(expected.len(), ids.len() / 2);
    take_in(&mut graph, facts(34, 100).into_iter().map(|fact| fact.with_source("later")).collect());
    graph.compact().unwrap();
    check_roads(&graph, "merged and compacted");
    assert_eq!(graph.engine().redirects().collect::<Vec<_>>(), expected);
    let next = graph.engine().node_ids().last().unwrap();
    let new = take_in(&mut graph, vec![Fact::text("something entirely different")]);
    assert!(new[0].allocated_node > next && expected.iter().all(|&(from, _)| from < new[0].allocated_node));
}

/// Facts whose identifiers come later stay with the node that they joined.
#[test]
fn what_came_after_the_merge_stays() {
    let mut graph = empty();
    let person =
        |name: &str, phone: &str, id: &str| Fact::record([("name", name), ("phone", phone)]).with_id(id);
    let results = take_in(
        &mut graph,
        vec![person("Ada Lovelace", "213/857-0034", "a"), person("Charles Babbage", "818/762-1221", "b")],
    );
    let [a, b] = [results[0].allocated_node, results[1].allocated_node];
    graph.merge(a, b).unwrap();
    let later = take_in(&mut graph, vec![person("Charles Babbage", "818/762-1221", "c")]);
    assert_eq!(later[0].allocated_node, a);
    graph.unmerge(b).unwrap();
    let members = |id: NodeId| {
        let node = graph.engine().node(id).unwrap();
        node.members.into_iter().map(|member| member.record_id).collect::<Vec<_>>()
    };
    assert_eq!((members(a), members(b)), (vec!["a".into(), "c".into()], vec!["b".into()]));
    check_roads(&graph, "unmerged");
}

#[test]
fn edges_follow_their_ends() {
    let mut graph = empty();
    let triple = |subject: &str, object: &str| Fact::triple(subject, "founded", object);
    let results = take_in(
        &mut graph,
        vec![
            triple("Ada Lovelace", "Analytical Engines").with_id("1"),
            triple("Grace Hopper", "Burroughs").with_id("2"),
            triple("Alan Turing", "Analytical Engines").with_id("3"),
        ],
    );
    let end = |at: usize| {
        let result = &results[at];
        (result.allocated_node, result.object.as_ref().unwrap().allocated_node)
    };
    let ((ada, engines), (grace, burroughs), (alan, same)) = (end(0), end(1), end(2));
    assert_eq!(engines, same);
    let before = Picture::of(&graph);
    graph.merge(engines, burroughs).unwrap();
    let founded = |from, to| (from, "founded".to_owned(), to);
    let mut edges = graph.engine().node(engines).unwrap().edges;
    edges.sort();
    assert_eq!(edges, [founded(ada, engines), founded(grace, engines), founded(alan, engines)]);
    // Two edges become one, and two again.
    graph.merge(ada, alan).unwrap();
    assert_eq!(graph.engine().edge_count(), 2);
    graph.merge(ada, engines).unwrap();
    let mut edges = graph.engine().node(ada).unwrap().edges;
    edges.sort();
    assert_eq!(edges, [founded(ada, ada), founded(grace, ada)]);
    check_roads(&graph, "merged with its own founder");
    graph.unmerge(alan).unwrap();
    graph.unmerge(engines).unwrap();
    graph.unmerge(burroughs).unwrap();
    assert_eq!(Picture::of(&graph).content(), before.content());
    // A forgotten end takes its edges with it, also through a merge.
    graph.merge(engines, burroughs).unwrap();
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "2" }).unwrap();
    assert_eq!(graph.engine().edge_count(), 2);
    check_roads(&graph, "forgotten");
    graph.undo(forget).unwrap();
    assert_eq!(graph.engine().edge_count(), 3);
    check_roads(&graph, "back");
}

/// A close call whose rival is merged away and comes back with no member of its own.
#[test]
fn doubts_follow_their_rivals() {
    let mut graph = filled(35, 250);
    let doubt = |graph: &cortexkg::DurableEngine<_>| {
        let ids: Vec<_> = graph.engine().node_ids().collect();
        let edges = ids.into_iter().flat_map(|id| graph.engine().node(id).unwrap().edges);
        edges.into_iter().find(|(_, predicate, _)| predicate == POSSIBLY_SAME)
    };
    let (from, _, to) = doubt(&graph).expect("a close call in 250 facts");
    let other = graph.engine().node_ids().find(|&id| id != from && id != to).unwrap();
    let before = Picture::of(&graph);
    graph.merge(other, to).unwrap();
    assert!(graph.engine().node(from).unwrap().edges.contains(&(from, POSSIBLY_SAME.to_owned(), other)));
    // All that the merge brought is forgotten before it is taken back.
    let members = before.nodes.iter().find(|node| node.id == to).unwrap().members.clone();
    let mut forgets = Vec::new();
    for member in members {
        let source = Some(member.source.as_str());
        let record = member.record_id.trim_end_matches("#s").trim_end_matches("#o").to_owned();
        if graph.find(source, &record).unwrap().is_some() {
            forgets.push(graph.forget(&Forget::Fact { source, record_id: &record }).unwrap().0);
        }
    }
    graph.unmerge(to).unwrap();
    check_roads(&graph, "an unmerge of nothing");
    let at_other = graph.engine().node(other).map_or(Vec::new(), |node| node.edges);
    assert!(!at_other.contains(&(from, POSSIBLY_SAME.to_owned(), other)), "the doubt was about {to}");
}

#[test]
fn a_split_by_the_ends_of_triples() {
    let mut graph = empty();
    let results = take_in(
        &mut graph,
        vec![
            Fact::triple("Ada Lovelace", "knows", "Charles Babbage").with_id("t"),
            Fact::text("Ada Lovelace").with_id("u"),
        ],
    );
    let ada = results[0].allocated_node;
    assert_eq!(results[1].allocated_node, ada);
    let (_, new) = graph.split(ada, &["t#s"]).unwrap();
    let charles = results[0].object.as_ref().unwrap().allocated_node;
    assert_eq!(graph.engine().node(new).unwrap().edges, [(new, "knows".to_owned(), charles)]);
    assert!(graph.engine().node(ada).unwrap().edges.is_empty());
    check_roads(&graph, "split by an end");
    let again = graph.allocate_batch(vec![Fact::text("Ada Lovelace").with_id("u")], Sync::Durable).unwrap();
    assert_eq!(again[0].as_ref().unwrap().allocated_node, ada);
}
