//! An index whose nodes are kept as well as they are used: most as one bit for each dimension, the most used at more.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use cortexkg_bench::Random;
use cortexkg_index::Precision;
use cortexkg_simd::Kernels;
use serde::Serialize;

use crate::data::Data;
use crate::machine;
use crate::measure::median;
use crate::rows::Rows;
use crate::systems::{CortexKg, Effort, Kept, System};
use crate::truth::Truth;

/// Shares of all nodes, from the most used on, and what they are kept at; the others stay at one bit.
const LEVELS: [(f64, Precision); 4] =
    [(0.002, Precision::Full), (0.005, Precision::Half), (0.013, Precision::Eight), (0.040, Precision::Four)];
/// How often a node is used, on average.
const USES_PER_NODE: usize = 10;
/// Length of what is added to a node's vector, of length 1, to ask for what is near it.
const QUERY_NOISE: f32 = 0.3;
const QUERIES: usize = 1_000;
const ROUNDS: usize = 5;
const ROWS_AT_ONCE: usize = 1_000;
const SEED: u64 = 0x7a69_7066;
const TARGET: f64 = 0.90;
/// As small as this the index shall be, in bytes for each node.
const TARGET_BYTES: f64 = 300.0;
/// Nodes held on to, and how many of them are ranked again by their full vectors.
const EFFORTS: [(usize, usize); 9] =
    [(32, 20), (48, 32), (64, 48), (96, 64), (128, 96), (192, 128), (256, 192), (384, 256), (512, 384)];

/// What came out.
#[derive(Debug, Serialize)]
pub struct Adaptive {
    pub data: String,
    pub count: usize,
    pub dimension: usize,
    /// In the order of [`Precision::ALL`].
    pub levels: [usize; 5],
    pub resident_bytes_per_node: f64,
    pub reported_bytes_per_node: f64,
    pub build_per_second: f64,
    pub searches: Vec<Row>,
}

/// Searches at one effort.
#[derive(Debug, Serialize)]
pub struct Row {
    pub effort: Effort,
    pub recall: f64,
    /// Share of the queries that found none of their nearest.
    pub lost: f64,
    pub per_second: f64,
    /// Full vectors read for one query.
    pub reads: f64,
}

/// Nodes by rank of use, drawn so that the one of rank `r` comes up with a probability in proportion to 1/r.
struct Zipf {
    sums: Vec<f64>,
    /// The node of each rank: which one is popular has nothing to do with its place in the data.
    nodes: Vec<u32>,
}

impl Zipf {
    fn new(count: usize, random: &mut Random) -> Self {
        let mut sum = 0.0;
        let sums = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        let sums = sums.collect();
        let mut nodes: Vec<u32> = (0..count as u32).collect();
        (1..count).rev().for_each(|last| nodes.swap(last, random.below(last as u64 + 1) as usize));
        Self { sums, nodes }
    }

    fn draw(&self, random: &mut Random) -> u32 {
        let at = random.unit() * self.sums[self.sums.len() - 1];
        self.nodes[self.sums.partition_point(|&sum| sum <= at).min(self.nodes.len() - 1)]
    }
}

/// Builds the index, has it used, raises the most used nodes, and searches as it was used.
pub fn run(data: &Data, cache: &Path) -> Result<Adaptive> {
    let (count, dimension) = (data.count, data.rows.dimension());
    let mut random = Random::new(SEED, 0);
    let zipf = Zipf::new(count, &mut random);
    let mut uses = vec![0_u32; count];
    (0..USES_PER_NODE * count).for_each(|_| uses[zipf.draw(&mut random) as usize] += 1);
    let mut by_use: Vec<u32> = (0..count as u32).collect();
    by_use.sort_by_key(|&node| (std::cmp::Reverse(uses[node as usize]), node));
    let queries = queries(&data.rows, &zipf, &mut random)?;
    let truth = Truth::of(&data.rows, count, &queries, cache)?;
    let (mut bytes, mut vectors) = (Vec::new(), Vec::new());
    data.rows.read_into(0, ROWS_AT_ONCE.min(count), &mut bytes, &mut vectors)?;

    let before = machine::resident_bytes();
    let disk = Rows::open(data.rows.path(), dimension, 0)?;
    let mut system = CortexKg::new(dimension, Precision::One, Kept::Disk(disk))?;
    let mut seconds = 0.0;
    for first in (0..count).step_by(ROWS_AT_ONCE) {
        data.rows.read_into(first, ROWS_AT_ONCE.min(count - first), &mut bytes, &mut vectors)?;
        let start = Instant::now();
        for (vector, id) in vectors.chunks_exact(dimension).zip(first as u64..) {
            system.add(id, vector)?;
        }
        seconds += start.elapsed().as_secs_f64();
        if first % (50 * ROWS_AT_ONCE) == 0 && first > 0 {
            eprintln!("adding: {first} of {count}, {seconds:.0} s");
        }
    }
    raise(&mut system, &by_use, &data.rows)?;
    let searches = EFFORTS.iter().map(|&(ef, rescored)| search(&mut system, &queries, &truth, ef, rescored));
    let searches = searches.collect::<Result<Vec<_>>>()?;
    let resident = machine::resident_bytes().saturating_sub(before);
    Ok(Adaptive {
        data: data.name.clone(),
        count,
        dimension,
        levels: system.index.precisions(),
        resident_bytes_per_node: resident as f64 / count as f64,
        reported_bytes_per_node: system.index.bytes() as f64 / count as f64,
        build_per_second: count as f64 / seconds,
        searches,
    })
}

