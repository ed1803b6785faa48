//! Graphs too large to scan their vectors: what an index finds, and that all roads still lead to the same graph.

use cortexkg::{
    AllocationMethod, AllocationResult, Decision, DurableEngine, EngineConfig, Fact, Forget, HnswLayer,
    Layers, QuantizationLayer,
};
use cortexkg_store::MemoryStore;

/// Vectors are scanned below this many nodes.
const SCANNED_BELOW: u32 = 16 * 8;
const DIMENSION: usize = 24;

fn with(layers: Layers) -> EngineConfig {
    EngineConfig { layers, ..EngineConfig::default() }
}

fn hnsw() -> Layers {
    let hnsw = HnswLayer { above_nodes: SCANNED_BELOW, ..HnswLayer::default() };
    Layers { hnsw: Some(hnsw), quantization: None }
}

fn quantized(bytes_max: Option<u64>) -> Layers {
    let layer = QuantizationLayer { bytes_max, half_life_mentions: 500, ..QuantizationLayer::default() };
    Layers { quantization: Some(layer), ..hnsw() }
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
    let mut indexed = open(MemoryStore::default(), with(hnsw()));
    let mut scanned = open(MemoryStore::default(), EngineConfig::default());
    let (by_index, by_scan) = (take(&mut indexed, &facts), take(&mut scanned, &facts));
    let by_hnsw = by_index.iter().filter(|result| result.method == AllocationMethod::Hnsw).count();
    assert!(by_hnsw > 1_500, "{by_hnsw} decisions with the index");
    assert!(by_scan.iter().all(|result| result.method == AllocationMethod::Direct));
    let differ = differing(&by_index, &by_scan);
    let links = by_index.iter().filter(|result| result.decision == Decision::Existing).count();
    println!("{links} links; {differ} of {} decisions differ from those of a scan", facts.len());
    assert!(links > 100, "only {links} links: vectors do not speak");
    assert!(differ * 100 <= facts.len(), "{differ} of {} decisions differ", facts.len());
}

#[test]
fn an_index_comes_back_as_it_was() {
    comes_back(hnsw());
}

#[test]
fn precisions_and_pins_come_back_as_they_were() {
    comes_back(quantized(Some(60_000)));
}

