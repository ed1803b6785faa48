//! Embeddings that facts bring, and embedders of one's own.

mod common;

use common::{allocate, engine};
use cortexkg::{AllocationEngine, EngineConfig, Fact};

/// A direction of its own for every number.
fn direction(number: usize) -> Vec<f32> {
    (0..16).map(|at| ((number * 31 + at * 17) * 7919 % 199) as f32 - 99.0).collect()
}

#[test]
fn the_vector_speaks_where_words_do_not() {
    let mut engine = engine();
    for number in 0..300 {
        let fact = Fact::record([("name", format!("thing {}", number * 7919 % 1009))]);
        allocate(&mut engine, fact.with_embedding(direction(number)));
    }
    let fact = || Fact::record([("name", "thing 1008")]);
    let without = allocate(&mut engine, fact());
    let with = allocate(&mut engine, fact().with_embedding(direction(3)));
    let explanation = engine.explain(None, &with.record_id).expect("ballots are kept");
    assert!(explanation.candidates.iter().any(|candidate| candidate.origins.contains(&"vector".to_owned())));
    assert!(
        explanation
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.votes)
            .any(|vote| vote.column == "semantic")
    );
    let explanation = engine.explain(None, &without.record_id).expect("ballots are kept");
    assert!(
        explanation
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.votes)
            .all(|vote| vote.column != "semantic")
    );
}

#[test]
fn the_first_given_embedding_fixes_the_dimension() {
    let mut engine = engine();
    allocate(&mut engine, Fact::text("no embedding yet"));
    allocate(&mut engine, Fact::text("three dimensions").with_embedding(vec![1.0, 0.0, 0.0]));
    allocate(&mut engine, Fact::text("none again"));
    let before = engine.state_hash();
    let error = engine.allocate_fact(Fact::text("four").with_id("f").with_embedding(vec![1.0; 4]));
    let text = error.expect_err("another dimension").to_string();
    assert!(
        text.contains("record f") && text.contains("embedding") && text.contains('3') && text.contains('4'),
        "{text}"
    );
    assert_eq!(engine.state_hash(), before);
    allocate(&mut engine, Fact::text("four").with_id("f").with_embedding(vec![1.0; 3]));
}

#[test]
fn a_refused_fact_fixes_no_dimension() {
    let mut engine = engine();
    allocate(&mut engine, Fact::text("one").with_id("a"));
    engine
        .allocate_fact(Fact::text("two").with_id("a").with_embedding(vec![1.0; 4]))
        .expect_err("the same id");
    engine.allocate_fact(Fact::text(" ").with_embedding(vec![1.0; 5])).expect_err("no text");
    allocate(&mut engine, Fact::text("three").with_embedding(vec![1.0; 3]));
}

#[test]
fn the_length_of_a_vector_says_nothing() {
    for scale in [1e-42, 1e-30, 1.0, 1e30, 3e36] {
        let mut engine = engine();
        // Vectors say nothing before it is known what is near by chance.
        for number in 6..330 {
            let fact = Fact::record([("size", format!("{number}"))]);
            allocate(&mut engine, fact.with_embedding(direction(number)));
        }
        let scaled: Vec<f32> = direction(5).into_iter().map(|value| value * scale).collect();
        allocate(&mut engine, Fact::record([("kind", "seen")]).with_embedding(direction(5)));
        let again = allocate(&mut engine, Fact::record([("colour", "green")]).with_embedding(scaled));
        let explanation = engine.explain(None, &again.record_id).expect("ballots are kept");
        let reasons: Vec<_> = explanation.candidates.iter().flat_map(|candidate| &candidate.votes).collect();
        assert!(
            reasons.iter().any(|vote| vote.column == "semantic" && vote.bits > 0.0),
            "{scale}: {reasons:?}"
        );
    }
}

#[test]
fn one_dimension_and_the_most_are_taken() {
    for dimension in [1, cortexkg::fact::limits::EMBEDDING_DIMENSION_MAX] {
        let mut engine = engine();
        let fact = |text: &str, value: f32| Fact::text(text).with_embedding(vec![value; dimension]);
        let first = allocate(&mut engine, fact("one", -0.5));
        assert_ne!(allocate(&mut engine, fact("other", 0.5)).allocated_node, first.allocated_node);
        assert_eq!(allocate(&mut engine, fact("one", -2.0)).allocated_node, first.allocated_node);
    }
}

#[derive(Debug)]
struct Constant(f32);

impl cortexkg::embed::Embedder for Constant {
    fn dimension(&self) -> usize {
        4
    }
    fn embed(&self, text: &str, out: &mut [f32]) -> Result<(), cortexkg::embed::EmbedError> {
        out[0] = self.0;
        out[1] = text.len() as f32 * self.0;
        Ok(())
    }
}

#[test]
fn an_embedder_of_ones_own_sets_the_dimension() {
    let config = EngineConfig { embedder: std::sync::Arc::new(Constant(1.0)), ..EngineConfig::default() };
    let mut engine = AllocationEngine::new(config);
    allocate(&mut engine, Fact::text("seven words"));
    engine
        .allocate_fact(Fact::text("a").with_embedding(vec![1.0; 5]))
        .expect_err("not the embedder's dimension");
    allocate(&mut engine, Fact::text("b").with_embedding(vec![1.0; 4]));
}

#[test]
fn an_embedder_that_knows_nothing_does_no_harm() {
    for value in [0.0, f32::NAN, f32::INFINITY] {
        let config =
            EngineConfig { embedder: std::sync::Arc::new(Constant(value)), ..EngineConfig::default() };
        let mut engine = AllocationEngine::new(config);
        let first = allocate(&mut engine, Fact::text("seven words"));
        assert_eq!(allocate(&mut engine, Fact::text("seven words")).allocated_node, first.allocated_node);
    }
}

#[test]
fn the_nearest_nodes_are_those_that_an_exhaustive_look_finds() {
    let mut engine = engine();
    assert!(engine.search_near(&direction(1), 5).expect("no vectors yet").is_empty());
    let mut nodes = Vec::new();
    for number in 0..300 {
        let fact = Fact::record([("name", format!("thing {}", number * 7919 % 1009))]);
        nodes.push(allocate(&mut engine, fact.with_embedding(direction(number))).allocated_node);
    }
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let asked: Vec<f32> = direction(7).iter().zip(direction(8)).map(|(a, b)| a + 0.2 * b).collect();
    let hits = engine.search_near(&asked, 10).expect("a good vector");
    assert_eq!(hits.len(), 10);
    assert!(hits.is_sorted_by(|a, b| a.cosine >= b.cosine));
    // Nodes of several members stand at their mean; all others where their only member is.
    let alone = |number: &usize| nodes.iter().filter(|node| **node == nodes[*number]).count() == 1;
    for number in (0..300).filter(alone) {
        let exact = cosine(&asked, &direction(number));
        match hits.iter().find(|hit| hit.node == nodes[number]) {
            Some(hit) => assert!((hit.cosine - exact).abs() < 0.01, "{number}: {} {exact}", hit.cosine),
            None => assert!(exact <= hits[9].cosine + 0.01, "{number}: {exact}"),
        }
    }
    for bad in [vec![1.0; 3], vec![0.0; 16], vec![f32::NAN; 16], Vec::new()] {
        assert!(engine.search_near(&bad, 10).is_err(), "{bad:?}");
    }
}
