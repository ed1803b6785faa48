//! A graph that memory does not hold whole decides as one that it does.

mod common;

use common::Table;
use cortexkg::{Depth, DurableEngine, EngineConfig, Fact};
use cortexkg_store::{MemoryStore, Sync};

fn open(store: MemoryStore) -> DurableEngine<MemoryStore> {
    DurableEngine::open(store, EngineConfig::default()).expect("an open graph")
}

fn allocate(graph: &mut DurableEngine<MemoryStore>, facts: &[Fact]) -> Vec<String> {
    let results = graph.allocate_batch(facts.to_vec(), Sync::Durable).expect("a sound store");
    results.into_iter().map(|result| format!("{:?}", result.expect("a good fact"))).collect()
}

#[test]
fn decisions_do_not_depend_on_memory() {
    let facts = Table::records("febrl3").facts();
    let mut plenty = open(MemoryStore::default());
    let expected = allocate(&mut plenty, &facts);
    let mut scarce = open(MemoryStore::default());
    // Of what is there from the beginning nothing can be let go of; of the rest, room is for half.
    let (fixed, whole) = (scarce.memory_bytes(), plenty.memory_bytes());
    let budget = fixed + (whole - fixed) / 2;
    scarce.set_memory_budget(Some(budget));
    let mut most = 0;
    for (part, expected) in facts.chunks(100).zip(expected.chunks(100)) {
        assert_eq!(allocate(&mut scarce, part), expected);
        most = most.max(scarce.memory_bytes());
    }
    assert!(most <= budget + budget / 10, "{most} bytes of {budget}, {whole} without a bound");
    assert!(
        most < whole - (whole - fixed) / 4,
        "{most} bytes, {whole} without a bound: nothing was let go of"
    );
    assert_eq!(scarce.state_hash().expect("a sound store"), plenty.state_hash().expect("a sound store"));
    let report = scarce.verify(Depth::Rebuild, &mut |_| {}).expect("a sound store");
    assert!(report.is_clean(), "{:?}", report.faults);
}

#[test]
fn a_snapshot_is_opened_without_being_read() {
    let facts = Table::records("febrl3").facts();
    let mut graph = open(MemoryStore::default());
    let fixed = graph.memory_bytes();
    let (first, rest) = facts.split_at(4000);
    allocate(&mut graph, first);
    graph.checkpoint().expect("a snapshot");
    let whole = graph.memory_bytes();
    let expected = allocate(&mut graph, rest);
    let hash = graph.state_hash().expect("a sound store");
    // The log goes on beyond the snapshot.
    let again = open(graph.close().expect("closed"));
    assert_eq!(again.opening().repeated, 1000);
    assert_eq!(again.state_hash().expect("a sound store"), hash);

    let mut graph = open(MemoryStore::default());
    allocate(&mut graph, first);
    graph.checkpoint().expect("a snapshot");
    let mut again = open(graph.close().expect("closed"));
    assert_eq!((again.opening().repeated, again.opening().is_rebuilt), (0, false));
    let opened = again.memory_bytes() - fixed;
    assert!(opened < (whole - fixed) / 4, "{opened} of {}", whole - fixed);
    assert_eq!(allocate(&mut again, rest), expected);
    assert_eq!(again.state_hash().expect("a sound store"), hash);
}
