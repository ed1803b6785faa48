//! Which nodes does a stream of decisions look at? The path of a fact, cut in two: the candidates are noted before they compete.
//!
//! `cargo run --release -p cortexkg --example accesses -- RECORDS.csv ACCESSES`
//!
//! Reads a CSV file whose first column names the records, allocates every row, and writes the numbers of the nodes looked at as
//! little-endian `u32`: for each record its candidates, strongest recall first, then the node that it went to. `cargo xtask bench tiers`
//! measures caches on that.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use cortexkg::{AllocationEngine, EngineConfig, Fact};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(records), Some(accesses)) = (arguments.next(), arguments.next()) else {
        return Err("name the records and the file to write: accesses RECORDS.csv ACCESSES".into());
    };
    let mut reader = csv::Reader::from_path(&records)?;
    let mut out = BufWriter::new(File::create(accesses)?);
    let header = reader.headers()?.clone();
    let mut engine = AllocationEngine::new(EngineConfig::default());
    for row in reader.records() {
        let row = row?;
        let cells = header.iter().zip(&row).skip(1).filter(|(_, value)| !value.is_empty());
        let perceived = engine.perceive(Fact::record(cells).with_id(&row[0]))?;
        let candidates = engine.recall(&perceived, 0);
        let ballot = engine.decide(&perceived, 0, &candidates);
        let result = engine.commit(&perceived, vec![ballot])?;
        let looked_at = candidates.candidates.iter().map(|candidate| candidate.node);
        for node in looked_at.chain([result.allocated_node]) {
            out.write_all(&u32::try_from(node.0)?.to_le_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}
