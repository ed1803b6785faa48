//! Writing a snapshot.

use std::io::{self, Write};

use xxhash_rust::xxh3::xxh3_64;

use super::{HEAD, MAGIC, Section, VERSION, VERSION_PLAIN};
use crate::hnsw::HnswAllocationIndex;
use crate::precision::Precision;

impl HnswAllocationIndex {
    /// Writes the whole index, as [`open`](Self::open) reads it.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn save(&self, to: &mut impl Write) -> io::Result<()> {
        let (nodes, graph, config) = (&self.nodes, &self.graph, &self.config);
        let settings = [
            config.dimension as u32,
            config.max_connections as u32,
            config.ef_construction as u32,
            config.ef_search as u32,
            config.precision as u32,
            graph.top() as u32,
            self.entry.unwrap_or(u32::MAX),
            nodes.slots() as u32,
        ];
        let version = if self.copies.is_empty() { VERSION_PLAIN } else { VERSION };
        let section = |to: &mut _, name, contents: &[u8]| section(to, version, name, contents);
        section(to, Section::Settings, &bytes_of(settings))?;
        section(to, Section::Codes, nodes.codes.raw())?;
        let mut live = vec![0_u8; nodes.slots().div_ceil(8)];
        for slot in nodes.live_slots() {
            live[slot as usize / 8] |= 1 << (slot % 8);
        }
        section(to, Section::Live, &live)?;
        section(to, Section::Links, &bytes_of(graph.base_raw()))?;
        for layer in 1..=graph.top() {
            section(to, Section::Layer, &bytes_of(graph.layer_raw(layer)))?;
        }
        section(to, Section::FinerPlaces, &bytes_of(nodes.finer.places().iter().copied()))?;
        for precision in Precision::ALL {
            section(to, Section::FinerCodes, nodes.finer.shelf(precision).raw())?;
        }
        if !self.copies.is_empty() {
            section(to, Section::Copies, &bytes_of(self.copies.raw()))?;
        }
        section(to, Section::End, &[])
    }
}

fn bytes_of(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    numbers.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn section(to: &mut impl Write, version: u32, section: Section, contents: &[u8]) -> io::Result<()> {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&version.to_le_bytes());
    head[12..16].copy_from_slice(&(section as u32).to_le_bytes());
    head[16..24].copy_from_slice(&(contents.len() as u64).to_le_bytes());
    head[24..32].copy_from_slice(&xxh3_64(contents).to_le_bytes());
    let check = xxh3_64(&head[..32]);
    head[32..40].copy_from_slice(&check.to_le_bytes());
    to.write_all(&head)?;
    to.write_all(contents)?;
    to.write_all(&[0; HEAD][..contents.len().next_multiple_of(HEAD) - contents.len()])
}
