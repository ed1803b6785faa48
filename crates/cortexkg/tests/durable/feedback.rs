//! What users say of pairs of mentions: honoured at once and from then on, whatever road leads to the graph.

use cortexkg::{DurableEngine, Fact, FactError, Forget, LinkKind, NodeId, OperationError};
use cortexkg_store::{MemoryStore, Sync};

use crate::common::Sequence;
use crate::common::picture::{Picture, check_future, check_roads, empty, filled, take_in};
use crate::common::stream::facts;

type Graph = DurableEngine<MemoryStore>;

fn person(name: &str, phone: &str, id: &str) -> Fact {
    Fact::record([("name", name), ("phone", phone)]).with_id(id)
}

/// Two groups of namesakes, and somebody else.
fn people() -> Graph {
    let mut graph = empty();
    let facts = vec![
        person("Ada Lovelace", "213/857-0034", "a1"),
        person("Ada Lovelace", "213/857-0034", "a2"),
        person("Grace Hopper", "818/762-1221", "b1"),
        person("Grace Hopper", "818/762-1221", "b2"),
        person("Radia Perlman", "310/472-1211", "c"),
    ];
    take_in(&mut graph, facts);
    assert_eq!(graph.engine().node_count(), 3);
    graph
}

fn node(graph: &Graph, id: &str) -> NodeId {
    graph.find(None, id).unwrap().expect(id).allocated_node
}

#[track_caller]
fn contradicts<T: std::fmt::Debug>(result: Result<T, OperationError>, position: u64) {
    match result {
        Err(OperationError::Contradiction { operation, .. }) => assert_eq!(operation, position),
        other => panic!("{other:?}"),
    }
}

/// Every link that has both its records holds.
#[track_caller]
fn check_links(graph: &Graph) {
    for link in graph.links() {
        if let [Some(left), Some(right)] = link.records.each_ref().map(Option::as_deref) {
            let sources = link.mentions.map(|of| graph.fact_at(of.fact).unwrap().unwrap().source);
            let [left, right] = [(left, &sources[0]), (right, &sources[1])]
                .map(|(name, source)| node_named(graph, source.as_deref(), name));
            assert_eq!(left == right, link.kind == LinkKind::Must, "{link:?}");
        }
    }
}

fn node_named(graph: &Graph, source: Option<&str>, mention: &str) -> NodeId {
    let record = mention.trim_end_matches("#s").trim_end_matches("#o");
    let found = graph.find(source, record).unwrap().expect(mention);
    let mut ends = found.mentions().map(|end| end.allocated_node);
    let end = if mention.ends_with("#o") { ends.nth(1) } else { ends.next() };
    end.unwrap()
}

#[test]
fn a_must_link_merges_and_its_undo_parts() {
    let mut graph = people();
    let before = Picture::of(&graph);
    let linked = graph.must_link("a1", "b2").unwrap();
    assert_eq!((linked.position, linked.repair), (6, Some(5)));
    assert_eq!(node(&graph, "a1"), node(&graph, "b1"));
    let log = graph.log_entries(5, 7).unwrap();
    assert_eq!(log.iter().map(|entry| entry.operation.as_str()).collect::<Vec<_>>(), ["merge", "must-link"]);
    assert!(log[1].what.contains("operation 5"), "{}", log[1].what);
    contradicts(graph.cannot_link("b2", "a1"), 6);
    contradicts(graph.undo(5), 6);
    let b = before.nodes[1].id;
    contradicts(graph.unmerge(b), 6);
    contradicts(graph.split(node(&graph, "a1"), &["b1", "b2"]), 6);
    assert!(matches!(graph.must_link("b2", "a1"), Err(OperationError::AlreadyLinked { operation: 6, .. })));
    assert!(matches!(graph.must_link("a1", "a1"), Err(OperationError::SameMention { .. })));
    assert!(matches!(graph.must_link("a1", "nobody"), Err(OperationError::UnknownFact { .. })));
    // What does not part the two is nobody's business.
    let (split, _) = graph.split(node(&graph, "a1"), &["b1"]).unwrap();
    graph.undo(split).unwrap();
    check_roads(&graph, "a must-link");
    let undo = graph.undo(6).unwrap();
    // The node that the split opened leads on for ever.
    assert_eq!(Picture::of(&graph).nodes, before.nodes);
    assert!(graph.links().is_empty());
    assert!(matches!(graph.undo(6), Err(OperationError::AlreadyUndone { .. })));
    graph.undo(undo).unwrap();
    assert_eq!(node(&graph, "a1"), node(&graph, "b1"));
    assert_eq!(graph.links()[0].position, 6, "the same link stands again");
    check_roads(&graph, "undone twice");
    check_future(graph, &facts(50, 30), "undone twice");
}

