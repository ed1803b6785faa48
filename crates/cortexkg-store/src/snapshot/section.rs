//! Records of a section: at random, and in order.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{BLOCK_BYTES, ELSEWHERE, ELSEWHERE_BYTES, Entry, GROUP_RECORDS, u64_at};
use super::reader::Inner;
use crate::error::StoreError;
use crate::store::Visit;

/// A section of a [`Snapshot`](super::Snapshot). Cheap to clone; may be read by several threads at once.
#[derive(Debug, Clone)]
pub struct Section {
    pub(super) inner: Arc<Inner>,
    pub(super) index: usize,
}

impl Section {
    /// How many records it has.
    #[allow(clippy::len_without_is_empty)] // An empty section is a section like any other.
    pub fn len(&self) -> u64 {
        self.entry().records
    }

    /// Sum of the lengths of its records.
    pub fn bytes(&self) -> u64 {
        self.entry().bytes
    }

    /// Reads a record, counted from 0; it takes the place of what `into` holds. Mostly one block is touched besides that of the
    /// group's place.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], also for a record that is not there (whoever asks for it has the number from damaged data);
    /// [`StoreError::Io`].
    pub fn read(&self, at: u64, into: &mut Vec<u8>) -> Result<(), StoreError> {
        if at >= self.len() {
            return Err(self.damaged(&format!("no record {at}, there are {}", self.len())));
        }
        let (inner, group) = (&*self.inner, at / GROUP_RECORDS);
        into.clear();
        inner.read_cached(self.entry().places + group * 8, 8, into)?;
        let place = u64_at(into, 0);
        let records = self.group_records(group);
        into.clear();
        inner.read_cached(place, records as u64 * 2, into)?;
        let at_in_group = (at % GROUP_RECORDS) as usize;
        let elsewhere = length(into, at_in_group) == ELSEWHERE;
        let body = body(into, at_in_group);
        let bodies = place + records as u64 * 2;
        into.clear();
        inner.read_cached(bodies + body.start as u64, body.len() as u64, into)?;
        if elsewhere {
            let (at, bytes) = (u64_at(into, 0), u64_at(into, 8));
            into.clear();
            Stream::new(inner).append(at, bytes, into)?;
        }
        Ok(())
    }

    /// Visits all records in order. Reads ahead, in pieces of 256 KiB; leaves the cache alone. An error of the visitor ends it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`], and those of the visitor.
    pub fn scan(&self, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.scan_range(0..self.len(), visit)
    }

    /// As [`scan`](Self::scan), for some of the records. Numbers beyond the last one are left out.
    ///
    /// # Errors
    /// As [`scan`](Self::scan).
    pub fn scan_range(&self, records: Range<u64>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let records = records.start..records.end.min(self.len());
        if records.is_empty() {
            return Ok(());
        }
        let (mut places, mut groups, mut others) =
            (Stream::new(&self.inner), Stream::new(&self.inner), Stream::new(&self.inner));
        let (mut place, mut lengths, mut bodies, mut other) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for group in records.start / GROUP_RECORDS..records.end.div_ceil(GROUP_RECORDS) {
            place.clear();
            places.append(self.entry().places + group * 8, 8, &mut place)?;
            let place = u64_at(&place, 0);
            let count = self.group_records(group);
            lengths.clear();
            groups.append(place, count as u64 * 2, &mut lengths)?;
            let bytes: usize = (0..count).map(|at| body_bytes(length(&lengths, at))).sum();
            bodies.clear();
            groups.append(place + count as u64 * 2, bytes as u64, &mut bodies)?;
            let mut from = 0;
            for at in 0..count {
                let length = length(&lengths, at);
                let body = &bodies[from..from + body_bytes(length)];
                from += body.len();
                let number = group * GROUP_RECORDS + at as u64;
                if !records.contains(&number) {
                    continue;
                }
                if length == ELSEWHERE {
                    other.clear();
                    others.append(u64_at(body, 0), u64_at(body, 8), &mut other)?;
                    visit(number, &other)?;
                } else {
                    visit(number, body)?;
                }
            }
        }
        Ok(())
    }

    fn entry(&self) -> &Entry {
        &self.inner.sections[self.index]
    }

    fn group_records(&self, group: u64) -> usize {
        GROUP_RECORDS.min(self.len() - group * GROUP_RECORDS) as usize
    }

    fn damaged(&self, what: &str) -> StoreError {
        self.inner.damaged(&format!("section {}: {what}", self.entry().name))
    }
}

/// The length of a record of a group, as the group has it.
fn length(lengths: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([lengths[at * 2], lengths[at * 2 + 1]])
}

/// Bytes of a record's body.
fn body_bytes(length: u16) -> usize {
    if length == ELSEWHERE { ELSEWHERE_BYTES } else { usize::from(length) }
}

/// Where among the bodies of its group the body of a record is.
fn body(lengths: &[u8], at: usize) -> Range<usize> {
    let start = (0..at).map(|before| body_bytes(length(lengths, before))).sum();
    start..start + body_bytes(length(lengths, at))
}

/// Reads pieces of the stream that lie more or less in order.
struct Stream<'a> {
    inner: &'a Inner,
    /// Where the run in `run` begins in the stream.
    start: u64,
    run: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(inner: &'a Inner) -> Self {
        Self { inner, start: 0, run: Vec::new() }
    }

    /// Appends a piece of the stream.
    fn append(&mut self, at: u64, bytes: u64, into: &mut Vec<u8>) -> Result<(), StoreError> {
        let end = self.inner.end(at, bytes)?;
        let mut at = at;
        while at < end {
            if at < self.start || at >= self.start + self.run.len() as u64 {
                let first = at / BLOCK_BYTES as u64;
                // Not a run that failed half way.
                self.start = u64::MAX / 2;
                self.inner.read_run(first, &mut self.run, &mut |_| {})?;
                self.start = first * BLOCK_BYTES as u64;
            }
            let from = (at - self.start) as usize;
            let to = self.run.len().min(from + usize::try_from(end - at).unwrap_or(usize::MAX - from));
            into.extend_from_slice(&self.run[from..to]);
            at += (to - from) as u64;
        }
        Ok(())
    }
}
