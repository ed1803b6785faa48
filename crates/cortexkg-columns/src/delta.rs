//! What has changed since a snapshot, as bytes, and the later snapshot out of both.
//!
//! A number whose size is not given takes 1 to 10 bytes: seven bits each, the lowest first, and the highest bit says that there are more (LEB128).
//! All others are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CKCDELTA` |
//! | 4 | version of the format: 1 |
//! | 8 | checksum of the snapshot it goes on from: that at its end |
//! | 8 | checksum of the snapshot it makes |
//! | as of a snapshot | the head of the snapshot it makes, without `CKCOLUMN` |
//! | 4, 4 | number of columns that became free; of columns that hold something new |
//! | | each column that became free: how many columns are between it and the one before, or 0; ascending |
//! | | each column that holds something new, ascending: such a number; |
//! | 1 | … which [fields of its record](crate::record) follow, the lowest bit for the first: uses, distance, activation, concept, kin, tick of its allocation, its time, tick of its activation; |
//! | | … if its concept does not follow, from which column it came, and all other fields with it: their difference, twice, and less one if it was a lower one; |
//! | | … those fields; of the activation the bits as a float, exclusive or those of 1 |
//! | 8 | XXH3 of all before |
//!
//! So a concept that was used takes about 8 bytes, one that has moved 3, a new one about 16, and everything else none.

use std::iter::Peekable;
use std::slice::Iter;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::allocator::ColumnAllocator;
use crate::error::ColumnError;
use crate::reader::{Reader, write_varying};
use crate::record::{self, CONCEPT, FIELDS, Record};
use crate::snapshot::{CHECK, HEAD, MAGIC, Snapshot};

const MAGIC_DELTA: &[u8; 8] = b"CKCDELTA";
const VERSION: u32 = 1;
/// Bytes before the head of the snapshot that is made.
const FRONT: usize = 28;

impl ColumnAllocator {
    /// What has changed since the pool was encoded, as bytes: `before` is what [`encode`](Self::encode) gave then, or what [`apply_delta`] made.
    /// [`apply_delta`] puts both together to what [`encode`](Self::encode) gives now. Where nothing has changed they are fewer than 100 bytes.
    ///
    /// Any snapshot can be gone on from, also one from before the pool [grew](Self::grow); one of another pool makes them long. Takes time
    /// proportional to the columns.
    ///
    /// # Errors
    /// [`ColumnError::Damaged`] if `before` is no snapshot: then [`encode`](Self::encode) the whole.
    pub fn encode_since(&self, before: &[u8]) -> Result<Vec<u8>, ColumnError> {
        let before = Snapshot::of(before)?;
        before.check_order()?;
        let moved = self.moved_since(before.records);
        let head = self.encoded_head();
        let mut check = Xxh3::new();
        check.update(&head);
        let (mut freed, mut filled) = (Columns::default(), Columns::default());
        let mut olds = before.records.iter().peekable();
        for (column, slot) in self.taken() {
            let new = record::record(column, &slot);
            check.update(&new);
            while let Some(old) = olds.next_if(|old| record::column(old) < column.0) {
                freed.push(record::column(old));
            }
            let here = olds.next_if(|old| record::column(old) == column.0);
            if here == Some(&new) {
                continue;
            }
            let old = here.filter(|old| record::concept(old) == slot.concept);
            filled.push(column.0);
            write_entry(&mut filled.bytes, &new, old.or_else(|| moved.get(&slot.concept).copied()));
        }
        olds.for_each(|old| freed.push(record::column(old)));

        let (_, head) = head.split_at(MAGIC.len());
        let mut bytes = Vec::with_capacity(FRONT + HEAD + freed.bytes.len() + filled.bytes.len() + CHECK);
        bytes.extend(MAGIC_DELTA);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(before.check.to_le_bytes());
        bytes.extend(check.digest().to_le_bytes());
        bytes.extend(head);
        bytes.extend(freed.count.to_le_bytes());
        bytes.extend(filled.count.to_le_bytes());
        bytes.extend(freed.bytes);
        bytes.extend(filled.bytes);
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        Ok(bytes)
    }