#[test]
fn a_cannot_link_splits_by_agreement() {
    let mut graph = people();
    let [a, b] = ["a1", "b1"].map(|id| node(&graph, id));
    let merge = graph.merge(a, b).unwrap();
    // The merge was by hand: that is a must-link between the oldest.
    contradicts(graph.cannot_link("a1", "b1"), merge);
    // Other members can be parted; those that are tied stay with each other.
    let linked = graph.cannot_link("a2", "b2").unwrap();
    assert_eq!(linked.repair, Some(linked.position - 1));
    assert_eq!(node(&graph, "a1"), node(&graph, "b1"));
    assert_ne!(node(&graph, "a2"), node(&graph, "b2"));
    check_roads(&graph, "a cannot-link");
    graph.undo(linked.position).unwrap();
    assert_eq!(node(&graph, "a2"), node(&graph, "b2"));
    graph.undo(merge).unwrap();
    assert_ne!(node(&graph, "a1"), node(&graph, "b1"));
    assert!(graph.links().is_empty(), "an undo says nothing but that");
    check_roads(&graph, "all taken back");
}

#[test]
fn members_go_with_those_they_agree_with() {
    let mut graph = people();
    let [a, b] = ["a1", "b1"].map(|id| node(&graph, id));
    graph.merge(a, b).unwrap();
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "b1" }).unwrap();
    let linked = graph.cannot_link("a1", "b2").unwrap();
    assert_eq!(node(&graph, "a1"), node(&graph, "a2"));
    assert_ne!(node(&graph, "a1"), node(&graph, "b2"));
    // Coming back, b1 would be where a1 is, as the merge's link wants: with a1, which nothing forbids.
    graph.undo(forget).unwrap();
    assert_eq!(node(&graph, "b1"), node(&graph, "a1"));
    contradicts(graph.merge(node(&graph, "a1"), node(&graph, "b2")), linked.position);
    contradicts(graph.must_link("a2", "b2"), linked.position);
    contradicts(graph.undo(linked.repair.unwrap()), linked.position);
    check_links(&graph);
    check_roads(&graph, "agreement");
}

#[test]
fn unmerging_and_splitting_by_hand_keep_apart() {
    let mut graph = people();
    let [a, b] = ["a1", "b1"].map(|id| node(&graph, id));
    graph.merge(a, b).unwrap();
    let unmerge = graph.unmerge(b).unwrap();
    contradicts(graph.must_link("a1", "b1"), unmerge);
    // Whoever merges by hand again has changed their mind; taking that back brings the old word back.
    let changed = graph.merge(a, b).unwrap();
    graph.undo(changed).unwrap();
    contradicts(graph.must_link("a1", "b1"), unmerge);
    let again = graph.undo(unmerge).unwrap();
    assert_eq!(node(&graph, "a1"), node(&graph, "b1"), "the merge stands again, and its link");
    contradicts(graph.cannot_link("a1", "b1"), 5);
    graph.undo(again).unwrap();
    contradicts(graph.must_link("b1", "a1"), unmerge);
    let (split, _) = graph.split(a, &["a2"]).unwrap();
    contradicts(graph.must_link("a1", "a2"), split);
    check_roads(&graph, "by hand");
    graph.undo(split).unwrap();
    assert_eq!(node(&graph, "a1"), node(&graph, "a2"));
    check_links(&graph);
}

