//! A disk that fails, in every way, at every operation of a run in turn.

use std::sync::Arc;

use cortexkg::{
    Depth, DurableEngine, EngineConfig, Fact, Forget, HnswLayer, Layers, OperationError, QuantizationLayer,
    StateHash,
};
use cortexkg_store::faults::{Disk, Fault};
use cortexkg_store::{RedbOptions, RedbStore, Sync};

use crate::common::stream::facts;
use crate::{is_full, silence_redb, tell};

type Graph = DurableEngine<RedbStore>;

/// A small cache, so that redb also writes and reads in the middle of transactions.
fn options() -> RedbOptions {
    RedbOptions { cache_bytes: 64 << 10, snapshot_cache_bytes: 64 << 10, ..RedbOptions::default() }
}

/// Decisions of a run.
const DECISIONS: usize = 200;

/// What a run does, one after the other. Each step is acknowledged as a whole.
#[derive(Clone)]
enum Step {
    Facts(Vec<Fact>),
    /// Two nodes, by their place among those with members.
    Merge(usize, usize),
    Unmerge(usize),
    /// The node of this place loses its last member to a new one, if it has several.
    Split(usize),
    ForgetNode(usize),
    /// The operation so many positions ago.
    Undo(u64),
    /// An index from so many nodes on, and every vector as exactly as its node is important.
    Layers(u32),
    /// The node of this place.
    Pin(usize),
    Checkpoint,
    Compact,
}

fn steps() -> Vec<Step> {
    let with_vector = |(at, fact): (usize, Fact)| {
        let vector = (0..8).map(|axis| ((at % 30 * 31 + axis * 17) * 7919 % 199) as f32 - 99.0);
        if at % 3 == 0 { fact.with_embedding(vector.collect()) } else { fact }
    };
    let mut facts = facts(7, DECISIONS).into_iter().enumerate().map(with_vector);
    let mut steps = Vec::new();
    let mut at = 0;
    while facts.len() > 0 {
        let batch = [1, 1, 3, 1, 8][at % 5];
        steps.push(Step::Facts(facts.by_ref().take(batch).collect()));
        at += 1;
        steps.extend(match at % 20 {
            3 => vec![Step::Merge(at % 7, at % 11 + 1)],
            6 => vec![Step::ForgetNode(at % 5)],
            8 => vec![Step::Undo(2)],
            9 => vec![Step::Split(at % 13)],
            10 => vec![Step::Pin(at % 7)],
            11 => vec![Step::Checkpoint],
            12 => vec![Step::Layers(at as u32 % 9)],
            14 => vec![Step::Unmerge(at % 7)],
            17 => vec![Step::ForgetNode(at % 9), Step::Compact],
            _ => Vec::new(),
        });
    }
    steps
}

impl Step {
    /// What is refused for other reasons than the disk is as good as done: it changes nothing.
    fn run(&self, graph: &mut Graph) -> Result<(), OperationError> {
        let ids: Vec<_> = graph.engine().node_ids().collect();
        let id = |at: usize| ids[at % ids.len()];
        let done = match self {
            Self::Facts(facts) => {
                let results = graph.allocate_batch(facts.clone(), Sync::Durable)?;
                results.into_iter().for_each(|result| drop(result.expect("a good fact")));
                Ok(())
            }
            Self::Merge(left, right) => graph.merge(id(*left), id(*right)).map(drop),
            Self::Unmerge(at) => graph.unmerge(id(*at)).map(drop),
            Self::Split(at) => {
                let members = graph.engine().node(id(*at)).map_or(Vec::new(), |node| node.members);
                let last = members.last().map_or("", |member| member.record_id.as_str());
                graph.split(id(*at), &[last]).map(drop)
            }
            Self::ForgetNode(at) => graph.forget(&Forget::Node(id(*at))).map(drop),
            Self::Undo(ago) => graph.undo(graph.position() - ago).map(drop),
            Self::Layers(above_nodes) => {
                let hnsw = HnswLayer { above_nodes: *above_nodes, ..HnswLayer::default() };
                let layers = Layers { hnsw: Some(hnsw), quantization: Some(QuantizationLayer::default()) };
                graph.set_layers(layers, "a test").map(drop)
            }
            Self::Pin(at) => graph.pin(id(*at), true).map(drop),
            Self::Checkpoint => graph.checkpoint(),
            Self::Compact => graph.compact().map(drop),
        };
        match done {
            Err(
                error @ (OperationError::Store(_)
                | OperationError::Broken
                | OperationError::Snapshot { .. }
                | OperationError::Diverged { .. }),
            ) => Err(error),
            _ => Ok(()),
        }
    }
}

fn open(disk: &Disk) -> Result<Graph, OperationError> {
    let store = RedbStore::open_in(Arc::new(disk.clone()), options())?;
    DurableEngine::open(store, EngineConfig::default())
}

/// Runs until the end or the first failure; a snapshot that could not be written is none. Gives how many steps were acknowledged,
/// and whether one more was begun. `seen` hears of the graph after each step.
fn run(disk: &Disk, steps: &[Step], mut seen: impl FnMut(&Graph)) -> (usize, bool) {
    let Ok(mut graph) = open(disk) else { return (0, false) };
    for (at, step) in steps.iter().enumerate() {
        match step.run(&mut graph) {
            Ok(()) => {}
            Err(_) if matches!(step, Step::Checkpoint) => {}
            Err(_) => {
                // Whoever goes on all the same is refused.
                let refused = graph.allocate_batch(vec![Fact::text("going on")], Sync::Durable);
                assert!(refused.is_err(), "memory is ahead of the store");
                return (at, true);
            }
        }
        seen(&graph);
    }
    let closed = graph.close().map(RedbStore::close);
    drop(closed);
    (steps.len(), false)
}

