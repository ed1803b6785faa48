//! The whole path on the data sets that ship with the repository: one configuration, one pass in file order, no labels.

mod common;

use std::collections::{HashMap, HashSet};

use common::score::{Score, consolidated};
use common::{Sequence, Table, allocate_all, engine};
use cortexkg::fact::limits;
use cortexkg::{AllocationResult, Decision, Fact, NodeId};

/// Least pairwise F1 on every set, as decided, one after the other.
const FLOORS: [(&str, f64); 3] = [("febrl1", 0.99), ("febrl3", 0.99), ("fodors-zagats", 0.85)];
/// The same after consolidation.
const CONSOLIDATED_FLOORS: [(&str, f64); 3] = [("febrl1", 0.998), ("febrl3", 0.998), ("fodors-zagats", 0.91)];
/// Most candidates that the default configuration lets compete.
const CANDIDATES_MAX: u32 = 64;

/// The true cluster of every row of `records.csv`.
fn truth(set: &str, table: &Table) -> Vec<String> {
    let clusters = Table::read(&format!("{set}/clusters.csv"));
    let of: HashMap<_, _> = clusters.rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    table.rows.iter().map(|row| of[&row[0]].clone()).collect()
}

fn nodes(facts: Vec<Fact>) -> Vec<NodeId> {
    allocate_all(&mut engine(), facts).into_iter().map(|result| result.allocated_node).collect()
}

