//! Graphs too large to scan their vectors: what an index finds, and that all roads still lead to the same graph.

use cortexkg::{AllocationMethod, AllocationResult, Decision, DurableEngine, EngineConfig, Fact, Forget};
use cortexkg_store::MemoryStore;

/// Vectors are scanned below this many nodes.
const SCANNED_BELOW: usize = 16 * 8;
const DIMENSION: usize = 24;

fn config(scan_nodes_max: usize) -> EngineConfig {
    let mut config = EngineConfig::default();
    config.recall.scan_nodes_max = scan_nodes_max;
    config
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Mentions of things that have no word in common: only their vectors, which lie around a direction of each thing, tell.
fn facts(things: u64, mentions: usize, seed: u64) -> Vec<(u64, Fact)> {
    let mut state = seed;
    (0..mentions)
        .map(|at| {
            let thing = random(&mut state) % things;
            let mut direction = thing.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let embedding: Vec<f32> = (0..DIMENSION)
                .map(|_| {
                    let own = random(&mut direction) as f32 / 2_147_483_648.0 - 0.5;
                    own + 0.05 * (random(&mut state) as f32 / 2_147_483_648.0 - 0.5)
                })
                .collect();
            let word = format!("{:x}", random(&mut state) * 977 + at as u64);
            (thing, Fact::text(word).with_id(format!("m{at}")).with_embedding(embedding))
        })
        .collect()
}

fn take(graph: &mut DurableEngine<MemoryStore>, facts: &[(u64, Fact)]) -> Vec<AllocationResult> {
    facts.iter().map(|(_, fact)| graph.allocate_fact(fact.clone()).unwrap()).collect()
}

fn open(store: MemoryStore, config: EngineConfig) -> DurableEngine<MemoryStore> {
    DurableEngine::open(store, config).unwrap()
}

#[test]
fn beyond_what_is_scanned_an_index_finds_what_is_near() {
    let facts = facts(700, 2_400, 1);
    let mut indexed = open(MemoryStore::default(), config(SCANNED_BELOW / 16));
    let mut scanned = open(MemoryStore::default(), config(4_096));
    let (by_index, by_scan) = (take(&mut indexed, &facts), take(&mut scanned, &facts));
    let by_hnsw = by_index.iter().filter(|result| result.method == AllocationMethod::Hnsw).count();
    assert!(by_hnsw > 1_500, "{by_hnsw} decisions with the index");
    assert!(by_scan.iter().all(|result| result.method == AllocationMethod::Direct));
    let differ = by_index
        .iter()
        .zip(&by_scan)
        .filter(|(a, b)| (a.decision, a.allocated_node) != (b.decision, b.allocated_node))
        .count();
    let links = by_index.iter().filter(|result| result.decision == Decision::Existing).count();
    println!("{links} links; {differ} of {} decisions differ from those of a scan", facts.len());
    assert!(links > 100, "only {links} links: vectors do not speak");
    assert!(differ * 100 <= facts.len(), "{differ} of {} decisions differ", facts.len());
}

#[test]
fn an_index_comes_back_as_it_was() {
    let facts = facts(300, 700, 2);
    let mut long = open(MemoryStore::default(), config(SCANNED_BELOW / 16));
    let mut store = MemoryStore::default();
    let mut state = 3;
    let mut at = 0;
    while at < facts.len() {
        let count = 1 + random(&mut state) as usize % 60;
        let part = &facts[at..facts.len().min(at + count)];
        at += part.len();
        let mut graph = open(store, config(SCANNED_BELOW / 16));
        assert_eq!(take(&mut graph, part), take(&mut long, part));
        for graph in [&mut graph, &mut long] {
            // Gone and back, and something gone for good.
            let record_id = format!("m{}", at / 2);
            if let Ok((forgotten, _)) = graph.forget(&Forget::Fact { source: None, record_id: &record_id })
                && at % 3 > 0
            {
                graph.undo(forgotten).unwrap();
            }
        }
        assert_eq!(graph.state_hash().unwrap(), long.state_hash().unwrap());
        if count.is_multiple_of(2) {
            graph.checkpoint().unwrap();
        }
        store = graph.close().unwrap();
    }
    let long_store = long.close().unwrap();
    let mut ends = [open(store, config(SCANNED_BELOW / 16)), open(long_store, config(SCANNED_BELOW / 16))];
    for graph in &mut ends {
        graph.compact().unwrap();
    }
    let more: Vec<(u64, Fact)> = facts
        .iter()
        .take(100)
        .map(|(thing, fact)| {
            (*thing, fact.clone().with_id(format!("again {}", fact.record_id.as_deref().unwrap())))
        })
        .collect();
    let [one, other] = &mut ends;
    assert_eq!(take(one, &more), take(other, &more));
    assert_eq!(one.state_hash().unwrap(), other.state_hash().unwrap());
}
