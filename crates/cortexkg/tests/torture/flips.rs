//! One bit turned over in every page of the store and every block of the snapshot: what is read is right, or an error says not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cortexkg::{Depth, DurableEngine, EngineConfig, Fact, Forget, OperationError, StateHash};
use cortexkg_store::directory::{ROWS_FILE, SNAPSHOT_FILE};
use cortexkg_store::faults::Disk;
use cortexkg_store::{RedbOptions, RedbStore, Sync};

use crate::common::Sequence;
use crate::common::picture::{Picture, take_in};
use crate::common::stream::facts;
use crate::{is_full, scaled, seed, silence_redb, tell};

const PAGE_BYTES: usize = 4096;
const BLOCK_BYTES: usize = 16_392;

type Graph = DurableEngine<RedbStore>;

fn open(disk: &Disk) -> Result<Graph, OperationError> {
    let store = RedbStore::open_in(Arc::new(disk.clone()), RedbOptions::default())?;
    DurableEngine::open(store, EngineConfig::default())
}

/// The two files of a graph with some history, and all that can be seen of it and of what comes next.
struct Whole {
    rows: Vec<u8>,
    snapshot: Vec<u8>,
    seen: Seen,
    probes: Vec<Fact>,
}

#[derive(Debug, PartialEq)]
struct Seen {
    before: Picture,
    facts: Vec<Option<Fact>>,
    results: Vec<String>,
    after: StateHash,
}

/// Looks at everything, in the order in which a program might, and goes on.
fn see(graph: &mut Graph, probes: &[Fact]) -> Result<Seen, OperationError> {
    let before = picture(graph)?;
    let facts = (0..graph.position()).map(|position| graph.fact_at(position)).collect::<Result<_, _>>()?;
    let results = graph.allocate_batch(probes.to_vec(), Sync::Durable)?;
    let results = results.into_iter().map(|result| format!("{:?}", result.expect("a good fact"))).collect();
    Ok(Seen { before, facts, results, after: graph.state_hash()? })
}

/// A picture, unless it cannot be taken.
fn picture(graph: &Graph) -> Result<Picture, OperationError> {
    graph.state_hash()?;
    graph.log_entries(0, u64::MAX)?;
    for id in graph.engine().node_ids() {
        graph.view(None)?.node(id)?;
    }
    Ok(Picture::of(graph))
}

/// `more` facts are in the snapshot, `tail` came after it.
fn whole(more: usize, tail: usize) -> Whole {
    let disk = Disk::new();
    let mut graph = open(&disk).unwrap();
    take_in(&mut graph, facts(90, 260));
    let ids: Vec<_> = graph.engine().node_ids().collect();
    graph.merge(ids[0], ids[1]).unwrap();
    graph.forget(&Forget::Node(ids[4])).unwrap();
    graph.compact().unwrap();
    take_in(&mut graph, facts(91, more).into_iter().map(|fact| fact.with_source("later")).collect());
    graph.merge(ids[2], ids[3]).unwrap();
    graph.checkpoint().unwrap();
    take_in(&mut graph, facts(92, tail).into_iter().map(|fact| fact.with_source("tail")).collect());
    graph.close().unwrap().close().unwrap();
    let file = |name| disk.read_file(name).unwrap();
    let (rows, snapshot) = (file(ROWS_FILE), file(SNAPSHOT_FILE));
    let probes: Vec<_> = facts(93, 25).into_iter().map(|fact| fact.with_source("probe")).collect();
    let seen = see(&mut open(&disk.after_exit()).unwrap(), &probes).unwrap();
    Whole { rows, snapshot, seen, probes }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Right,
    /// An error when the graph was opened.
    NamedAtOpening,
    /// An error when the damage was looked at.
    NamedLater,
    /// Only `verify` or `check` found it: what was looked at was right.
    NamedByVerify,
    /// The snapshot was passed over and everything is right.
    Healed,
}

/// Opens two files and looks at everything.
fn look(whole: &Whole, rows: &[u8], snapshot: &[u8], what: &str) -> Found {
    let disk = Disk::new();
    disk.write_file(ROWS_FILE, rows.to_vec());
    disk.write_file(SNAPSHOT_FILE, snapshot.to_vec());
    let looked = catch_unwind(AssertUnwindSafe(|| look_at(whole, &disk, what)));
    let found = looked.unwrap_or_else(|_| panic!("{what}: panicked"));
    if found != Found::NamedLater || rows != whole.rows {
        return found;
    }
    // A snapshot heals: what was found damaged is gone the next time.
    let mut graph = open(&disk).unwrap_or_else(|error| panic!("{what}, opened again: {error}"));
    if graph.opening().snapshot_damage.is_none() {
        assert!(graph.opening().is_rebuilt, "{what}: the damaged snapshot is still there");
    }
    assert!(see(&mut graph, &whole.probes).is_ok(), "{what}, opened again");
    found
}