    /// The records of concepts that have another column now.
    fn moved_since<'a>(&self, before: &'a [Record]) -> FxHashMap<u64, &'a Record> {
        let has_moved = |old: &&Record| {
            let now = self.column_of(record::concept(old));
            now.is_some_and(|now| now.0 != record::column(old))
        };
        before.iter().filter(has_moved).map(|old| (record::concept(old), old)).collect()
    }
}

/// The snapshot that [`encode`](ColumnAllocator::encode) gave when [`encode_since`](ColumnAllocator::encode_since) made the delta, to the byte.
///
/// `before` is the snapshot that the delta was made from. What comes out is at most 28 times as long as the delta and once as long as `before`.
/// [`decode`](ColumnAllocator::decode) says whether it is a pool.
///
/// # Errors
/// [`ColumnError::Damaged`] if `before` is no snapshot, [`ColumnError::DeltaDamaged`] if `delta` is no delta, and
/// [`ColumnError::DeltaOfOther`] if it was made from another snapshot.
pub fn apply_delta(before: &[u8], delta: &[u8]) -> Result<Vec<u8>, ColumnError> {
    let before = Snapshot::of(before)?;
    before.check_order()?;
    let delta = Delta::of(delta)?;
    if delta.before != before.check {
        return Err(ColumnError::DeltaOfOther { wanted: delta.before, given: before.check });
    }
    delta.put_on(before.records)
}

/// A list of columns in ascending order.
#[derive(Default)]
struct Columns {
    bytes: Vec<u8>,
    count: u32,
    /// The lowest that can come next.
    next: u32,
}

impl Columns {
    fn push(&mut self, column: u32) {
        write_varying(&mut self.bytes, u64::from(column - self.next));
        self.count += 1;
        self.next = column + 1;
    }
}

/// Writes what a record has that the one it came from has not.
fn write_entry(bytes: &mut Vec<u8>, new: &Record, from: Option<&Record>) {
    let fields = record::fields(new);
    let known = from.map(record::fields);
    let differs = |&field: &usize| known.is_none_or(|known| known.get(field) != fields.get(field));
    let mask = (0..FIELDS).filter(differs).fold(0_u8, |mask, field| mask | 1 << field);
    bytes.push(mask);
    if let Some(from) = from {
        let step = i64::from(record::column(new)) - i64::from(record::column(from));
        write_varying(bytes, (step << 1 ^ step >> 63) as u64);
    }
    for (field, number) in fields.into_iter().enumerate() {
        if mask >> field & 1 == 1 {
            write_varying(bytes, number);
        }
    }
}

/// A delta whose frame is right.
struct Delta<'a> {
    before: u64,
    after: u64,
    /// Without what it begins with.
    head: &'a [u8],
    freed: Vec<u32>,
    filled: u32,
    /// At the first column that holds something new.
    read: Reader<'a>,
}