#[test]
fn forgotten_records_have_no_say_until_they_come_back() {
    let mut graph = people();
    let cannot = graph.cannot_link("a1", "c").unwrap();
    assert_eq!(cannot.repair, None);
    let before = Picture::of(&graph);
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "c" }).unwrap();
    graph.undo(forget).unwrap();
    assert_eq!(graph.links().len(), 1);
    assert_eq!(Picture::of(&graph).content(), before.content());
    // Its node takes somebody in while the record is away.
    let must = graph.must_link("c", "b1").unwrap();
    graph.forget(&Forget::Fact { source: None, record_id: "c" }).unwrap();
    check_roads(&graph, "forgotten");
    let merge = graph.merge(node(&graph, "a1"), node(&graph, "b1")).unwrap();
    // The same record taken in anew may not join what it cannot be; that it must be there gives way.
    let again = take_in(&mut graph, vec![person("Radia Perlman", "310/472-1211", "c")]);
    assert_ne!(again[0].allocated_node, node(&graph, "a1"));
    check_roads(&graph, "taken in anew");
    graph.undo(again[0].log_position).unwrap();
    graph.undo(merge).unwrap();
    // Now it can be where it must be, though it looks like nobody there.
    let again = take_in(&mut graph, vec![person("Radia Perlman", "310/472-1211", "c")]);
    assert_eq!(again[0].allocated_node, node(&graph, "b1"));
    check_links(&graph);
    check_roads(&graph, "and once more");
    let kinds = |graph: &Graph| graph.links().iter().map(|link| link.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&graph), [LinkKind::Cannot, LinkKind::Must]);
    graph.undo(must.position).unwrap();
    check_roads(&graph, "unlinked");
}

#[test]
fn a_restored_record_that_would_break_a_link_stays_away() {
    let mut graph = people();
    let cannot = graph.cannot_link("a2", "b2").unwrap();
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "b2" }).unwrap();
    let merge = graph.merge(node(&graph, "a1"), node(&graph, "b1")).unwrap();
    contradicts(graph.undo(forget), cannot.position);
    graph.undo(merge).unwrap();
    graph.undo(forget).unwrap();
    check_links(&graph);
    check_roads(&graph, "restored");
}

#[test]
fn links_survive_compaction_as_far_as_their_records_do() {
    let mut graph = people();
    let must = graph.must_link("a1", "c").unwrap();
    let gone = graph.cannot_link("a1", "b2").unwrap();
    let cannot = graph.cannot_link("a1", "b1").unwrap();
    graph.forget(&Forget::Fact { source: None, record_id: "b2" }).unwrap();
    graph.compact().unwrap();
    let positions: Vec<_> = graph.links().iter().map(|link| link.position).collect();
    assert_eq!(positions, [must.position, cannot.position]);
    check_roads(&graph, "compacted");
    contradicts(graph.cannot_link("c", "a1"), must.position);
    graph.undo(gone.position).unwrap();
    let undo = graph.undo(must.position).unwrap();
    assert_ne!(node(&graph, "a1"), node(&graph, "c"));
    graph.undo(undo).unwrap();
    assert_eq!(node(&graph, "a1"), node(&graph, "c"));
    check_roads(&graph, "compacted and undone");
    check_future(graph, &facts(51, 30), "compacted and undone");
}

