//! Years of use in minutes: vectors come, go and are asked for, at a constant number alive; then recall beside a fresh build.
//!
//! `cargo bench -p cortexkg-index --bench churn -- --steps 10000000 --live 100000` prints JSON; `cargo xtask bench churn` a table.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::time::Instant;

use common::{Random, clustered};
use cortexkg_index::{ExactIndex, HnswAllocationIndex, HnswConfig, Neighbour, Precision, VectorIndex};

/// Vectors that are drawn from: each may be alive once.
const POOL_PER_LIVE: usize = 2;
const DIMENSION: usize = 64;
const QUERIES: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut steps, mut live_max) = (100_000_u64, 2_000);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--steps" => steps = args.next().ok_or("--steps needs a number")?.parse()?,
            "--live" => live_max = args.next().ok_or("--live needs a number")?.parse()?,
            _ => {}
        }
    }
    let embeddings = clustered(POOL_PER_LIVE * live_max + QUERIES, DIMENSION, 1);
    let (queries, pool) = embeddings.split_at(QUERIES);
    let mut index = HnswAllocationIndex::new(HnswConfig::new(DIMENSION))?;
    let mut live: Vec<u64> = Vec::new();
    let mut random = Random(1);
    let (mut added, mut removed, mut searched, mut unreachable) = (0_u64, 0_u64, 0_u64, 0);
    let mut hits = Vec::new();
    let start = Instant::now();
    for step in 0..steps {
        match random.below(4) {
            0 => {
                let query = index.vector(&queries[random.below(QUERIES as u64) as usize])?;
                index.search(&query, 10, &mut hits)?;
                searched += 1;
            }
            _ if live.len() < live_max => {
                let id = random.below(pool.len() as u64);
                if !index.contains(id) {
                    let vector = index.vector(&pool[id as usize])?;
                    index.add(id, &vector)?;
                    live.push(id);
                    added += 1;
                }
            }
            _ => {
                let id = live.swap_remove(random.below(live.len() as u64) as usize);
                index.remove(id)?;
                removed += 1;
            }
        }
        if (step + 1) % (steps / 10).max(1) == 0 {
            let audit = index.audit();
            unreachable += audit.unreachable.len() + audit.broken_links;
            eprintln!("{} steps, {:.0} s, {audit:?}", step + 1, start.elapsed().as_secs_f64());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut fresh = HnswAllocationIndex::new(HnswConfig::new(DIMENSION))?;
    let mut truth = ExactIndex::new(DIMENSION, Precision::Eight)?;
    for &id in &live {
        let vector = fresh.vector(&pool[id as usize])?;
        fresh.add(id, &vector)?;
        truth.add(id, &vector)?;
    }
    let (churned, built) = (recall(&index, &truth, queries)?, recall(&fresh, &truth, queries)?);
    println!(
        "{{\"steps\":{steps},\"live\":{},\"added\":{added},\"removed\":{removed},\"searched\":{searched},\"seconds\":{seconds:.1},\
         \"unreachable_or_broken\":{unreachable},\"recall_after_churn\":{churned:.4},\"recall_of_a_fresh_build\":{built:.4},\
         \"bytes_per_vector\":{}}}",
        live.len(),
        index.bytes() / live.len().max(1)
    );
    Ok(())
}

/// Recall at 10.
fn recall(
    index: &HnswAllocationIndex,
    truth: &ExactIndex,
    queries: &[Vec<f32>],
) -> Result<f64, Box<dyn Error>> {
    let (mut found, mut of) = (0, 0);
    let (mut hits, mut near): (Vec<Neighbour>, Vec<Neighbour>) = (Vec::new(), Vec::new());
    for query in queries {
        let vector = index.vector(query)?;
        index.search(&vector, 10, &mut hits)?;
        truth.search(&vector, 10, &mut near)?;
        found += hits.iter().filter(|hit| near.iter().any(|other| other.id == hit.id)).count();
        of += near.len();
    }
    Ok(f64::from(u32::try_from(found)?) / f64::from(u32::try_from(of.max(1))?))
}
