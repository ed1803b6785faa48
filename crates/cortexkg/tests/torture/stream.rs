//! A long stream through a graph of constant size: memory, file and latency stay where they are.

use std::time::Instant;

use cortexkg::{DurableEngine, EngineConfig, Forget};
use cortexkg_store::{RedbStore, Sync};

use crate::common::Sequence;
use crate::common::stream;
use crate::{scaled, seed, tell};

/// Facts that are in the graph at any time.
const LIVE: usize = 2_000;
/// Facts of one source, which is forgotten as a whole.
const SOURCE_FACTS: usize = 50;
const STRETCHES: usize = 10;
/// Sources that come and go before the graph is compacted.
const COMPACT_AFTER: usize = 200;

/// Bytes of memory that the process holds, as the operating system counts; none where it does not tell.
fn resident_bytes() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split(' ').nth(1)?.parse::<usize>().ok()? * 4096)
}

fn percentile(sorted: &[u128], percent: usize) -> u128 {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

struct Stretch {
    memory: usize,
    resident: usize,
    file: u64,
    allocate_us: [u128; 2],
    forget_us: [u128; 2],
}

#[test]
fn long_stream() {
    let operations = scaled(5_000_000);
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path()).unwrap();
    let mut graph = DurableEngine::open(store, EngineConfig::default()).unwrap();
    let mut random = Sequence(seed());
    let mut next = 0;
    let mut allocate = |graph: &mut DurableEngine<RedbStore>, times: &mut Vec<u128>| {
        for at in 0..SOURCE_FACTS {
            let fact = stream::fact(&mut random).with_source(format!("s{next}")).with_id(format!("{at}"));
            let start = Instant::now();
            let result = graph.allocate_batch(vec![fact], Sync::Lazy).unwrap();
            times.push(start.elapsed().as_nanos());
            assert!(!result[0].as_ref().unwrap().repeated);
        }
        next += 1;
    };
    for _ in 0..LIVE / SOURCE_FACTS {
        allocate(&mut graph, &mut Vec::new());
    }
    let per_stretch = operations / STRETCHES / (2 * SOURCE_FACTS);
    let mut oldest = 0;
    let mut stretches = Vec::new();
    for _ in 0..STRETCHES {
        let (mut allocated, mut forgot) = (Vec::new(), Vec::new());
        for turn in 0..per_stretch {
            allocate(&mut graph, &mut allocated);
            let source = format!("s{oldest}");
            // A few facts one by one, the others at once.
            let start = Instant::now();
            for at in 0..3 {
                let (source, id) = (Some(source.as_str()), format!("{}", at * 7));
                graph.forget(&Forget::Fact { source, record_id: &id }).unwrap();
            }
            graph.forget(&Forget::Source(&source)).unwrap();
            forgot.push(start.elapsed().as_nanos() / SOURCE_FACTS as u128);
            oldest += 1;
            if (turn + 1) % COMPACT_AFTER == 0 {
                graph.compact().unwrap();
            }
        }
        assert_eq!(graph.engine().fact_count(), LIVE);
        graph.compact().unwrap();
        allocated.sort_unstable();
        forgot.sort_unstable();
        let times = |sorted: &[u128]| [50, 99].map(|percent| percentile(sorted, percent) / 1000);
        stretches.push(Stretch {
            memory: graph.memory_bytes(),
            resident: resident_bytes().unwrap_or_default(),
            file: graph.store().figures().unwrap().file_bytes,
            allocate_us: times(&allocated),
            forget_us: times(&forgot),
        });
    }
    tell("long stream", "facts taken in and forgotten", per_stretch * STRETCHES * 2 * SOURCE_FACTS);
    tell("long stream", "facts in the graph", LIVE);
    println!("stretch  counted MiB  resident MiB  file MiB  allocate p50/p99 µs  forget p50/p99 µs");
    for (at, stretch) in stretches.iter().enumerate() {
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        println!(
            "{at:>7}  {:>11.2}  {:>12.1}  {:>8.2}  {:>9} / {:>7}  {:>8} / {:>6}",
            mib(stretch.memory),
            mib(stretch.resident),
            mib(stretch.file as usize),
            stretch.allocate_us[0],
            stretch.allocate_us[1],
            stretch.forget_us[0],
            stretch.forget_us[1],
        );
    }
    // The first stretch still fills what grows once.
    let (early, late) = (&stretches[1], &stretches[STRETCHES - 1]);
    assert!(late.memory * 10 <= early.memory * 12, "{} then {} bytes", early.memory, late.memory);
    assert!(late.file * 10 <= early.file * 13, "{} then {} bytes of file", early.file, late.file);
    tell(
        "long stream",
        "counted bytes, second and last stretch",
        format!("{} / {}", early.memory, late.memory),
    );
    tell("long stream", "bytes of file, second and last stretch", format!("{} / {}", early.file, late.file));
}