#[test]
fn consolidation_honours_both() {
    let mut graph = empty();
    let mut all = Vec::new();
    for at in 0..40 {
        let name = format!("Person Number{at} Of{}", at * 7);
        all.push(person(&name, &format!("{at}13/857-{at:04}"), &format!("p{at}")));
        all.push(person(&name, &format!("{at}13/857-{at:04}"), &format!("q{at}")));
    }
    take_in(&mut graph, all);
    assert_eq!(node(&graph, "p3"), node(&graph, "q3"));
    let must = graph.must_link("p1", "p2").unwrap();
    let cannot = graph.cannot_link("p3", "q3").unwrap();
    let (split, _) = graph.split(node(&graph, "p4"), &["q4"]).unwrap();
    graph.merge(node(&graph, "p5"), node(&graph, "p6")).unwrap();
    for turn in 0..2 {
        graph.consolidate().unwrap();
        assert_eq!(node(&graph, "p1"), node(&graph, "p2"), "turn {turn}");
        assert_ne!(node(&graph, "p3"), node(&graph, "q3"), "turn {turn}");
        assert_ne!(node(&graph, "p4"), node(&graph, "q4"), "turn {turn}");
        assert_eq!(node(&graph, "p5"), node(&graph, "p6"), "turn {turn}");
        check_links(&graph);
    }
    check_roads(&graph, "consolidated");
    // Without what was said, consolidation is free to part what does not agree.
    graph.undo(must.position).unwrap();
    graph.undo(cannot.position).unwrap();
    graph.undo(split).unwrap();
    check_links(&graph);
    check_roads(&graph, "consolidated and undone");
}

/// Whoever undoes what consolidation did says that it was wrong, and it does not do so again.
#[test]
fn consolidation_does_not_repeat_what_a_user_undid() {
    let mut graph = filled(52, 400);
    let before = graph.position();
    graph.consolidate().unwrap();
    let done = graph.log_entries(before, u64::MAX).unwrap();
    let repaired: Vec<_> =
        done.iter().filter(|entry| ["split", "merge"].contains(&entry.operation.as_str())).collect();
    assert!(!repaired.is_empty(), "400 facts give it something to do");
    let mut undone = 0;
    for entry in repaired.iter().rev() {
        let position = graph.position();
        if graph.undo(entry.position).is_ok() {
            undone += 1;
            // A link for each, in the place of one between the same two; the second look must leave it alone, whatever else it finds.
            assert!(graph.links().iter().any(|link| link.position >= position), "{entry:?}");
        }
    }
    assert!(undone > 0);
    check_links(&graph);
    assert!(graph.links().len() >= undone);
    graph.consolidate().unwrap();
    check_links(&graph);
    check_roads(&graph, "undone by hand");
}

/// Links between facts that agree in one field only teach how much that field is worth.
#[test]
fn the_weights_learn_from_links_and_unlearn() {
    let mut graph = filled(53, 300);
    let untaught = Picture::of(&graph).model;
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let pairs: Vec<_> = ids
        .chunks_exact(2)
        .take(20)
        .map(|pair| {
            pair.iter().map(|&id| graph.engine().node(id).unwrap().members[0].clone()).collect::<Vec<_>>()
        })
        .collect();
    let mut positions = Vec::new();
    for pair in &pairs {
        let [left, right] = [&pair[0], &pair[1]];
        let linked = graph.must_link(
            (left.source.as_str(), left.record_id.as_str()),
            (right.source.as_str(), right.record_id.as_str()),
        );
        positions.extend(linked.map(|linked| linked.position).ok());
    }
    assert!(positions.len() > 5);
    assert_ne!(Picture::of(&graph).model, untaught);
    check_links(&graph);
    for &position in positions.iter().rev() {
        graph.undo(position).unwrap();
    }
    assert!(graph.links().is_empty());
    check_roads(&graph, "taught and untaught");
    check_future(graph, &facts(54, 60), "taught and untaught");
}

