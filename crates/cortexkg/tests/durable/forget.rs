//! Forgetting, and remembering again.

use cortexkg::{Fact, FieldValue, Forget};

use crate::common::picture::{Picture, check_future, check_roads, empty, filled, take_in};
use crate::common::stream::{SOURCES, facts};

#[test]
fn a_forgotten_fact_leaves_no_trace_in_the_graph() {
    let mut graph = filled(40, 80);
    let before = Picture::of(&graph);
    take_in(
        &mut graph,
        vec![
            Fact::record([("name", "Sophie Wilson"), ("machine", "Acorn Micro")])
                .with_id("x")
                .with_source("new"),
            Fact::triple("Sophie Wilson", "designed", "ARM").with_id("y").with_source("new"),
        ],
    );
    graph.forget(&Forget::Source("new")).unwrap();
    let after = Picture::of(&graph);
    assert_eq!(after.nodes, before.nodes);
    assert_eq!(after.counts, before.counts);
    for field in &after.model {
        let known = before.model.iter().find(|known| known.name == field.name);
        let expected = known.map_or((0, 0), |known| (known.present, known.distinct));
        assert_eq!((field.present, field.distinct), expected, "{}", field.name);
    }
    assert_eq!(graph.find(Some("new"), "x").unwrap(), None);
    check_future(graph, &facts(41, 60), "forgotten");
}

#[test]
fn every_source_in_turn() {
    let mut graph = filled(42, 150);
    for source in SOURCES {
        let before = Picture::of(&graph);
        let (forget, count) = graph.forget(&Forget::Source(source)).unwrap();
        assert_eq!(graph.engine().fact_count() + count, before.counts.2);
        check_roads(&graph, source);
        graph.undo(forget).unwrap();
        assert_eq!(Picture::of(&graph).content(), before.content(), "{source}");
        check_roads(&graph, source);
    }
}

#[test]
fn every_node_in_turn() {
    let mut graph = filled(43, 80);
    let ids: Vec<_> = graph.engine().node_ids().collect();
    for id in ids {
        let before = Picture::of(&graph);
        let (forget, _) = graph.forget(&Forget::Node(id)).unwrap();
        assert_eq!(graph.engine().node(id), None);
        graph.undo(forget).unwrap();
        let after = Picture::of(&graph);
        assert_eq!(after.content(), before.content(), "{id}");
        assert_eq!(after.counts, before.counts);
        assert_eq!(after.exceptions, before.exceptions);
    }
    check_roads(&graph, "every node");
}

/// Vectors are not shown, but they vote: the same question gets the same answer.
#[test]
fn vectors_come_back() {
    let direction = |number: usize| {
        (0..16).map(|at| ((number * 31 + at * 17) * 7919 % 199) as f32 - 99.0).collect::<Vec<_>>()
    };
    let mut graph = empty();
    let fact = |at: usize| {
        let fact = Fact::record([("name", format!("thing {}", at * 7919 % 1009))]).with_id(format!("v{at}"));
        fact.with_embedding(direction(at))
    };
    take_in(&mut graph, (0..400).map(fact).collect());
    let ids: Vec<_> = graph.engine().node_ids().collect();
    let weigh = |graph: &mut cortexkg::DurableEngine<_>| {
        let semantic = |id: &cortexkg::NodeId| {
            let today = graph.why_not(None, "v399", *id).unwrap().today;
            let votes = today.map_or(Vec::new(), |today| today.votes);
            votes
                .into_iter()
                .filter(|vote| vote.column == "semantic")
                .map(|vote| vote.reason)
                .collect::<Vec<_>>()
        };
        ids.iter().map(semantic).collect::<Vec<_>>()
    };
    let before = weigh(&mut graph);
    assert!(before.iter().flatten().count() > 10, "{before:?}");
    for id in [ids[0], ids[3], ids[7]] {
        let (forget, _) = graph.forget(&Forget::Node(id)).unwrap();
        graph.undo(forget).unwrap();
        assert_eq!(weigh(&mut graph), before);
    }
    let [a, b] = [ids[1], ids[2]];
    graph.merge(a, b).unwrap();
    graph.unmerge(b).unwrap();
    assert_eq!(weigh(&mut graph), before);
    check_future(graph, &(400..430).map(fact).collect::<Vec<_>>(), "vectors");
}

