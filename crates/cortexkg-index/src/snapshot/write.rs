//! Writing a snapshot.

use std::io::{self, Write};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{HEAD, MAGIC, Section, VERSION, VERSION_PLAIN};
use crate::hnsw::HnswAllocationIndex;
use crate::precision::Precision;

/// Bytes that are hashed and written at once.
const PIECE_BYTES: usize = 1 << 16;

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
        numbers(to, version, Section::Settings, || settings)?;
        section(to, version, Section::Codes, nodes.codes.raw())?;
        let mut live = vec![0_u8; nodes.slots().div_ceil(8)];
        for slot in nodes.live_slots() {
            live[slot as usize / 8] |= 1 << (slot % 8);
        }
        section(to, version, Section::Live, [&*live])?;
        numbers(to, version, Section::Links, || graph.base_raw())?;
        for layer in 1..=graph.top() {
            numbers(to, version, Section::Layer, || graph.layer_raw(layer))?;
        }
        numbers(to, version, Section::FinerPlaces, || nodes.finer.places().iter().copied())?;
        for precision in Precision::ALL {
            section(to, version, Section::FinerCodes, nodes.finer.shelf(precision).raw())?;
        }
        if !self.copies.is_empty() {
            numbers(to, version, Section::Copies, || self.copies.raw())?;
        }
        section(to, version, Section::End, [])
    }
}

/// Writes a section of numbers, piece by piece: a copy of all links would take as much memory again as they do. Asks for them twice,
/// since their checksum stands in front.
fn numbers<I: IntoIterator<Item = u32>>(
    to: &mut impl Write,
    version: u32,
    name: Section,
    all: impl Fn() -> I,
) -> io::Result<()> {
    let (mut hash, mut bytes) = (Xxh3::new(), 0);
    in_pieces(all(), |piece| {
        hash.update(piece);
        bytes += piece.len();
        Ok(())
    })?;
    to.write_all(&head(version, name, bytes, hash.digest()))?;
    in_pieces(all(), |piece| to.write_all(piece))?;
    pad(to, bytes)
}

/// Gives numbers as bytes, so many at once.
fn in_pieces(
    numbers: impl IntoIterator<Item = u32>,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    for number in numbers {
        piece.extend_from_slice(&number.to_le_bytes());
        if piece.len() >= PIECE_BYTES {
            take(&piece)?;
            piece.clear();
        }
    }
    take(&piece)
}

/// Writes a section of bytes that lie in parts.
fn section<'a>(
    to: &mut impl Write,
    version: u32,
    section: Section,
    parts: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
) -> io::Result<()> {
    let parts = parts.into_iter();
    let (mut hash, mut bytes) = (Xxh3::new(), 0);
    for part in parts.clone() {
        hash.update(part);
        bytes += part.len();
    }
    to.write_all(&head(version, section, bytes, hash.digest()))?;
    for part in parts {
        to.write_all(part)?;
    }
    pad(to, bytes)
}

fn head(version: u32, section: Section, bytes: usize, hash: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&version.to_le_bytes());
    head[12..16].copy_from_slice(&(section as u32).to_le_bytes());
    head[16..24].copy_from_slice(&(bytes as u64).to_le_bytes());
    head[24..32].copy_from_slice(&hash.to_le_bytes());
    let check = xxh3_64(&head[..32]);
    head[32..40].copy_from_slice(&check.to_le_bytes());
    head
}

/// Sections begin at multiples of the length of a head.
fn pad(to: &mut impl Write, bytes: usize) -> io::Result<()> {
    to.write_all(&[0; HEAD][..bytes.next_multiple_of(HEAD) - bytes])
}