/// Random links, merges, splits, forgetting and undoing: a link that stands holds, unless the operation was refused.
#[test]
fn whatever_happens_links_hold() {
    for seed in 0..6 {
        let mut graph = filled(60 + seed, 60);
        let mut random = Sequence(seed);
        let mut refused = 0;
        for step in 0..120 {
            let ids: Vec<_> = graph.engine().node_ids().collect();
            let any = |random: &mut Sequence| ids[random.below(ids.len())];
            let mention = |random: &mut Sequence| {
                let members = graph.engine().node(any(random)).unwrap().members;
                members[random.below(members.len())].clone()
            };
            let [one, other] = [mention(&mut random), mention(&mut random)];
            let [left, right] = [&one, &other].map(|of| (of.source.as_str(), of.record_id.as_str()));
            let (kept, merged) = (any(&mut random), any(&mut random));
            let outcome = match random.below(12) {
                0..3 => graph.must_link(left, right).map(drop),
                3..5 => graph.cannot_link(left, right).map(drop),
                5 => {
                    let members = graph.engine().node(kept).unwrap().members;
                    let pair = [&members[0], &members[members.len() - 1]];
                    let [left, right] = pair.map(|of| (of.source.as_str(), of.record_id.as_str()));
                    graph.cannot_link(left, right).map(drop)
                }
                6 => graph.merge(kept, merged).map(drop),
                7 => graph.split(kept, &[one.record_id.as_str()]).map(drop),
                8 => {
                    let record_id = one.record_id.trim_end_matches("#s").trim_end_matches("#o");
                    graph.forget(&Forget::Fact { source: Some(&one.source), record_id }).map(drop)
                }
                9 if step % 3 == 0 => graph.consolidate().map(drop),
                _ => {
                    let back = random.below(40) as u64;
                    graph.undo(graph.position().saturating_sub(1 + back)).map(drop)
                }
            };
            match outcome {
                Err(OperationError::Store(error)) => panic!("{error}"),
                Err(OperationError::Broken) => panic!("broken"),
                outcome => refused += usize::from(outcome.is_err()),
            }
            check_links(&graph);
            if step % 40 == 39 {
                check_roads(&graph, &format!("seed {seed}, step {step}"));
            }
            if step == 80 {
                graph.compact().unwrap();
            }
        }
        assert!(refused < 100, "{refused}");
        check_future(graph, &facts(70 + seed, 30), "random links");
    }
}

/// A record that is forgotten comes back with a node that its links do not allow, as from an import.
#[test]
fn what_is_placed_breaks_no_link_of_its_record() {
    let mut graph = people();
    let must = graph.must_link("a1", "a2").unwrap().position;
    let cannot = graph.cannot_link("b1", "c").unwrap().position;
    let [a, b, c] = ["a2", "b2", "c"].map(|id| node(&graph, id));
    for id in ["a1", "b1"] {
        graph.forget(&Forget::Fact { source: None, record_id: id }).unwrap();
    }
    let hash = graph.state_hash().unwrap();
    let place = |graph: &mut Graph, fact: Fact, node: NodeId| {
        graph.place_facts(vec![(fact, vec![node])], Sync::Durable).unwrap().pop().unwrap()
    };
    let [ada, grace] =
        [person("Ada Lovelace", "213/857-0034", "a1"), person("Grace Hopper", "818/762-1221", "b1")];
    for (fact, node, kind, operation) in
        [(&ada, b, LinkKind::Must, must), (&grace, c, LinkKind::Cannot, cannot)]
    {
        match place(&mut graph, fact.clone(), node).unwrap_err() {
            FactError::Linked { kind: of, operation: since, .. } => {
                assert_eq!((of, since), (kind, operation));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(graph.state_hash().unwrap(), hash);
    // Of another source it is another record.
    place(&mut graph, ada.clone().with_source("s"), b).unwrap();
    place(&mut graph, ada, a).unwrap();
    place(&mut graph, grace, b).unwrap();
    check_links(&graph);
    check_roads(&graph, "placed within links");
}