fn score(set: &str, facts: Vec<Fact>) -> Score {
    let truth = truth(set, &Table::records(set));
    Score::of(&nodes(facts), &truth.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_partition_is_scored_by_the_definitions() {
    let nodes = [1, 1, 1, 2, 2, 3].map(NodeId);
    let score = Score::of(&nodes, &["a", "a", "b", "b", "b", "c"]);
    // Pairs together: 3 + 1 = 4; truly together: 1 + 3 = 4; both: (a, a) and (b, b) = 2.
    assert_eq!(score.pairs, [0.5, 0.5, 0.5]);
    // Precision: (4 + 1) / 3 + 4 / 2 + 1; recall: 4 / 2 + (1 + 4) / 3 + 1; of six records.
    let expected = (5.0 / 3.0 + 2.0 + 1.0) / 6.0;
    assert!(score.b_cubed.iter().all(|share| (share - expected).abs() < 1e-12), "{score:?}");
    let alone = Score::of(&[1, 2].map(NodeId), &["a", "b"]);
    assert_eq!((alone.pairs, alone.b_cubed), ([1.0; 3], [1.0; 3]));
}

#[test]
fn decisions_reach_the_floors_of_quality() {
    for (set, floor) in FLOORS {
        let score = score(set, Table::records(set).facts());
        println!("{set}: {score:.4?}");
        assert!(score.pairs[2] >= floor, "{set}: {score:?}");
        // B-cubed forgives a wrong merge of large clusters less than a lone record: never below the pairs' floor here.
        assert!(score.b_cubed[2] >= floor, "{set}: {score:?}");
    }
}

/// In the order of the file and in others, which must not matter much.
#[test]
fn consolidation_reaches_the_floors_of_quality_in_any_order() {
    for (set, floor) in CONSOLIDATED_FLOORS {
        let table = Table::records(set);
        let truth = truth(set, &table);
        for seed in 0..4 {
            let order = if seed == 0 {
                (0..table.rows.len()).collect()
            } else {
                Sequence(seed).shuffled(0, table.rows.len())
            };
            let facts = table.facts();
            let nodes = consolidated(order.iter().map(|&at| facts[at].clone()).collect());
            let truth: Vec<&str> = order.iter().map(|&at| truth[at].as_str()).collect();
            let score = Score::of(&nodes, &truth);
            println!("{set}, order {seed}: {score:.4?}");
            assert!(score.pairs[2] >= floor, "{set}, order {seed}: {score:?}");
        }
    }
}

#[test]
fn an_identifier_is_never_evidence() {
    for set in ["febrl1", "fodors-zagats"] {
        let table = Table::records(set);
        let expected = nodes(table.facts());
        let renamed = |name: &dyn Fn(usize) -> String| {
            let facts = table.facts().into_iter().enumerate();
            nodes(facts.map(|(at, fact)| fact.with_id(name(at))).collect())
        };
        assert_eq!(renamed(&|at| format!("{}", 1_000_000 - at)), expected, "{set}");
        assert_eq!(renamed(&|at| format!("{} {at}", table.rows[at][1])), expected, "{set}: as a value");
        // Neighbours share the longest prefix, which must not bring them together.
        assert_eq!(renamed(&|at| format!("american los angeles {}", at)), expected, "{set}");
    }
}

#[test]
fn identifiers_are_no_evidence_even_if_the_engine_makes_them() {
    let table = Table::records("fodors-zagats");
    let mut unnamed = table.facts();
    unnamed.iter_mut().for_each(|fact| fact.record_id = None);
    assert_eq!(nodes(unnamed), nodes(table.facts()));
}

#[test]
fn the_order_of_columns_hardly_matters() {
    for (set, floor) in FLOORS {
        let table = Table::records(set);
        for seed in 1..=2 {
            let order = Sequence(seed).shuffled(1, table.header.len());
            let score = score(set, table.rearranged(&order, str::to_owned).facts());
            assert!(score.pairs[2] >= floor, "{set}, columns {order:?}: {score:?}");
        }
    }
}

#[test]
fn the_names_of_columns_hardly_matter() {
    for (set, floor) in FLOORS {
        let table = Table::records(set);
        let order: Vec<_> = (1..table.header.len()).collect();
        let positions: HashMap<_, _> =
            table.header.iter().zip(0..).map(|(name, at)| (name.clone(), at)).collect();
        let names: [&dyn Fn(&str) -> String; 3] =
            [&|name| format!("column {}", positions[name]), &|name| name.chars().rev().collect(), &|name| {
                format!("名前-{}", name.to_uppercase())
            }];
        for rename in names {
            let score = score(set, table.rearranged(&order, rename).facts());
            assert!(score.pairs[2] >= floor, "{set}, as {}: {score:?}", rename(&table.header[1]));
        }
    }
}

#[test]
fn results_keep_their_ranges() {
    for (set, _) in FLOORS {
        let mut engine = engine();
        let results = allocate_all(&mut engine, Table::records(set).facts());
        let mut known = HashSet::new();
        for (position, result) in results.iter().enumerate() {
            let AllocationResult { confidence, margin_bits, candidates, decision, allocated_node, .. } =
                result;
            assert!((0.0..=1.0).contains(confidence), "{set}: {result:?}");
            assert!(*margin_bits >= 0.0 && margin_bits.is_finite(), "{set}: {result:?}");
            assert!(*candidates <= CANDIDATES_MAX, "{set}: {result:?}");
            assert_eq!(result.log_position, position as u64, "{set}: {result:?}");
            assert_eq!(known.insert(*allocated_node), *decision != Decision::Existing, "{set}: {result:?}");
        }
        assert_eq!(known.len(), engine.node_count());
        assert_eq!(engine.fact_count(), results.len());
        assert!(engine.model().iter().all(|field| field.weights_bits.iter().all(|bits| bits.is_finite())));
    }
}

#[test]
fn blocking_recalls_the_true_node() {
    let table = Table::records("febrl3");
    let truth = truth("febrl3", &table);
    let mut engine = engine();
    let mut nodes_of: HashMap<&str, HashSet<NodeId>> = HashMap::new();
    let (mut sought, mut found, mut competing) = (0u32, 0u32, 0);
    for (fact, cluster) in table.facts().into_iter().zip(&truth) {
        let perceived = engine.perceive(fact).expect("a good fact");
        let candidates = engine.recall(&perceived, 0);
        competing += candidates.candidates.len();
        if let Some(nodes) = nodes_of.get(&**cluster) {
            sought += 1;
            found += u32::from(candidates.candidates.iter().any(|candidate| nodes.contains(&candidate.node)));
        }
        let distinct: HashSet<_> = candidates.candidates.iter().map(|candidate| candidate.node).collect();
        assert_eq!(distinct.len(), candidates.candidates.len(), "each node once");
        assert!(distinct.len() <= CANDIDATES_MAX as usize);
        let ballot = engine.decide(&perceived, 0, &candidates);
        let result = engine.commit(&perceived, vec![ballot]).expect("a fresh ballot");
        nodes_of.entry(cluster).or_default().insert(result.allocated_node);
    }
    let recall = f64::from(found) / f64::from(sought);
    println!(
        "blocking recall {recall:.4} of {sought}, {:.1} candidates each",
        competing as f64 / truth.len() as f64
    );
    assert_eq!(sought, 3_000);
    assert!(recall >= 0.99, "{found} of {sought}");
}

#[test]
fn fields_are_profiled_without_being_told() {
    use cortexkg::FieldKind::{Category, Date, Identifier, Name};
    let mut engine = engine();
    allocate_all(&mut engine, Table::records("febrl3").facts());
    let kinds: HashMap<_, _> = engine.model().into_iter().map(|field| (field.name, field.kind)).collect();
    for (field, kind) in [
        ("given_name", Name),
        ("surname", Name),
        ("state", Category),
        ("date_of_birth", Date),
        ("soc_sec_id", Identifier),
    ] {
        assert_eq!(kinds[field], kind, "{field}");
    }
}

#[test]
fn shipped_records_are_within_the_limits() {
    for (set, _) in FLOORS {
        for fact in Table::records(set).facts() {
            assert_eq!(fact.validate(), Ok(()));
            assert!(fact.record_id.is_some_and(|id| id.len() <= limits::ID_BYTES_MAX));
        }
    }
}
