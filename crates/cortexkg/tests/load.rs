//! Graphs that are there already, ballots that come from elsewhere, and what goes over the wire.

mod common;

use common::{Table, allocate_all, engine};
use cortexkg::candidates::Candidates;
use cortexkg::{
    AllocationEngine, AllocationResult, Ballot, CommitError, Decision, Explanation, Fact, FactError, Field,
    GraphEdge, GraphNode, KnowledgeGraph, LoadError, NodeId, NodeView, Perceived,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn properties(fields: &[(&str, &str)]) -> Vec<Field> {
    fields.iter().map(|(name, value)| Field { name: (*name).to_owned(), value: (*value).into() }).collect()
}

fn named(id: Option<u64>, alias: &str) -> GraphNode {
    GraphNode { id: id.map(NodeId), aliases: vec![alias.to_owned()], ..GraphNode::default() }
}

fn edge(from: u64, predicate: &str, to: u64) -> GraphEdge {
    GraphEdge { from: NodeId(from), predicate: predicate.to_owned(), to: NodeId(to) }
}

fn restaurants() -> KnowledgeGraph {
    let citrus = GraphNode {
        id: Some(NodeId(10)),
        properties: properties(&[("name", "Citrus"), ("city", "Los Angeles"), ("phone", "213/857-0034")]),
        aliases: vec!["Citrus restaurant".to_owned(), "Citrus of Melrose Avenue".to_owned()],
        embedding: Some(vec![1.0, 0.0, 0.0]),
    };
    let city = GraphNode { embedding: Some(vec![0.0, 1.0, 0.0]), ..named(None, "Los Angeles") };
    KnowledgeGraph {
        nodes: vec![citrus, city, named(Some(20), "Melrose Avenue")],
        edges: vec![edge(10, "located in", 11)],
    }
}

fn loaded() -> AllocationEngine {
    let mut engine = engine();
    engine.load_graph(&restaurants()).expect("a good graph");
    engine
}

#[test]
fn identifiers_are_kept_and_new_ones_are_above() {
    let mut engine = engine();
    let ids = engine.load_graph(&restaurants()).expect("a good graph");
    assert_eq!(ids, [10, 11, 20].map(NodeId));
    assert_eq!(engine.node_ids().collect::<Vec<_>>(), ids);
    let result = engine.allocate_fact(Fact::text("Quantum chromodynamics")).expect("a good fact");
    assert_eq!((result.decision, result.allocated_node), (Decision::New, NodeId(21)));
    let more = KnowledgeGraph {
        nodes: vec![named(None, "Another"), named(Some(90), "More")],
        edges: vec![edge(90, "near", 10)],
    };
    assert_eq!(engine.load_graph(&more), Ok(vec![NodeId(22), NodeId(90)]));
    assert_eq!(engine.edge_count(), 2);
}

#[test]
fn nodes_are_as_they_were_given() {
    let engine = loaded();
    let citrus = engine.node(NodeId(10)).expect("a node");
    let property =
        |name: &str| citrus.properties.iter().find(|(field, ..)| field == name).map(|(_, value, _)| &**value);
    assert_eq!(property("phone"), Some("213/857-0034"));
    assert_eq!(citrus.aliases, ["Citrus restaurant", "Citrus of Melrose Avenue"]);
    let members: Vec<_> = citrus.members.iter().map(|member| &*member.record_id).collect();
    assert_eq!(members, ["graph:n10", "graph:n10/1", "graph:n10/2"]);
    let located = (NodeId(10), "located in".to_owned(), NodeId(11));
    assert_eq!(citrus.edges, std::slice::from_ref(&located));
    assert_eq!(engine.node(NodeId(11)).expect("a node").edges, [located]);
    assert_eq!((engine.node_count(), engine.edge_count(), engine.fact_count()), (3, 1, 5));
    let explanation = engine.explain(None, "graph:n10/2").expect("it can be asked for");
    assert_eq!(explanation.result.decision, Decision::Existing);
    assert_eq!(explanation.result.allocated_node, NodeId(10));
}

#[test]
fn every_alias_is_kept() {
    let aliases: Vec<String> = (b'a'..=b'h')
        .map(|letter| format!("abnormality of the {0}{0}{0} of the eye", letter as char))
        .collect();
    let node = GraphNode { aliases: aliases.clone(), ..GraphNode::default() };
    let mut engine = engine();
    engine
        .load_graph(&KnowledgeGraph { nodes: vec![node, named(None, "something else")], edges: vec![] })
        .expect("a good graph");
    assert_eq!(engine.node(NodeId(0)).expect("a node").aliases, aliases);
    for alias in aliases {
        assert_eq!(
            engine.allocate_fact(Fact::text(&*alias)).expect("a good fact").allocated_node,
            NodeId(0),
            "{alias}"
        );
    }
}

#[test]
fn facts_find_loaded_nodes() {
    let mut engine = loaded();
    let mut node = |fact: Fact| {
        engine
            .allocate_fact(fact)
            .expect("a good fact")
            .mentions()
            .map(|m| m.allocated_node.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(node(Fact::text("citrus of melrose avenue")), [10], "by an alias");
    assert_eq!(node(Fact::record([("name", "citrus"), ("phone", "213-857-0034")])), [10], "by properties");
    assert_eq!(
        node(Fact::triple("Citrus restaurant", "located in", "Los Angeles")),
        [10, 11],
        "by both ends"
    );
    assert_eq!(engine.edge_count(), 1, "the edge was there");
}

#[test]
fn an_embedding_of_a_loaded_node_sets_the_dimension() {
    let mut engine = loaded();
    let error =
        engine.allocate_fact(Fact::text("t").with_embedding(vec![1.0; 4])).expect_err("not three dimensions");
    assert!(matches!(error, FactError::EmbeddingDimension { found: 4, .. }), "{error}");
    let fact = Fact::record([("colour", "green")]).with_embedding(vec![1.0, 0.01, 0.0]).with_id("near");
    engine.allocate_fact(fact).expect("a good fact");
    // How surprising it is to lie near another cannot be told among a handful.
    let explanation = engine.explain(None, "near").expect("ballots are kept");
    let votes = explanation.candidates.iter().flat_map(|candidate| &candidate.votes);
    assert!(votes.clone().all(|vote| vote.column != "semantic"), "{explanation:?}");
}

#[test]
fn loading_is_deterministic_and_goes_through_json() {
    let graph = restaurants();
    let text = serde_json::to_string(&graph).expect("graphs serialise");
    assert_eq!(serde_json::from_str::<KnowledgeGraph>(&text).expect("and come back"), graph);
    let mut again = engine();
    again.load_graph(&serde_json::from_str(&text).expect("the same")).expect("a good graph");
    assert_eq!(again.state_hash(), loaded().state_hash());
    let least: KnowledgeGraph =
        serde_json::from_str(r#"{"nodes": [{"aliases": ["x"]}]}"#).expect("what is absent is empty");
    assert_eq!(engine().load_graph(&least), Ok(vec![NodeId(0)]));
    assert_eq!(engine().load_graph(&KnowledgeGraph::default()), Ok(vec![]));
}

#[test]
fn a_large_graph_is_learned_from_like_a_stream() {
    let table = Table::records("fodors-zagats");
    let node = |row: &Vec<String>| {
        let fields = table.header.iter().zip(row).skip(1).filter(|(_, value)| !value.is_empty());
        let properties =
            fields.map(|(name, value)| Field { name: name.clone(), value: (&**value).into() }).collect();
        GraphNode { properties, ..GraphNode::default() }
    };
    // The first guide is loaded, the second streams in: 112 restaurants stand in both.
    let (first, second) = (&table.rows[..533], table.facts().split_off(533));
    let mut engine = engine();
    engine
        .load_graph(&KnowledgeGraph { nodes: first.iter().map(node).collect(), edges: vec![] })
        .expect("a good graph");
    assert_eq!(engine.node_count(), 533);
    let results = allocate_all(&mut engine, second);
    let found = results.iter().filter(|result| result.allocated_node.0 < 533).count();
    assert!((90..=135).contains(&found), "{found} found in the loaded graph");
}

/// Graphs that cannot be loaded into [`loaded`], and what the error says.
fn bad_graphs() -> Vec<(KnowledgeGraph, &'static str)> {
    let nodes = |nodes: Vec<GraphNode>| KnowledgeGraph { nodes, edges: vec![] };
    let with = |change: &dyn Fn(&mut GraphNode)| {
        let mut node = named(None, "bad");
        change(&mut node);
        nodes(vec![named(None, "good"), node])
    };
    let long = "x".repeat(70_000);
    let good = || vec![named(None, "good"), named(None, "as good")];
    vec![
        (nodes(vec![named(Some(20), "taken")]), "node n20: identifiers must rise"),
        (nodes(vec![named(Some(12), "free, but below")]), "node n12: identifiers must rise"),
        (nodes(vec![named(Some(30), "a"), named(Some(30), "b")]), "node n30: identifiers must rise"),
        (nodes(vec![named(Some(30), "a"), named(Some(29), "b")]), "node n29: identifiers must rise"),
        (nodes(vec![named(Some(1 << 48), "a")]), "node n281474976710656: identifiers must rise"),
        (nodes(vec![named(Some(u64::MAX), "a")]), "identifiers must rise"),
        (nodes(vec![named(Some(NodeId::MAX.0), "a"), named(None, "b")]), "identifiers must rise"),
        (with(&|node| node.aliases.clear()), "node n22: has neither properties nor aliases"),
        (with(&|node| node.aliases.push(" ".into())), "node n22: record graph:n22/2, field text: is empty"),
        (with(&|node| node.aliases[0].clone_from(&long)), "70000 bytes"),
        (with(&|node| node.aliases[0].push('\0')), "NUL"),
        (with(&|node| node.properties = properties(&[("a", " ")])), "no field has a value"),
        (with(&|node| node.properties = properties(&[("a", "1"), ("a", "2")])), "stands twice"),
        (with(&|node| node.properties = properties(&[("", "1")])), "has no name"),
        (with(&|node| node.embedding = Some(vec![1.0; 4])), "4 dimensions, expected 3"),
        (with(&|node| node.embedding = Some(vec![])), "0 dimensions"),
        (with(&|node| node.embedding = Some(vec![f32::NAN, 0.0, 0.0])), "must be finite"),
        (with(&|node| node.embedding = Some(vec![0.0; 3])), "no direction"),
        (
            KnowledgeGraph { nodes: good(), edges: vec![edge(21, "near", 22), edge(22, "near", 23)] },
            "edge 1: node n23",
        ),
        (KnowledgeGraph { nodes: good(), edges: vec![edge(0, "near", 21)] }, "edge 0: node n0"),
    ]
}

#[test]
fn a_graph_that_cannot_be_loaded_leaves_the_engine_as_it_was() {
    let mut engine = loaded();
    let before = engine.state_hash();
    for (at, (graph, said)) in bad_graphs().into_iter().enumerate() {
        let error = engine.load_graph(&graph).expect_err("a bad graph").to_string();
        assert!(error.contains(said), "{at}: {error}");
        assert_eq!(engine.state_hash(), before, "{at}: {error}");
    }
    engine
        .load_graph(&KnowledgeGraph { nodes: vec![named(Some(21), "good")], edges: vec![] })
        .expect("a good graph");
}

#[test]
fn two_dimensions_in_one_graph_are_refused() {
    let mut engine = engine();
    let with = |dimension: usize| GraphNode { embedding: Some(vec![1.0; dimension]), ..named(None, "n") };
    let before = engine.state_hash();
    let error = engine.load_graph(&KnowledgeGraph { nodes: vec![with(3), with(4)], edges: vec![] });
    assert!(
        matches!(
            error,
            Err(LoadError::Node { node: NodeId(1), source: FactError::EmbeddingDimension { .. } })
        ),
        "{error:?}"
    );
    assert_eq!(engine.state_hash(), before);
    engine.allocate_fact(Fact::text("t").with_embedding(vec![1.0; 5])).expect("no dimension has been set");
}

#[test]
fn a_name_that_a_fact_has_taken_is_found_before_anything_is_loaded() {
    let mut engine = engine();
    engine.allocate_fact(Fact::text("in the way").with_id("graph:n2")).expect("a good fact");
    let before = engine.state_hash();
    let graph = KnowledgeGraph {
        nodes: ["a", "b"]
            .map(|name| GraphNode { properties: properties(&[("name", name)]), ..GraphNode::default() })
            .into(),
        edges: vec![],
    };
    // Nodes 1 and 2: either both are loaded, or none.
    if engine.load_graph(&graph).is_err() {
        assert_eq!(engine.state_hash(), before);
    }
}

#[test]
fn too_many_fields_are_found_before_anything_is_loaded() {
    let mut engine = engine();
    let before = engine.state_hash();
    let node = |at: usize| {
        let fields = (0..200).map(|field| Field { name: format!("f{at} {field}"), value: "x".into() });
        GraphNode { properties: fields.collect(), ..GraphNode::default() }
    };
    let error = engine.load_graph(&KnowledgeGraph { nodes: (0..3).map(node).collect(), edges: vec![] });
    assert!(
        matches!(error, Err(LoadError::Node { source: FactError::TooManyFields { .. }, .. })),
        "{error:?}"
    );
    assert_eq!(engine.state_hash(), before);
}

#[test]
fn a_predicate_is_held_to_the_bounds_of_a_triple() {
    for predicate in [String::new(), " ".to_owned(), "a\0b".to_owned(), "x".repeat(513)] {
        let graph = KnowledgeGraph { nodes: vec![named(None, "a")], edges: vec![edge(0, &predicate, 0)] };
        assert!(engine().load_graph(&graph).is_err(), "{predicate:?}");
    }
}

#[test]
fn no_identifier_is_given_beyond_the_last() {
    let mut engine = engine();
    let graph = KnowledgeGraph { nodes: vec![named(Some(NodeId::MAX.0), "the last")], edges: vec![] };
    engine.load_graph(&graph).expect("it is in range");
    if let Ok(result) = engine.allocate_fact(Fact::text("one more")) {
        assert!(result.allocated_node <= NodeId::MAX, "{}", result.allocated_node);
    }
}

fn perceived(engine: &AllocationEngine, fact: Fact) -> Perceived {
    engine.perceive(fact).expect("a good fact")
}

fn decided(engine: &mut AllocationEngine, perceived: &Perceived) -> Ballot {
    let candidates = engine.recall(perceived, 0);
    engine.decide(perceived, 0, &candidates)
}

#[test]
fn ballots_that_do_not_fit_are_refused() {
    let mut engine = loaded();
    let one = perceived(&engine, Fact::text("Citrus restaurant"));
    let two = perceived(&engine, Fact::triple("Citrus restaurant", "near", "Melrose Avenue"));
    let ballot = decided(&mut engine, &one);
    let before = engine.state_hash();
    let ballots = |expected, found| Err(CommitError::Ballots { expected, found });
    assert_eq!(engine.commit(&one, vec![]), ballots(1, 0));
    assert_eq!(engine.commit(&one, vec![ballot.clone(), ballot.clone()]), ballots(1, 2));
    assert_eq!(engine.commit(&two, vec![ballot.clone()]), ballots(2, 1));
    let mut foreign = ballot.clone();
    foreign.competitors[0].node = NodeId(4711);
    assert_eq!(engine.commit(&one, vec![foreign]), Err(CommitError::UnknownNode { node: NodeId(4711) }));
    let (now, mut stale) = (ballot.table_version, ballot.clone());
    stale.table_version += 1;
    assert_eq!(engine.commit(&one, vec![stale]), Err(CommitError::Stale { ballot: now + 1, now }));
    assert_eq!(engine.state_hash(), before);
    let result = engine.commit(&one, vec![ballot]).expect("the ballot itself fits");
    assert_eq!(result.allocated_node, NodeId(10));
}

#[test]
fn a_ballot_grows_stale_when_the_tables_move_on() {
    let mut engine = engine();
    let fact = perceived(&engine, Fact::text("waiting").with_id("w"));
    let ballot = decided(&mut engine, &fact);
    allocate_all(&mut engine, (0..20).map(|at| Fact::text(format!("text {at}"))).collect());
    let before = engine.state_hash();
    let error =
        engine.commit(&fact, vec![ballot]).expect_err("the tables were refreshed at the 16th mention");
    assert!(matches!(error, CommitError::Stale { ballot: 0, now: 1.. }), "{error}");
    assert_eq!(engine.state_hash(), before);
    let ballot = decided(&mut engine, &fact);
    engine.commit(&fact, vec![ballot]).expect("a new ballot");
}

#[test]
fn a_ballot_for_an_existing_node_must_name_it() {
    let mut engine = loaded();
    let fact = perceived(&engine, Fact::text("Citrus restaurant"));
    let mut ballot = decided(&mut engine, &fact);
    assert_eq!(ballot.decision, Decision::Existing);
    ballot.competitors.clear();
    let nodes = engine.node_count();
    if let Ok(result) = engine.commit(&fact, vec![ballot]) {
        assert_eq!(result.decision == Decision::Existing, engine.node_count() == nodes, "{result:?}");
    }
}

#[test]
fn a_damaged_ballot_is_refused_or_can_be_explained() {
    let mut engine = loaded();
    let fact = perceived(&engine, Fact::text("Citrus restaurant").with_id("c"));
    let mut ballot = decided(&mut engine, &fact);
    for vote in &mut ballot.competitors[0].votes {
        (vote.field, vote.nearest) = (500, Some(1 << 30));
    }
    if engine.commit(&fact, vec![ballot]).is_ok() {
        assert!(engine.explain(None, "c").is_some());
    }
}

#[test]
fn candidates_that_are_not_in_the_graph_are_passed_over() {
    let mut engine = loaded();
    let fact = perceived(&engine, Fact::text("Citrus restaurant"));
    let mut candidates = engine.recall(&fact, 0);
    let known = engine.decide(&fact, 0, &candidates);
    let mut foreign = candidates.candidates[0];
    foreign.node = NodeId(4711);
    candidates.candidates.insert(0, foreign);
    assert_eq!(engine.decide(&fact, 0, &candidates), known);
    candidates.candidates.clear();
    assert_eq!(engine.decide(&fact, 0, &candidates).decision, Decision::New);
}

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it serialises");
    assert_eq!(serde_json::from_str::<T>(&text).expect("it comes back"), *value);
}

#[test]
fn everything_that_leaves_the_engine_comes_back_equal() {
    let mut engine = loaded();
    let mut facts = Table::records("fodors-zagats").facts();
    facts.truncate(150);
    facts.push(Fact::triple("Citrus restaurant", "near", "Melrose Avenue").with_id("t").with_confidence(0.3));
    facts.push(Fact::text("citrus").with_embedding(vec![0.1, 0.2, 0.3]).with_time_s(-7).with_source("s"));
    facts.push(Fact::record([("tags", vec!["a".to_owned(), "b".to_owned()])]));
    for fact in facts {
        round_trip::<Fact>(&fact);
        let source = fact.source.clone();
        let perceived = perceived(&engine, fact.clone());
        let candidates = engine.recall(&perceived, 0);
        round_trip::<Candidates>(&candidates);
        round_trip::<Ballot>(&engine.decide(&perceived, 0, &candidates));
        let result = engine.allocate_fact(fact).expect("a good fact");
        round_trip::<AllocationResult>(&result);
        for mention in result.mentions() {
            let explanation =
                engine.explain(source.as_deref(), &mention.record_id).expect("ballots are kept");
            round_trip::<Explanation>(&explanation);
            round_trip::<NodeView>(&engine.node(mention.allocated_node).expect("a node"));
        }
    }
    engine.exceptions().for_each(|exception| round_trip(&exception));
}
