//! A graph that memory does not hold whole decides as one that it does.

mod common;

use common::Table;
use common::swap::{Disk, open_within};
use cortexkg::{Depth, DurableEngine, EngineConfig, Fact};
use cortexkg_store::{MemoryStore, Store as _, Sync};

fn open(store: MemoryStore) -> DurableEngine<MemoryStore> {
    DurableEngine::open(store, EngineConfig::default()).expect("an open graph")
}

fn allocate(graph: &mut DurableEngine<MemoryStore>, facts: &[Fact]) -> Vec<String> {
    let results = graph.allocate_batch(facts.to_vec(), Sync::Durable).expect("a sound store");
    results.into_iter().map(|result| format!("{:?}", result.expect("a good fact"))).collect()
}

/// Facts, a graph that has all of them and what it said of each, and a graph that is to have them as well.
struct Stream {
    facts: Vec<Fact>,
    plenty: DurableEngine<MemoryStore>,
    expected: Vec<String>,
    scarce: DurableEngine<MemoryStore>,
    /// Bytes of an empty graph, of one that has everything, and that the other may have.
    fixed: usize,
    whole: usize,
    budget: usize,
}

impl Stream {
    fn new(disk: Option<&Disk>) -> Self {
        let facts = Table::records("febrl3").facts();
        let mut plenty = open(MemoryStore::default());
        let fixed = plenty.memory_bytes();
        let expected = allocate(&mut plenty, &facts);
        let whole = plenty.memory_bytes();
        // Of what is there from the beginning nothing can be let go of; of the rest, room is for half.
        let budget = fixed + (whole - fixed) / 2;
        let scarce = open_within(MemoryStore::default(), Some(budget), disk);
        Self { facts, plenty, expected, scarce, fixed, whole, budget }
    }
}

#[test]
fn decisions_do_not_depend_on_memory() {
    let Stream { facts, plenty, expected, mut scarce, fixed, whole, budget } = Stream::new(None);
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
    // Vectors of a graph that is small enough to scan them are there at once.
    assert!(opened < (whole - fixed) / 2, "{opened} of {}", whole - fixed);
    assert_eq!(allocate(&mut again, rest), expected);
    assert_eq!(again.state_hash().expect("a sound store"), hash);
}

/// By a swap file, which is full for a while, and without a snapshot; then by a snapshot of what is there and what is not.
#[test]
fn what_is_swapped_out_is_as_it_was() {
    let disk = Disk::default();
    let Stream { facts, plenty, expected, mut scarce, whole, budget, .. } = Stream::new(Some(&disk));
    let parts = facts.len() / 100;
    let mut most = 0;
    for (at, (part, expected)) in facts.chunks(100).zip(expected.chunks(100)).enumerate() {
        *disk.is_full.lock().expect("nobody panicked") = (parts / 2..parts / 2 + 5).contains(&at);
        assert_eq!(allocate(&mut scarce, part), expected);
        if at > parts / 2 + 10 {
            most = most.max(scarce.memory_bytes());
        }
    }
    assert!(most <= budget + budget / 10, "{most} bytes of {budget}, {whole} without a bound");
    let hash = plenty.state_hash().expect("a sound store");
    assert_eq!(scarce.state_hash().expect("a sound store"), hash);
    let report = scarce.verify(Depth::Rebuild, &mut |_| {}).expect("a sound store");
    assert!(report.is_clean(), "{:?}", report.faults);
    assert!(scarce.store().snapshot().expect("a sound store").is_none(), "a snapshot was written");
    let swapped = disk.bytes.lock().expect("nobody panicked").len();
    assert!(scarce.swap_end() >= swapped as u64);
    assert!(
        swapped > whole - budget && swapped < 3 * whole,
        "{swapped} bytes in the file, {whole} in memory"
    );

    scarce.checkpoint().expect("a snapshot");
    let again = open(scarce.close().expect("closed"));
    assert_eq!(again.opening().repeated, 0);
    assert_eq!(again.state_hash().expect("a sound store"), hash);
}

#[test]
fn a_swap_file_that_is_damaged_ends_the_graph_and_loses_nothing() {
    let facts = Table::records("febrl3").facts();
    let disk = Disk::default();
    let bytes_max = open(MemoryStore::default()).memory_bytes() + (1 << 20);
    let mut graph = open_within(MemoryStore::default(), Some(bytes_max), Some(&disk));
    allocate(&mut graph, &facts[..3_000]);
    disk.bytes.lock().expect("nobody panicked").iter_mut().for_each(|byte| *byte ^= 0x55);
    let parts = facts[3_000..].chunks(100);
    let refused = parts.map(|part| graph.allocate_batch(part.to_vec(), Sync::Durable)).find_map(Result::err);
    assert!(refused.expect("nothing was read from it").to_string().contains("swap file"));
    let mut again = open(graph.store().clone());
    let kept = again.engine().fact_count();
    assert!((3_000..facts.len()).contains(&kept), "{kept} facts");
    let mut plenty = open(MemoryStore::default());
    allocate(&mut plenty, &facts[..kept]);
    assert_eq!(again.state_hash().expect("a sound store"), plenty.state_hash().expect("a sound store"));
    assert_eq!(allocate(&mut again, &facts[kept..]), allocate(&mut plenty, &facts[kept..]));
}
