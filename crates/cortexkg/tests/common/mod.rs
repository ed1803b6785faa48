//! The data sets that ship with the repository, and short ways to say a stream.
#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod picture;
pub(crate) mod score;
pub(crate) mod stream;
pub(crate) mod swap;

use std::io::Read;
use std::path::Path;

use cortexkg::{AllocationEngine, AllocationResult, EngineConfig, Fact};

/// Records with a header, in the order of the file. The first column is the record's identifier.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn read(path: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(path);
        let file = std::fs::File::open(&path).expect("the data ships with the repository");
        let file: Box<dyn Read> = match path.extension() {
            Some(extension) if extension == "gz" => Box::new(flate2::read::GzDecoder::new(file)),
            _ => Box::new(file),
        };
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        Self { header, rows: rows.collect() }
    }

    /// `records.csv` of a data set; of the inventors it is compressed.
    pub(crate) fn records(set: &str) -> Self {
        let suffix = if set == "patentsview-10k" { ".gz" } else { "" };
        Self::read(&format!("{set}/records.csv{suffix}"))
    }

    /// Every row as a record; an empty cell is no value.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.rows.iter().map(|row| self.fact(row).with_id(&*row[0])).collect()
    }

    fn fact(&self, row: &[String]) -> Fact {
        let cells = self.header.iter().zip(row).skip(1).filter(|(_, value)| !value.is_empty());
        Fact::record(cells.map(|(name, value)| (&**name, &**value)))
    }

    /// The same rows with their columns in another order and, if asked, under other names.
    pub(crate) fn rearranged(&self, order: &[usize], name: impl Fn(&str) -> String) -> Self {
        let pick = |row: &[String]| {
            std::iter::once(0).chain(order.iter().copied()).map(|at| row[at].clone()).collect()
        };
        let mut header: Vec<String> = pick(&self.header);
        header[1..].iter_mut().for_each(|column| *column = name(column));
        Self { header, rows: self.rows.iter().map(|row| pick(row)).collect() }
    }
}

/// A choice below `of` that looks random and is not.
pub(crate) fn choice(seed: u64, of: usize) -> usize {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) >> 33) % of as u64) as usize
}

pub(crate) fn engine() -> AllocationEngine {
    AllocationEngine::new(EngineConfig::default())
}

/// Allocates a fact that is good.
#[track_caller]
pub(crate) fn allocate(engine: &mut AllocationEngine, fact: Fact) -> AllocationResult {
    engine.allocate_fact(fact).expect("a good fact")
}

/// Allocates facts of which each is good.
#[track_caller]
pub(crate) fn allocate_all(engine: &mut AllocationEngine, facts: Vec<Fact>) -> Vec<AllocationResult> {
    engine.allocate_batch(facts).into_iter().map(|result| result.expect("a good fact")).collect()
}

/// A sequence that looks random and is the same everywhere (SplitMix64).
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % bound as u64) as usize
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// An order of the numbers `from..to`.
    pub(crate) fn shuffled(&mut self, from: usize, to: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (from..to).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}
