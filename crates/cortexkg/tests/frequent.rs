//! What is spoken of often stays one node: frequency of a thing is not commonness of its name.

mod common;

use common::choice;
use cortexkg::{AllocationEngine, Decision, EngineConfig, Fact, NodeId};

fn stranger(seed: u64) -> [(&'static str, String); 3] {
    let letters: String = (0..7).map(|at| (b'a' + choice(seed * 31 + at, 16) as u8) as char).collect();
    let city = ["Berlin", "Hamburg", "Paris", "Rome"][choice(seed, 4)];
    let phone = format!("{:010}", (seed * 7_919 + 1_000_003) * 104_729 % 10_000_000_000);
    [("name", format!("{letters} {seed}x")), ("city", city.to_owned()), ("phone", phone)]
}

#[test]
fn a_record_that_comes_every_few_facts_is_one_node() {
    for every in [2, 5, 10] {
        let mut engine = AllocationEngine::new(EngineConfig::default());
        let mut nodes: Vec<NodeId> = Vec::new();
        for position in 0..2000u64 {
            let fields = if position % every == 0 {
                [
                    ("name", "John Doe".to_owned()),
                    ("city", "Berlin".to_owned()),
                    ("phone", "030-1234567".to_owned()),
                ]
            } else {
                stranger(position)
            };
            let result = engine.allocate_fact(Fact::record(fields)).expect("taken");
            if position % every == 0 {
                nodes.push(result.allocated_node);
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        assert_eq!(nodes.len(), 1, "every {every}th fact is the same record");
    }
}

#[test]
fn nothing_but_one_record_is_one_node() {
    let mut engine = AllocationEngine::new(EngineConfig::default());
    for position in 0..3000 {
        let fields = [("name", "John Doe"), ("city", "Berlin"), ("phone", "030-1234567")];
        let result = engine.allocate_fact(Fact::record(fields)).expect("taken");
        assert_eq!(result.decision == Decision::New, position == 0, "fact {position}");
    }
    assert_eq!(engine.node_count(), 1);
}

#[test]
fn names_that_come_with_a_category_of_chance_are_not_strewn() {
    let mut engine = AllocationEngine::new(EngineConfig::default());
    let (mut nodes, mut of_names) = (Vec::new(), std::collections::BTreeMap::new());
    for position in 0..1_500u64 {
        // Each once, before any comes again.
        let name = if position < 64 { position } else { choice(position, 64) as u64 };
        let kind = ["new", "old", "used"][choice(position + 1_000_000, 3)];
        let fields = [("name", stranger(name)[0].1.clone()), ("kind", kind.to_owned())];
        let node = engine.allocate_fact(Fact::record(fields)).expect("taken").allocated_node;
        nodes.push(node);
        of_names.entry(node).or_insert_with(std::collections::BTreeSet::new).insert(name);
    }
    assert!(of_names.values().all(|names| names.len() == 1), "no two names are one");
    nodes.sort_unstable();
    nodes.dedup();
    assert!(nodes.len() <= 70, "{} nodes for 64 names", nodes.len());
}