impl<'a> Delta<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, ColumnError> {
        let end = bytes.len().saturating_sub(CHECK);
        let (sealed, check) = bytes.split_at_checked(end).unwrap_or_default();
        let mut read = Reader::of(sealed, 0, delta_damaged);
        if read.take()? != *MAGIC_DELTA {
            return Err(delta_damaged(0, "it does not begin as one"));
        }
        let version = read.u32()?;
        if version != VERSION {
            let what = format!("version {version} of the format; this program knows {VERSION}");
            return Err(delta_damaged(8, &what));
        }
        if check.first_chunk() != Some(&xxh3_64(sealed).to_le_bytes()) {
            return Err(delta_damaged(end, "the checksum is another: bytes were changed or cut off"));
        }
        let (before, after) = (read.u64()?, read.u64()?);
        let head: [u8; HEAD - MAGIC.len()] = read.take()?;
        let (freed_count, filled) = (read.u32()?, read.u32()?);
        let mut freed = Vec::new();
        let mut next = 0;
        for _ in 0..freed_count {
            freed.push(next_column(&mut read, &mut next)?);
        }
        let head = sealed.get(FRONT..FRONT + head.len()).unwrap_or_default();
        Ok(Self { before, after, head, freed, filled, read })
    }

    /// Walks the records and what is new side by side.
    fn put_on(mut self, records: &[Record]) -> Result<Vec<u8>, ColumnError> {
        let mut bytes = Vec::with_capacity(HEAD + size_of_val(records) + CHECK);
        bytes.extend(MAGIC);
        bytes.extend(self.head);
        let mut old = Remaining { records: records.iter().peekable(), freed: self.freed.iter().peekable() };
        let mut next = 0;
        for _ in 0..self.filled {
            let column = next_column(&mut self.read, &mut next)?;
            old.copy_below(column, &mut bytes);
            old.records.next_if(|old| record::column(old) == column);
            bytes.extend(read_entry(&mut self.read, column, records)?);
        }
        old.copy_below(u32::MAX, &mut bytes);
        if let Some(column) = old.freed.next() {
            let what = format!("column {column} became free, and was not taken");
            return Err(delta_damaged(FRONT, &what));
        }
        if self.read.at != self.read.bytes.len() {
            return Err(delta_damaged(self.read.at, "it goes on"));
        }
        let check = xxh3_64(&bytes);
        if check != self.after {
            return Err(delta_damaged(FRONT - 8, "it makes another snapshot than it says"));
        }
        bytes.extend(check.to_le_bytes());
        Ok(bytes)
    }
}

/// What is not yet walked of the snapshot that is gone on from.
struct Remaining<'a> {
    records: Peekable<Iter<'a, Record>>,
    freed: Peekable<Iter<'a, u32>>,
}

impl Remaining<'_> {
    /// Copies all below a column but for what became free.
    fn copy_below(&mut self, column: u32, bytes: &mut Vec<u8>) {
        while let Some(old) = self.records.next_if(|old| record::column(old) < column) {
            if self.freed.next_if(|freed| **freed == record::column(old)).is_none() {
                bytes.extend(old);
            }
        }
    }
}

/// The next column of a list.
fn next_column(read: &mut Reader<'_>, next: &mut u32) -> Result<u32, ColumnError> {
    let at = read.at;
    let column = next.checked_add(read.varying_u32()?).filter(|&column| column < u32::MAX);
    let column = column.ok_or_else(|| delta_damaged(at, "there is no such column"))?;
    *next = column + 1;
    Ok(column)
}

/// The record of a column that holds something new.
fn read_entry(read: &mut Reader<'_>, column: u32, records: &[Record]) -> Result<Record, ColumnError> {
    let at = read.at;
    let [mask] = read.take()?;
    let mut fields = [0; FIELDS];
    if mask >> CONCEPT & 1 == 0 {
        let step = read.varying()?;
        let step = (step >> 1) as i64 ^ -((step & 1) as i64);
        let from = i64::from(column).checked_sub(step).and_then(|from| u32::try_from(from).ok());
        let place = from.and_then(|from| records.binary_search_by_key(&from, record::column).ok());
        let known = place.and_then(|place| records.get(place));
        let known = known.ok_or_else(|| delta_damaged(at, "it came from a column that was not taken"))?;
        fields = record::fields(known);
    }
    for (field, number) in fields.iter_mut().enumerate() {
        if mask >> field & 1 == 1 {
            *number = read.varying()?;
        }
    }
    record::of_fields(column, fields).ok_or_else(|| delta_damaged(at, "a number is too large"))
}

fn delta_damaged(at: usize, what: &str) -> ColumnError {
    ColumnError::DeltaDamaged { at, what: what.to_owned() }
}