fn comes_back(layers: Layers) {
    let config = || with(layers);
    let facts = facts(300, 700, 2);
    let mut long = open(MemoryStore::default(), config());
    let mut store = MemoryStore::default();
    let mut state = 3;
    let mut at = 0;
    while at < facts.len() {
        let count = 1 + random(&mut state) as usize % 60;
        let part = &facts[at..facts.len().min(at + count)];
        at += part.len();
        let mut graph = open(store, config());
        let results = take(&mut graph, part);
        assert_eq!(results, take(&mut long, part));
        for graph in [&mut graph, &mut long] {
            // Gone and back, and something gone for good.
            let record_id = format!("m{}", at / 2);
            if let Ok((forgotten, _)) = graph.forget(&Forget::Fact { source: None, record_id: &record_id })
                && at % 3 > 0
            {
                graph.undo(forgotten).unwrap();
            }
            if layers.quantization.is_some() {
                graph.pin(graph.engine().next_node_id(), true).unwrap_err();
                let node = results.last().unwrap().allocated_node;
                graph.pin(node, at % 2 == 0).unwrap();
            }
        }
        assert_eq!(graph.state_hash().unwrap(), long.state_hash().unwrap());
        if count.is_multiple_of(2) {
            graph.checkpoint().unwrap();
        }
        store = graph.close().unwrap();
    }
    let long_store = long.close().unwrap();
    let mut ends = [open(store, config()), open(long_store, config())];
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

/// Each decision with the first mention that went to the same node: one difference is not to make all later nodes differ.
fn by_first_mention(results: &[AllocationResult]) -> Vec<(Decision, usize)> {
    let mut firsts = std::collections::HashMap::new();
    let first = |(at, result): (usize, &AllocationResult)| {
        (result.decision, *firsts.entry(result.allocated_node).or_insert(at))
    };
    results.iter().enumerate().map(first).collect()
}

fn differing(one: &[AllocationResult], other: &[AllocationResult]) -> usize {
    let (one, other) = (by_first_mention(one), by_first_mention(other));
    one.iter().zip(&other).filter(|(one, other)| one != other).count()
}

#[test]
fn coarse_vectors_decide_as_exact_ones_do() {
    let facts = facts(700, 2_400, 1);
    let mut exact = open(MemoryStore::default(), with(hnsw()));
    let mut coarse = open(MemoryStore::default(), with(quantized(None)));
    let (by_exact, by_coarse) = (take(&mut exact, &facts), take(&mut coarse, &facts));
    let differ = differing(&by_exact, &by_coarse);
    let report = coarse.engine().quantization().unwrap();
    println!("{differ} of {} decisions differ; {report:?}", facts.len());
    assert!(differ * 100 <= facts.len(), "{differ} of {} decisions differ", facts.len());
    assert!(report.vectors[0] > 0 && report.vectors[1] > 0 && report.vectors[2] > 0, "{report:?}");
    assert_eq!(report.vectors[3..], [0, 0], "nothing above 8 bits: {report:?}");
    assert!(report.made_finer > 0 && report.made_coarser > 0 && report.read_again > 0, "{report:?}");
    let index = coarse.engine().vector_index().unwrap();
    let (counted, measured) = (report.bytes as f64, index.bytes() as f64);
    println!("counted {counted}, measured {measured}");
    assert!(index.audit().is_clean());
}

#[test]
fn a_budget_is_kept_and_pins_are_above_it() {
    let facts = facts(700, 2_400, 1);
    let take_all = |bytes_max| {
        let mut graph = open(MemoryStore::default(), with(quantized(bytes_max)));
        let results = take(&mut graph, &facts);
        (graph, results)
    };
    let (free, _) = take_all(None);
    let free_bytes = free.engine().quantization().unwrap().bytes;
    let nodes = free.engine().node_count() as u64;
    let base = free_bytes - finer_bytes(&free);
    let budget = base + finer_bytes(&free) / 3;
    let (mut graph, results) = take_all(Some(budget));
    let report = graph.engine().quantization().unwrap();
    println!("{nodes} nodes, {base} at least, {free_bytes} freely, {budget} at most: {report:?}");
    assert!(report.bytes <= budget && report.pressure > 0, "{report:?}");
    // An idle node is pinned, becomes exact, and stays so.
    let precision = |graph: &DurableEngine<MemoryStore>, node| graph.engine().vector_precision(node).unwrap();
    let idle = results.iter().map(|result| result.allocated_node);
    let idle = idle.clone().find(|&node| precision(&graph, node).bits() == 1).unwrap();
    let pinned = graph.pin(idle, true).unwrap().unwrap();
    assert_eq!(graph.pin(idle, true).unwrap(), None);
    let more = |from: usize| -> Vec<(u64, Fact)> {
        let again = facts[..800].iter().enumerate();
        again.map(|(at, (thing, fact))| (*thing, fact.clone().with_id(format!("{from} {at}")))).collect()
    };
    take(&mut graph, &more(1));
    assert_eq!(precision(&graph, idle).bits(), 8);
    assert_eq!(graph.engine().importance(idle), Some(1.0));
    let log = graph.log_entries(0, u64::MAX).unwrap();
    assert!(log.iter().any(|entry| entry.operation == "pin" && entry.nodes == [idle]), "{log:?}");
    graph.undo(pinned).unwrap();
    assert!(graph.engine().importance(idle).unwrap() < 1.0);
}

#[test]
fn layers_in_memory_and_over_a_store_are_the_same() {
    let facts = facts(200, 500, 6);
    let mut memory = cortexkg::AllocationEngine::new(with(hnsw()));
    let mut stored = open(MemoryStore::default(), with(hnsw()));
    for (at, (_, fact)) in facts.iter().enumerate() {
        let expected = memory.allocate_fact(fact.clone()).unwrap();
        let found = stored.allocate_fact(fact.clone()).unwrap();
        assert_eq!(found, expected, "{at}");
        if at % 120 == 100 {
            let layers = if at % 240 == 100 { quantized(Some(30_000)) } else { hnsw() };
            memory.set_layers(layers, "a test");
            stored.set_layers(layers, "a test").unwrap();
            memory.pin(found.allocated_node, true);
            stored.pin(found.allocated_node, true).unwrap();
        }
    }
    assert_eq!(stored.state_hash().unwrap(), memory.state_hash());
}

#[test]
fn what_comes_after_many_nodes_without_vectors_is_found_at_once() {
    let mut graph = open(MemoryStore::default(), with(hnsw()));
    take(&mut graph, &facts(700, 1_000, 1));
    let words = (0..6_000).map(|at| Fact::text(format!("{:x}", at * 7_919)).with_id(format!("w{at}")));
    graph.allocate_batch(words.collect(), cortexkg_store::Sync::Lazy).unwrap();
    for (_, fact) in facts(700, 30, 99) {
        let fact = fact.clone().with_id(format!("new {}", fact.record_id.as_deref().unwrap()));
        let node = graph.allocate_fact(fact).unwrap().allocated_node;
        assert!(graph.engine().vector_index().unwrap().contains(node.0), "{node} is not in the index");
    }
}

#[test]
fn a_merged_node_that_is_pinned_stands_for_what_it_leads_to() {
    let mut graph = open(MemoryStore::default(), with(quantized(None)));
    let results = take(&mut graph, &facts(300, 400, 5));
    let (merged, kept) = (results[0].allocated_node, results[1].allocated_node);
    assert_ne!(merged, kept);
    graph.pin(merged, true).unwrap();
    graph.merge(kept, merged).unwrap();
    for node in [merged, kept] {
        assert_eq!(graph.engine().importance(node), Some(1.0), "{node}");
        assert_eq!(graph.pin(node, true).unwrap(), None, "{node} is pinned already");
    }
    // Whoever unpins what is seen to be pinned has done so.
    graph.pin(kept, false).unwrap().unwrap();
    assert!(graph.engine().importance(kept).unwrap() < 1.0);
    assert_eq!(graph.engine().pins().count(), 0);
    let hash = graph.state_hash().unwrap();
    let mut store = graph.close().unwrap();
    cortexkg_store::Store::remove_snapshot(&mut store).unwrap();
    let graph = open(store, EngineConfig::default());
    assert_eq!((graph.state_hash().unwrap(), graph.engine().pins().count()), (hash, 0));
}

fn finer_bytes(graph: &DurableEngine<MemoryStore>) -> u64 {
    let vectors = graph.engine().quantization().unwrap().vectors;
    let row = |bits: u64| u64::from(64 * bits as u32 / 8) + 12;
    vectors[1] as u64 * row(4).max(64) + vectors[2] as u64 * row(8).max(64)
}

#[test]
fn layers_change_while_facts_come_in_and_the_log_says_so() {
    let facts = facts(500, 1_800, 4);
    let mut graph = open(MemoryStore::default(), EngineConfig::default());
    let by_method = |results: &[AllocationResult], method| {
        results.iter().filter(|result| result.method == method).count()
    };
    assert_eq!(by_method(&take(&mut graph, &facts[..600]), AllocationMethod::Direct), 600);
    let changed = graph.set_layers(hnsw(), "scans take too long").unwrap().unwrap();
    assert_eq!(graph.set_layers(hnsw(), "the same").unwrap(), None);
    // It grows beside the scan, four at a time, and then takes over.
    let results = take(&mut graph, &facts[600..900]);
    let switched = results.iter().position(|result| result.method == AllocationMethod::Hnsw).unwrap();
    println!("switched after {switched} facts");
    assert!((50..250).contains(&switched), "{switched}");
    assert_eq!(by_method(&results[switched..], AllocationMethod::Hnsw), 300 - switched);
    // Another way to build it: the old one serves until the new one is whole.
    let wider = HnswLayer { max_connections: 24, ef_search: 100, ..hnsw().hnsw.unwrap() };
    graph.set_layers(Layers { hnsw: Some(wider), ..hnsw() }, "more connections").unwrap();
    let results = take(&mut graph, &facts[900..930]);
    assert_eq!(by_method(&results, AllocationMethod::Hnsw), 30);
    assert_eq!(graph.engine().vector_index().unwrap().config().max_connections, 16);
    assert!(graph.engine().growing_index().is_some_and(|(of, all)| of < all));
    let mut store = graph.close().unwrap();
    let mut graph = open(store, EngineConfig::default());
    take(&mut graph, &facts[930..1300]);
    assert!(graph.engine().growing_index().is_none());
    let config = graph.engine().vector_index().unwrap().config().clone();
    assert_eq!((config.max_connections, config.ef_search), (24, 100));
    // Half of the facts by the index.
    let half = HnswLayer { percent_of_facts: 50, ..wider };
    graph.set_layers(Layers { hnsw: Some(half), ..hnsw() }, "for half of them").unwrap();
    let results = take(&mut graph, &facts[1300..1600]);
    let by_index = by_method(&results, AllocationMethod::Hnsw);
    assert!((110..190).contains(&by_index), "{by_index} of 300");
    assert_eq!(by_method(&results, AllocationMethod::Direct), 300 - by_index);
    // Taken back, and off.
    assert!(graph.undo(changed).is_err(), "changed again since");
    let off = graph.set_layers(Layers::default(), "enough").unwrap().unwrap();
    assert_eq!(by_method(&take(&mut graph, &facts[1600..1700]), AllocationMethod::Direct), 100);
    graph.undo(off).unwrap();
    assert_eq!(graph.engine().layers().hnsw, Some(half));
    take(&mut graph, &facts[1700..]);
    let hash = graph.state_hash().unwrap();
    let log = graph.log_entries(0, u64::MAX).unwrap();
    let told: Vec<&str> =
        log.iter().filter(|entry| entry.operation == "configure").map(|entry| &*entry.what).collect();
    println!("{told:#?}");
    assert!(told.contains(&"index on: scans take too long"), "{told:?}");
    assert!(told.contains(&"percent_of_facts 100 → 50: for half of them"), "{told:?}");
    // The log alone gives the same.
    store = graph.close().unwrap();
    cortexkg_store::Store::remove_snapshot(&mut store).unwrap();
    let mut graph = open(store, EngineConfig::default());
    assert!(graph.opening().is_rebuilt);
    assert_eq!(graph.state_hash().unwrap(), hash);
    // And a compaction keeps the layers.
    graph.compact().unwrap();
    let compacted = graph.state_hash().unwrap();
    let graph = open(graph.close().unwrap(), EngineConfig::default());
    assert_eq!(graph.engine().layers().hnsw, Some(half));
    assert_eq!(graph.state_hash().unwrap(), compacted);
}
