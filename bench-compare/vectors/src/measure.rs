//! One interleaved run: whoever is measured, the others have just been and will be again in a moment.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::data::Data;
use crate::machine::{Ticks, Use};
use crate::order::{Holder, Order};
use crate::systems::{EF_CONSTRUCTION, Effort};
use crate::truth::Truth;
use crate::tune::Tuner;

/// Recalls that searches are compared at.
pub const TARGETS: [f64; 3] = [0.90, 0.95, 0.98];
/// The recall at which allocations search, by its position; the next lower one that a system reaches.
const ALLOCATION_TARGET: usize = 1;

/// Vectors that one system adds before the next has its turn.
const ADDED_AT_ONCE: usize = 2_000;
const ALLOCATED_AT_ONCE: usize = 1_000;
/// The last of so many parts of the vectors is not added but allocated.
const ALLOCATED_PART: usize = 10;

/// What came out for one system.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    pub name: String,
    pub hardware: String,
    pub build_per_second: f64,
    pub allocate_per_second: f64,
    pub allocate_recall: f64,
    /// Full vectors read for one allocation.
    pub allocate_reads: f64,
    /// In the order of [`TARGETS`]; nothing where the target is out of reach.
    pub searches: Vec<Option<Search>>,
    /// The best recall that any effort tried has had.
    pub best_recall: f64,
    pub resident_bytes_per_node: f64,
    pub reported_bytes_per_node: Option<f64>,
}

/// Searches at one effort.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    pub effort: Effort,
    pub recall: f64,
    /// Share of the queries that found none of their nearest.
    pub lost: f64,
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Full vectors read for one query.
    pub reads: f64,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Run {
    pub data: String,
    pub count: usize,
    pub dimension: usize,
    pub queries: usize,
    pub threads: usize,
    pub machine: Use,
    pub seconds: f64,
    pub figures: Vec<Figures>,
}

/// Measures these systems over the data.
pub fn run(
    data: &Data,
    truth_of: impl Fn(usize) -> Result<Truth>,
    names: &[String],
    threads: usize,
    rounds: usize,
) -> Result<Run> {
    // Nothing is allocated of sets too small for it to tell anything.
    let built = data.count - data.count / ALLOCATED_PART;
    let truth = truth_of(built)?;
    let (ticks, start) = (Ticks::now(), Instant::now());
    let mut holders =
        names.iter().map(|name| Holder::start(name, data, threads)).collect::<Result<Vec<_>>>()?;
    let mut figures: Vec<Figures> =
        names.iter().map(|name| Figures { name: name.clone(), ..Figures::default() }).collect();

    let add = |first, count| Order::Add { first, count };
    let rates = in_turns(&mut holders, "adding", 0..built, ADDED_AT_ONCE, add)?;
    for (figures, turns) in figures.iter_mut().zip(rates) {
        // Of those that found the index at least half full.
        figures.build_per_second = median(turns[turns.len() / 2..].iter().map(|turn| turn.rate));
    }
    search(&mut holders, &mut figures, &truth, rounds)?;
    for (holder, figures) in holders.iter_mut().zip(&mut figures) {
        let reached = figures.searches[..=ALLOCATION_TARGET].iter().rev().flatten().next();
        let effort = reached.map(|search| search.effort);
        holder.ask(Order::SetEffort(effort.unwrap_or(Effort { ef: EF_CONSTRUCTION, rescored: None })))?;
        figures.allocate_recall = truth.recall(&holder.ask(Order::Find)?.found);
    }
    let allocate = |first, count| Order::Allocate { first, count };
    let rates = in_turns(&mut holders, "allocating", built..data.count, ALLOCATED_AT_ONCE, allocate)?;
    let (mut cpu_ns, mut run_ns, mut wait_ns) = (0, 0, 0);
    for ((holder, figures), turns) in holders.iter_mut().zip(&mut figures).zip(rates) {
        figures.allocate_per_second = median(turns.iter().map(|turn| turn.rate));
        figures.allocate_reads = median(turns.iter().map(|turn| turn.reads));
        let report = holder.ask(Order::Report)?;
        figures.hardware = report.hardware;
        figures.resident_bytes_per_node = report.resident_bytes as f64 / data.count as f64;
        figures.reported_bytes_per_node = report.reported_bytes.map(|bytes| bytes as f64 / data.count as f64);
        cpu_ns += report.cpu_ns;
        run_ns += report.run_ns;
        wait_ns += report.wait_ns;
    }
    let seconds = start.elapsed().as_secs_f64();
    let machine = Use::since(ticks, cpu_ns, run_ns, wait_ns, seconds);
    let (name, dimension) = (data.name.clone(), data.rows.dimension());
    let (count, queries) = (data.count, data.queries);
    Ok(Run { data: name, count, dimension, queries, threads, machine, seconds, figures })
}

