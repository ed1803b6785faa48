//! Random layers, pins and operations between them: by whatever road a graph is opened, it is the same and goes on in the same way.

use cortexkg::{
    Decision, Depth, DurableEngine, EngineConfig, Fact, Forget, HnswLayer, Layers, NodeId, OperationError,
    QuantizationLayer,
};
use cortexkg_index::Precision;
use cortexkg_store::{MemoryStore, Store, Sync};

use crate::common::Sequence;
use crate::common::swap::{Disk, open_within};
use crate::{scaled, seed, tell};

const DIMENSION: usize = 12;
const THINGS: usize = 60;

fn one_of<T: Copy>(random: &mut Sequence, values: &[T]) -> T {
    values[random.below(values.len())]
}

fn layers(random: &mut Sequence) -> Layers {
    let hnsw = HnswLayer {
        above_nodes: one_of(random, &[0, 1, 20, 60, 100, 200, u32::MAX]),
        percent_of_facts: one_of(random, &[0, 1, 50, 100, 100, 100, 255]),
        max_connections: one_of(random, &[0, 2, 4, 16, u32::MAX]),
        ef_construction: one_of(random, &[0, 1, 8, 64]),
        ef_search: one_of(random, &[0, 1, 8, 64, u32::MAX]),
    };
    let unit = 1 << 16;
    let quantization = QuantizationLayer {
        thresholds: one_of(
            random,
            &[QuantizationLayer::default().thresholds, [0; 4], [unit; 4], [unit / 4; 4]],
        ),
        finest: one_of(random, &[Precision::One, Precision::Four, Precision::Eight, Precision::Full]),
        bytes_max: one_of(random, &[None, Some(0), Some(1), Some(20_000), Some(u64::MAX)]),
        half_life_mentions: one_of(random, &[0, 1, 100, u32::MAX]),
    };
    Layers {
        hnsw: (random.below(6) > 0).then_some(hnsw),
        quantization: (random.below(3) > 0).then_some(quantization),
    }
}

fn fact(random: &mut Sequence, at: usize) -> Fact {
    let thing = random.below(THINGS);
    let vector: Vec<f32> = match random.below(20) {
        0 => vec![0.0; DIMENSION],
        1 => vec![1.0; DIMENSION],
        _ => (0..DIMENSION)
            .map(|axis| ((thing * 31 + axis * 17) * 7919 % 199) as f32 - 99.0 + random.below(20) as f32)
            .collect(),
    };
    let fact = match random.below(6) {
        0 => Fact::triple(format!("thing {thing}"), "knows", format!("thing {}", random.below(THINGS))),
        _ => Fact::record([("name", format!("thing {thing}")), ("code", format!("{}", random.below(400)))]),
    };
    let fact = fact.with_id(format!("m{at}"));
    if random.below(5) == 0 { fact } else { fact.with_embedding(vector) }
}

fn open(store: MemoryStore) -> DurableEngine<MemoryStore> {
    DurableEngine::open(store, EngineConfig::default()).unwrap()
}

fn is_grave(error: &OperationError) -> bool {
    matches!(error, OperationError::Store(_) | OperationError::Broken | OperationError::Snapshot { .. })
}

/// Does one thing to a graph; what, and what came of it. The same on every graph for the same `random`.
fn step(graph: &mut DurableEngine<MemoryStore>, random: &mut Sequence, at: usize) -> (&'static str, String) {
    let nodes = graph.engine().next_node_id().0 as usize + 1;
    let node = |random: &mut Sequence| NodeId(random.below(nodes) as u64);
    let told = |what: &'static str, done: Result<String, OperationError>| {
        (
            what,
            done.unwrap_or_else(|error| {
                assert!(!is_grave(&error), "{what}: {error}");
                error.to_string()
            }),
        )
    };
    match random.below(40) {
        0..20 => {
            let facts: Vec<Fact> = (0..1 + random.below(8)).map(|more| fact(random, at * 8 + more)).collect();
            told("allocate", graph.allocate_batch(facts, Sync::Lazy).map(|results| format!("{results:?}")))
        }
        20..25 => {
            let to = layers(random);
            told("configure", graph.set_layers(to, "a test").map(|done| format!("{done:?}")))
        }
        25..28 => {
            let (node, is_pinned) = (node(random), random.below(3) > 0);
            told("pin", graph.pin(node, is_pinned).map(|done| format!("{done:?}")))
        }
        28 | 29 => {
            let (left, right) = (node(random), node(random));
            told("merge", graph.merge(left, right).map(|done| format!("{done}")))
        }
        30 => {
            let node = node(random);
            told("unmerge", graph.unmerge(node).map(|done| format!("{done}")))
        }
        31 => {
            let node = Forget::Node(node(random));
            told("forget", graph.forget(&node).map(|done| format!("{done:?}")))
        }
        32 => told("consolidate", graph.consolidate().map(|done| format!("{done:?}"))),
        33 if random.below(4) == 0 => told("compact", graph.compact().map(|done| format!("{done:?}"))),
        _ => {
            let position = (graph.position() as usize).saturating_sub(1 + random.below(40)) as u64;
            told("undo", graph.undo(position).map(|done| format!("{done}")))
        }
    }
}

#[test]
fn random_layers() {
    let operations = scaled(60_000);
    let seed = seed();
    let (mut random, mut roads) = (Sequence(seed), Sequence(seed ^ 77));
    let (mut long, mut short) = (open(MemoryStore::default()), open(MemoryStore::default()));
    let mut possible = 0;
    for at in 0..operations {
        let mut again = Sequence(random.0);
        let done = step(&mut long, &mut random, at);
        let found = step(&mut short, &mut again, at);
        assert_eq!(found, done, "operation {at} of seed {seed}");
        possible += done.1.matches(&format!("{:?}", Decision::Possible)).count();
        if roads.below(6) == 0 {
            let before = short.state_hash().unwrap();
            assert_eq!(long.state_hash().unwrap(), before, "operation {at} of seed {seed}, {}", done.0);
            let road = roads.below(4);
            if road == 0 {
                short.checkpoint().unwrap();
            }
            let mut store = std::mem::replace(&mut short, open(MemoryStore::default())).close().unwrap();
            if road == 1 {
                store.remove_snapshot().unwrap();
            }
            let bytes_max = (roads.below(3) == 0).then_some(9 << 20);
            short = open_within(store, bytes_max, (roads.below(2) == 0).then(Disk::default).as_ref());
            short.set_recall_sampling(roads.below(3) as u64);
            assert_eq!(short.opening().snapshot_damage, None);
            assert_eq!(short.state_hash().unwrap(), before, "road {road} at {at} of seed {seed}");
            assert_eq!(
                short.engine().quantization().map(|report| (report.vectors, report.bytes, report.pressure)),
                long.engine().quantization().map(|report| (report.vectors, report.bytes, report.pressure)),
                "road {road} at {at} of seed {seed}"
            );
        }
        if at % 200 == 199 {
            let report = short.verify(Depth::Rebuild, &mut |_| {}).unwrap();
            assert!(report.is_clean(), "operation {at} of seed {seed}: {:?}", report.faults);
        }
        if let Some(index) = long.engine().vector_index() {
            assert!(index.audit().is_clean(), "operation {at} of seed {seed}");
        }
    }
    tell("random layers", "operations", operations);
    tell("random layers", "close calls", possible);
}