/// What is found after a fault.
fn check(left: &Disk, expected: &[StateHash], what: &str) {
    let mut graph = open(left).unwrap_or_else(|error| panic!("{what}: {error}"));
    let hash = graph.state_hash().unwrap();
    let found = expected.iter().position(|expected| *expected == hash);
    assert!(found.is_some(), "{what}: {} operations, none of {} states", graph.position(), expected.len());
    let report = graph.verify(Depth::Rebuild, &mut |_| {}).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(report.is_clean(), "{what}: {:?}", report.faults);
    graph.store_mut().check().unwrap_or_else(|error| panic!("{what}: {error}"));
}

/// After a disk that lied, what is found is a state from earlier, or damage that is named.
fn check_lied(left: &Disk, expected: &[StateHash], what: &str) -> bool {
    let found = open(left).and_then(|mut graph| {
        let hash = graph.state_hash()?;
        let report = graph.verify(Depth::Rebuild, &mut |_| {})?;
        Ok((hash, report.is_clean() && graph.store_mut().check().is_ok()))
    });
    match found {
        Ok((hash, is_clean)) => {
            assert!(!is_clean || expected.contains(&hash), "{what}: a state that never was");
            is_clean
        }
        Err(OperationError::Store(_) | OperationError::Diverged { .. }) => false,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// What became of a graph whose disk lost every sync from some moment on, and then power.
enum Lied {
    Sound,
    Named,
    /// redb found its file impossible while a panic was on its way, and ended the process: loud, and nothing was told wrongly.
    Aborted,
}

/// Which operation of the disk is the first whose sync is lost, and how many states there were, for the process that looks.
const LOOK: &str = "CORTEXKG_TORTURE_LOOK";
const NAMED: i32 = 3;

/// Looks in a process of its own, which redb may end.
fn look_in_a_process(at: u64, states: usize) -> Lied {
    let program = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(program);
    child.args(["--exact", "faults::looks_at_what_a_liar_left", "--ignored", "--nocapture"]);
    let output = child.env(LOOK, format!("{at} {states}")).output().unwrap();
    match output.status.code() {
        Some(0) => Lied::Sound,
        Some(NAMED) => Lied::Named,
        None => Lied::Aborted,
        Some(_) => panic!("{at}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// The other side of [`look_in_a_process`].
#[test]
#[ignore = "a part of `faults`, which starts it"]
fn looks_at_what_a_liar_left() {
    let Ok(look) = std::env::var(LOOK) else { return };
    let (at, states) = look.split_once(' ').unwrap();
    let (at, states): (u64, usize) = (at.parse().unwrap(), states.parse().unwrap());
    silence_redb();
    let steps = steps();
    let mut hashes = vec![open(&Disk::new()).unwrap().state_hash().unwrap()];
    run(&Disk::new(), &steps, |graph| hashes.push(graph.state_hash().unwrap()));
    let disk = Disk::new();
    disk.fail(at, Fault::LostSyncs);
    run(&disk, &steps, |_| {});
    let left = disk.after_power_loss(at ^ crate::seed());
    if !check_lied(&left, &hashes[..=states], "a disk that lies from now on") {
        std::process::exit(NAMED);
    }
}

#[test]
fn faults() {
    silence_redb();
    let steps = steps();
    let mut hashes = vec![open(&Disk::new()).unwrap().state_hash().unwrap()];
    let disk = Disk::new();
    let (done, _) = run(&disk, &steps, |graph| hashes.push(graph.state_hash().unwrap()));
    assert_eq!(done, steps.len());
    let operations = disk.operations();
    tell("faults", "decisions of the run", DECISIONS);
    tell("faults", "operations of the disk", operations);
    let kinds = [
        Fault::Failure,
        Fault::DiskFull,
        Fault::ShortWrite,
        Fault::TornWrite,
        Fault::PowerLoss,
        Fault::LostSync,
        Fault::LostSyncs,
    ];
    for (kind, fault) in kinds.into_iter().enumerate() {
        let (stride, first) = if is_full() { (1, 0) } else { (151 + 6 * kind as u64, 17 * kind as u64) };
        let (mut runs, mut openings, mut earlier, mut aborted) = (0, 0, 0, 0);
        for at in (first..operations).step_by(stride as usize) {
            let disk = Disk::new();
            disk.fail(at, fault);
            let (done, begun) = run(&disk, &steps, |_| {});
            runs += 1;
            let states = &hashes[done..=done + usize::from(begun)];
            let what = format!("{fault:?} at operation {at}, {done} steps acknowledged");
            if fault != Fault::PowerLoss {
                check(&disk.after_exit(), states, &what);
                openings += 1;
            }
            let left = disk.after_power_loss(at ^ crate::seed());
            match fault {
                Fault::LostSync => {
                    let upto = &hashes[..=done + usize::from(begun)];
                    earlier += usize::from(!check_lied(&left, upto, &what));
                }
                Fault::LostSyncs => match look_in_a_process(at, done + usize::from(begun)) {
                    Lied::Sound => {}
                    Lied::Named => earlier += 1,
                    Lied::Aborted => aborted += 1,
                },
                _ => check(&left, states, &format!("{what}, then without power")),
            }
            openings += 1;
        }
        tell("faults", &format!("{fault:?}: runs"), runs);
        tell("faults", &format!("{fault:?}: graphs opened again"), openings);
        if earlier > 0 {
            tell("faults", &format!("{fault:?}: damage named (the disk lied)"), earlier);
        }
        if aborted > 0 {
            tell("faults", &format!("{fault:?}: redb ended the process (the disk lied)"), aborted);
        }
    }
}
