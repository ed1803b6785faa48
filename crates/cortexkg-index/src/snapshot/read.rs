//! Reading a snapshot: nothing in it is believed before it has been checked.

use bytes::Bytes;
use cortexkg_simd::Kernels;
use xxhash_rust::xxh3::xxh3_64;

use super::{HEAD, MAGIC, Section, SnapshotError, VERSION, VERSION_PLAIN};
use crate::hnsw::{Copies, Graph, HnswAllocationIndex, HnswConfig};
use crate::nodes::Nodes;
use crate::precision::Precision;
use crate::rows::CodeRows;

impl HnswAllocationIndex {
    /// Opens what [`save`](Self::save) has written: read into memory, or mapped by the caller. Codes stay where they are until the
    /// first change; links are copied.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]: what is wrong, and where.
    pub fn open(snapshot: Bytes) -> Result<Self, SnapshotError> {
        let mut sections = Sections { rest: snapshot, version: None };
        let (config, layers, entry, slots) = settings(&sections.numbers(Section::Settings)?)?;
        let kernels = Kernels::active();
        let mut nodes = Nodes::new(config.dimension, config.precision, kernels)
            .map_err(|_| damaged(Section::Settings, "a setting is out of range"))?;
        let padded = nodes.rotation.padded();
        let rows = |precision, section, raw| {
            CodeRows::from_raw(precision, padded, raw).ok_or_else(|| damaged(section, "rows are not whole"))
        };

        nodes.codes = rows(config.precision, Section::Codes, sections.next(Section::Codes)?)?;
        if nodes.slots() != slots {
            return Err(damaged(Section::Codes, "it does not hold one row for each slot"));
        }
        let live = sections.next(Section::Live)?;
        if live.len() != slots.div_ceil(8) {
            return Err(damaged(Section::Live, "it does not hold one bit for each slot"));
        }
        let is_live = |slot: u32| live.get(slot as usize / 8).is_some_and(|byte| byte >> (slot % 8) & 1 == 1);
        if !nodes.restore((0..slots as u32).map(is_live)) {
            return Err(damaged(Section::Live, "two slots hold one id"));
        }

        let mut graph = Graph::new(config.max_connections);
        let links = sections.next(Section::Links)?;
        graph
            .restore_base(slots, whole(Section::Links, &links)?)
            .map_err(|what| damaged(Section::Links, what))?;
        for _ in 0..layers {
            let layer = sections.numbers(Section::Layer)?;
            graph.restore_layer(slots, &layer).map_err(|what| damaged(Section::Layer, what))?;
            let (top, live) = (graph.top(), &nodes.live);
            let is_below = |slot: u32| live.contains(slot as usize) && graph.is_member(top - 1, slot);
            if !graph.members(top).all(is_below) {
                return Err(damaged(Section::Layer, "a node of it is not in the layer below"));
            }
        }
        let places = sections.numbers(Section::FinerPlaces)?;
        let mut shelves = Vec::new();
        for precision in Precision::ALL {
            let raw = sections.next(Section::FinerCodes)?;
            shelves.push(rows(precision, Section::FinerCodes, raw)?);
        }
        nodes.finer.restore(places, shelves).map_err(|what| damaged(Section::FinerPlaces, what))?;
        for slot in 0..nodes.finer.places().len() as u32 {
            match nodes.finer.precision(slot) {
                Some(_) if !nodes.live.contains(slot as usize) => {
                    return Err(damaged(Section::FinerPlaces, "a free slot has a finer code"));
                }
                Some(precision) if precision <= config.precision => {
                    return Err(damaged(Section::FinerPlaces, "a finer code is not finer"));
                }
                _ => {}
            }
        }
        let mut copies = Copies::default();
        if sections.version == Some(VERSION) {
            let raw = sections.numbers(Section::Copies)?;
            copies = Copies::from_raw(&raw, slots)
                .ok_or_else(|| damaged(Section::Copies, "they do not stand behind one slot each"))?;
        }
        if !sections.next(Section::End)?.is_empty() || !sections.rest.is_empty() {
            return Err(damaged(Section::End, "it is not the end"));
        }

        let is_entry = |slot: u32| nodes.live.contains(slot as usize) && graph.is_member(graph.top(), slot);
        match entry {
            Some(slot) if !is_entry(slot) => {
                return Err(damaged(Section::Settings, "the entry is no node of the topmost layer"));
            }
            None if nodes.len() > 0 => return Err(damaged(Section::Settings, "there is no entry")),
            _ => {}
        }
        if (0..slots as u32).any(|slot| !nodes.live.contains(slot as usize) && graph.degree(0, slot) > 0) {
            return Err(damaged(Section::Links, "a free slot has links"));
        }
        let index = Self::of_parts(config, nodes, graph, copies, entry);
        if index.broken_copies() > 0 {
            return Err(damaged(Section::Copies, "one is no copy of what it stands behind"));
        }
        let audit = index.audit();
        if audit.broken_links > 0 {
            return Err(damaged(Section::Links, "a link leads nowhere or one way only"));
        }
        if !audit.unreachable.is_empty() {
            return Err(damaged(Section::Links, "they do not lead to every vector"));
        }
        Ok(index)
    }
}