/// Nodes drawn as they are used, each with noise around it.
fn queries(rows: &Rows, zipf: &Zipf, random: &mut Random) -> Result<Vec<f32>> {
    let mut queries = Vec::with_capacity(QUERIES * rows.dimension());
    let noise = QUERY_NOISE / (rows.dimension() as f32).sqrt();
    for _ in 0..QUERIES {
        let mut query = rows.read(zipf.draw(random) as usize, 1)?;
        query.iter_mut().for_each(|value| *value += noise * random.normal());
        // With noise around it, it has a direction.
        let _ = Kernels::active().normalize_f32(&mut query);
        queries.append(&mut query);
    }
    Ok(queries)
}

/// Gives the most used nodes the precision of their rank.
fn raise(system: &mut CortexKg, by_use: &[u32], rows: &Rows) -> Result<()> {
    let mut ranked = by_use.iter();
    for (share, precision) in LEVELS {
        for &node in ranked.by_ref().take((share * by_use.len() as f64).ceil() as usize) {
            let vector = system.index.vector(&rows.read(node as usize, 1)?)?;
            system.index.set_precision(u64::from(node), precision, Some(&vector))?;
        }
    }
    Ok(())
}

fn search(system: &mut CortexKg, queries: &[f32], truth: &Truth, ef: usize, rescored: usize) -> Result<Row> {
    let effort = Effort { ef, rescored: Some(rescored) };
    system.set_effort(effort)?;
    let dimension = system.index.config().dimension;
    let (mut seconds, mut recall, mut lost, reads) = (Vec::new(), 0.0, 0.0, system.reads());
    for _ in 0..ROUNDS {
        let mut found = vec![Vec::new(); QUERIES];
        let start = Instant::now();
        for (query, found) in queries.chunks_exact(dimension).zip(&mut found) {
            system.search(query, found)?;
        }
        seconds.push(start.elapsed().as_secs_f64());
        (recall, lost) = (truth.recall(&found), truth.lost(&found));
    }
    let reads = (system.reads() - reads) as f64 / (ROUNDS * QUERIES) as f64;
    Ok(Row { effort, recall, lost, per_second: QUERIES as f64 / median(seconds.into_iter()), reads })
}

impl Adaptive {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} vectors of {} ({} dimensions), {:.0} bytes in memory for each ({:.0} by its own count), built at {:.0}/s\n\n",
            self.count,
            self.data,
            self.dimension,
            self.resident_bytes_per_node,
            self.reported_bytes_per_node,
            self.build_per_second
        );
        text += "| precision | nodes | share |\n| --- | ---: | ---: |\n";
        for (precision, nodes) in Precision::ALL.iter().zip(self.levels) {
            text +=
                &format!("| {precision} | {nodes} | {:.2} % |\n", 100.0 * nodes as f64 / self.count as f64);
        }
        text += "\n| ef | ranked again | recall@10 | found none | queries/s | full vectors read |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for row in &self.searches {
            let rescored = row.effort.rescored.unwrap_or(row.effort.ef);
            let Row { effort, recall, lost, per_second, reads } = row;
            let lost = 100.0 * lost;
            text += &format!(
                "| {} | {rescored} | {recall:.3} | {lost:.1} % | {per_second:.0} | {reads:.0} |\n",
                effort.ef
            );
        }
        let least = self.searches.iter().find(|row| row.recall >= TARGET);
        let best = self.searches.iter().map(|row| row.recall).fold(0.0, f64::max);
        let is_small = self.resident_bytes_per_node <= TARGET_BYTES;
        let came = least.map_or_else(
            || format!("recall {best:.3} at best"),
            |row| format!("recall {:.3} with {:.0} reads", row.recall, row.reads),
        );
        let verdict = if is_small && least.is_some() { "reached" } else { "missed" };
        text + &format!(
            "\n- asked for ≤ {TARGET_BYTES:.0} bytes for each node and recall ≥ {TARGET:.2}, came out {:.0} bytes, {came}: {verdict}",
            self.resident_bytes_per_node
        )
    }
}