/// A turn of one system: vectors in a second, and what it read for each.
#[derive(Debug, Clone, Copy)]
struct Turn {
    rate: f64,
    reads: f64,
}

/// Has every system do the same to each part of the rows, one system after the other, part after part.
fn in_turns(
    holders: &mut [Holder],
    what: &str,
    rows: std::ops::Range<usize>,
    at_once: usize,
    order: impl Fn(usize, usize) -> Order,
) -> Result<Vec<Vec<Turn>>> {
    let mut turns = vec![Vec::new(); holders.len()];
    let (start, length) = (Instant::now(), rows.len());
    for (part, first) in rows.clone().step_by(at_once).enumerate() {
        let count = at_once.min(rows.end - first);
        for (holder, turns) in holders.iter_mut().zip(&mut turns) {
            let reply = holder.ask(order(first, count))?;
            turns.push(Turn { rate: count as f64 / reply.seconds, reads: reply.reads as f64 / count as f64 });
        }
        if part % 8 == 7 {
            let done = first + count - rows.start;
            eprintln!("{what}: {done} of {length}, {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    Ok(turns)
}

/// Finds for each system the effort that reaches each target, then has them all search in rounds.
fn search(holders: &mut [Holder], figures: &mut [Figures], truth: &Truth, rounds: usize) -> Result<()> {
    let mut efforts = Vec::new();
    for (holder, figures) in holders.iter_mut().zip(&mut *figures) {
        eprintln!("looking for the effort of {}", holder.name);
        let mut tuner = Tuner::new(holder, truth);
        efforts.push(TARGETS.iter().map(|&target| tuner.reach(target)).collect::<Result<Vec<_>>>()?);
        figures.best_recall = tuner.best_recall();
    }
    let mut replies = vec![vec![Vec::new(); TARGETS.len()]; holders.len()];
    for round in 0..rounds {
        eprintln!("searching, round {} of {rounds}", round + 1);
        for target in 0..TARGETS.len() {
            for ((holder, efforts), replies) in holders.iter_mut().zip(&efforts).zip(&mut replies) {
                if let Some(effort) = efforts[target] {
                    holder.ask(Order::SetEffort(effort))?;
                    replies[target].push(holder.ask(Order::Search)?);
                }
            }
        }
    }
    for ((figures, efforts), replies) in figures.iter_mut().zip(&efforts).zip(&replies) {
        for (effort, replies) in efforts.iter().zip(replies) {
            figures.searches.push(effort.map(|effort| {
                let queries = replies[0].found.len();
                // Of each query the median of all rounds: what it takes when nobody interferes.
                let mut micros: Vec<f64> = (0..queries)
                    .map(|query| median(replies.iter().map(|reply| f64::from(reply.micros[query]))))
                    .collect();
                micros.sort_by(f64::total_cmp);
                Search {
                    effort,
                    recall: truth.recall(&replies[0].found),
                    lost: truth.lost(&replies[0].found),
                    per_second: queries as f64 / median(replies.iter().map(|reply| reply.seconds)),
                    p50_us: micros[queries / 2],
                    p99_us: micros[queries * 99 / 100],
                    reads: replies[0].reads as f64 / queries as f64,
                }
            }));
        }
    }
    Ok(())
}

/// The middle one; of an even number the upper of the two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