fn damaged(section: Section, what: &'static str) -> SnapshotError {
    SnapshotError::Damaged { section: section.name(), what }
}

/// Settings, layers above the lowest, entry, slots.
fn settings(numbers: &[u32]) -> Result<(HnswConfig, usize, Option<u32>, usize), SnapshotError> {
    let &[dimension, connections, construction, search, precision, layers, entry, slots] = numbers else {
        return Err(damaged(Section::Settings, "it is not of its length"));
    };
    let precision = Precision::ALL.get(precision as usize);
    let precision = *precision.ok_or_else(|| damaged(Section::Settings, "the precision is unknown"))?;
    let config = HnswConfig {
        dimension: dimension as usize,
        max_connections: connections as usize,
        ef_construction: construction as usize,
        ef_search: search as usize,
        precision,
    };
    config.check().map_err(|_| damaged(Section::Settings, "a setting is out of range"))?;
    Ok((config, layers as usize, Some(entry).filter(|&entry| entry != u32::MAX), slots as usize))
}

struct Sections {
    rest: Bytes,
    /// As the first section states it.
    version: Option<u32>,
}

impl Sections {
    /// The contents of the next section, which must be this one.
    fn next(&mut self, section: Section) -> Result<Bytes, SnapshotError> {
        let name = section.name();
        let is_first = self.version.is_none();
        let head = self.rest.first_chunk::<HEAD>().copied();
        if is_first && !self.rest.starts_with(&MAGIC) {
            return Err(SnapshotError::NotASnapshot);
        }
        let head = head.ok_or(SnapshotError::Truncated { section: name })?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| head[at + i]));
        let version = number(8) as u32;
        if is_first && !(VERSION_PLAIN..=VERSION).contains(&version) {
            return Err(SnapshotError::Version { version });
        }
        let expected = *self.version.get_or_insert(version);
        if number(32) != xxh3_64(&head[..32]) || head[40..].iter().any(|&byte| byte != 0) {
            return Err(damaged(section, "the checksum of its head is wrong"));
        }
        if head[..8] != MAGIC || version != expected || (number(8) >> 32) as u32 != section as u32 {
            return Err(damaged(section, "another section stands in its place"));
        }
        let len = usize::try_from(number(16)).ok().filter(|&len| len <= self.rest.len() - HEAD);
        let len = len.ok_or(SnapshotError::Truncated { section: name })?;
        let contents = self.rest.slice(HEAD..HEAD + len);
        if xxh3_64(&contents) != number(24) {
            return Err(damaged(section, "its checksum is wrong"));
        }
        let end = (HEAD + len).next_multiple_of(HEAD);
        if end > self.rest.len() {
            return Err(SnapshotError::Truncated { section: name });
        }
        if self.rest[HEAD + len..end].iter().any(|&byte| byte != 0) {
            return Err(damaged(section, "it is followed by what is not part of it"));
        }
        self.rest = self.rest.slice(end..);
        Ok(contents)
    }

    fn numbers(&mut self, section: Section) -> Result<Vec<u32>, SnapshotError> {
        let contents = self.next(section)?;
        Ok(whole(section, &contents)?.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
    }
}

/// The contents of a section of numbers, four bytes each.
fn whole(section: Section, contents: &[u8]) -> Result<&[[u8; 4]], SnapshotError> {
    let (numbers, rest) = contents.as_chunks::<4>();
    if rest.is_empty() { Ok(numbers) } else { Err(damaged(section, "its numbers are not whole")) }
}