#[test]
fn the_first_vector_is_forgotten() {
    let mut graph = empty();
    let text = |text: &str, id: &str| Fact::text(text).with_id(id);
    take_in(
        &mut graph,
        vec![text("words alone", "a"), text("with a vector", "b").with_embedding(vec![1.0, 2.0, 3.0])],
    );
    let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id: "b" }).unwrap();
    check_roads(&graph, "forgotten");
    graph.undo(forget).unwrap();
    graph.forget(&Forget::Fact { source: None, record_id: "b" }).unwrap();
    graph.compact().unwrap();
    check_roads(&graph, "compacted");
    let other = text("another space", "c").with_embedding(vec![0.5; 5]);
    check_future(graph, &[other, text("words again", "d")], "another space");
}

#[test]
fn identifiers_are_free_again() {
    let mut graph = empty();
    let fact = |name: &str| Fact::record([("name", name)]).with_id("r");
    for turn in 0..20 {
        let result = take_in(&mut graph, vec![fact(&format!("name {turn}"))]);
        assert!(!result[0].repeated);
        assert_eq!(graph.find(None, "r").unwrap().unwrap().log_position, result[0].log_position);
        graph.forget(&Forget::Fact { source: None, record_id: "r" }).unwrap();
        assert_eq!(graph.find(None, "r").unwrap(), None);
    }
    check_roads(&graph, "twenty times");
    graph.compact().unwrap();
    check_roads(&graph, "compacted");
}

#[test]
fn values_of_every_shape_come_back() {
    let mut graph = filled(44, 30);
    let list = FieldValue::from(vec!["red".to_owned(), "green".into(), "blue".into()]);
    let facts = vec![
        Fact::record([("colours", list), ("born", "1815-12-10".into()), ("weight", "17.5".into())])
            .with_id("p"),
        Fact::record([("colours", "green; red"), ("born", "10/12/1815"), ("weight", "17.50")]).with_id("q"),
        Fact::record([("Name", "ÅNGSTRÖM  Anders"), ("name", "a second field of nearly that name")])
            .with_id("r"),
    ];
    take_in(&mut graph, facts);
    let before = Picture::of(&graph);
    for record_id in ["p", "q", "r"] {
        let (forget, _) = graph.forget(&Forget::Fact { source: None, record_id }).unwrap();
        check_roads(&graph, record_id);
        graph.undo(forget).unwrap();
        assert_eq!(Picture::of(&graph).content(), before.content(), "{record_id}");
    }
}

/// More facts than are held in memory at once while they go and come back.
#[test]
fn a_source_of_many_facts() {
    let mut graph = empty();
    let all: Vec<_> = facts(45, 1300).into_iter().map(|fact| fact.with_source("all")).collect();
    take_in(&mut graph, all);
    take_in(&mut graph, facts(46, 100));
    let before = Picture::of(&graph);
    let (forget, count) = graph.forget(&Forget::Source("all")).unwrap();
    assert_eq!((count, graph.engine().fact_count()), (1300, 100));
    graph.undo(forget).unwrap();
    assert_eq!(Picture::of(&graph).content(), before.content());
    check_roads(&graph, "many facts");
}

#[test]
fn what_was_forgotten_is_not_shown_by_others() {
    let named = |id: &str, name: &str| Fact::record([("name", name)]).with_id(id).with_source("s");
    let mut graph = empty();
    let results = take_in(&mut graph, vec![named("a", "Zoë Müller"), named("b", "zoe  MULLER")]);
    let node = results[1].allocated_node;
    assert_eq!(results[0].allocated_node, node);
    assert_eq!(graph.engine().node(node).unwrap().label, "Zoë Müller");
    let fact = |record_id| Forget::Fact { source: Some("s"), record_id };
    let (position, _) = graph.forget(&fact("a")).unwrap();
    assert_eq!(
        graph.engine().node(node).unwrap().label,
        "zoe  MULLER",
        "as the member that is left wrote it"
    );
    graph.undo(position).unwrap();
    // Where no member is left that is known to have it, it is shown in normal form.
    let elsewhere =
        Fact::record([("name", "zoe MULLER"), ("born", "1901-02-03")]).with_id("c").with_source("s");
    take_in(&mut graph, vec![elsewhere]);
    graph.forget(&fact("b")).unwrap();
    assert_ne!(graph.engine().node(node).unwrap().label, "zoe  MULLER");
    check_roads(&graph, "surfaces");
}