fn look_at(whole: &Whole, disk: &Disk, what: &str) -> Found {
    let mut graph = match open(disk) {
        Ok(graph) => graph,
        Err(OperationError::Store(_) | OperationError::Diverged { .. }) => return Found::NamedAtOpening,
        Err(error) => panic!("{what}: {error}"),
    };
    let damage = graph.opening().snapshot_damage.clone();
    let seen = match see(&mut graph, &whole.probes) {
        Ok(seen) => seen,
        Err(OperationError::Store(_)) => return Found::NamedLater,
        Err(OperationError::Snapshot { .. }) => {
            // It stays an error as long as the graph is open.
            assert!(see(&mut graph, &[]).is_err(), "{what}: forgotten");
            graph.close().unwrap().close().unwrap();
            return Found::NamedLater;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    assert!(seen == whole.seen, "{what}: a wrong answer in silence");
    if damage.is_some() {
        return Found::Healed;
    }
    let verified = graph.verify(Depth::Rebuild, &mut |_| {});
    let checked = graph.store_mut().check();
    let is_clean = checked.is_ok() && verified.is_ok_and(|report| report.is_clean());
    if is_clean { Found::Right } else { Found::NamedByVerify }
}

/// Bits to turn over: some in every piece of a file, and some of its first and last bytes. In an ordinary run, one in a few pieces,
/// more of the first, which hold most tables.
fn bits(file: &[u8], piece_bytes: usize) -> Vec<usize> {
    let mut random = Sequence(seed());
    let mut bits = Vec::new();
    for (piece, start) in (0..file.len()).step_by(piece_bytes).enumerate() {
        let len = piece_bytes.min(file.len() - start) * 8;
        let count = match piece {
            _ if is_full() => 8,
            ..16 => usize::from(piece.is_multiple_of(2)),
            _ => usize::from(piece.is_multiple_of(9)),
        };
        bits.extend((0..count).map(|_| start * 8 + random.below(len)));
    }
    let ends = (0..320).chain(file.len() - 64..file.len()).step_by(if is_full() { 1 } else { 53 });
    bits.extend(ends.map(|byte| byte * 8 + byte % 8));
    bits
}

fn flipped(file: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = file.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

fn report(test: &str, found: &[Found]) {
    tell(test, "bits turned over", found.len());
    for kind in [Found::Right, Found::NamedAtOpening, Found::NamedLater, Found::NamedByVerify, Found::Healed]
    {
        tell(test, &format!("{kind:?}"), found.iter().filter(|found| **found == kind).count());
    }
}

#[test]
fn bits_of_the_store() {
    silence_redb();
    let whole = whole(90, 30);
    assert_eq!(look(&whole, &whole.rows, &whole.snapshot, "whole"), Found::Right);
    let mut found = Vec::new();
    for bit in bits(&whole.rows, PAGE_BYTES) {
        let what = format!("store, bit {bit}, page {}", bit / 8 / PAGE_BYTES);
        found.push(look(&whole, &flipped(&whole.rows, bit), &whole.snapshot, &what));
    }
    tell("flips of the store", "pages", whole.rows.len() / PAGE_BYTES);
    report("flips of the store", &found);
    assert!(found.iter().any(|found| *found != Found::Right));
}

#[test]
fn bits_of_the_snapshot() {
    silence_redb();
    // Large enough that opening does not read it whole, and nothing is repeated, which reads more.
    let whole = whole(2000, 0);
    let mut found = Vec::new();
    for bit in bits(&whole.snapshot, BLOCK_BYTES) {
        let what = format!("snapshot, bit {bit}, block {}", bit / 8 / BLOCK_BYTES);
        found.push(look(&whole, &whole.rows, &flipped(&whole.snapshot, bit), &what));
        assert_ne!(found.last(), Some(&Found::NamedAtOpening), "{what}: the log has everything");
    }
    tell("flips of the snapshot", "blocks", whole.snapshot.len().div_ceil(BLOCK_BYTES));
    report("flips of the snapshot", &found);
    assert!(found.contains(&Found::Healed) && found.contains(&Found::NamedLater));
}

/// Shorter files, as after a file system that lost their end.
#[test]
fn files_that_are_cut_off() {
    silence_redb();
    let whole = whole(90, 30);
    let mut random = Sequence(seed());
    let cuts = scaled(400).max(6);
    for at in 0..cuts {
        let [rows, snapshot] = [&whole.rows, &whole.snapshot].map(|file| random.below(file.len()));
        let found =
            look(&whole, &whole.rows, &whole.snapshot[..snapshot], &format!("snapshot of {snapshot} bytes"));
        assert_eq!(found, Found::Healed, "{at}");
        let found = look(&whole, &whole.rows[..rows], &whole.snapshot, &format!("store of {rows} bytes"));
        assert_ne!(found, Found::Healed, "{at}");
    }
    tell("flips of the store", "files cut off", 2 * cuts);
}
