//! What a storage keeps: a base, which is everything, and behind it what changed, piece by piece.
//!
//! | piece | bytes |
//! |---|---|
//! | base | `CKGSTATE`, the version 2 as `u32`, the length of the columns as `u64`, the columns as their crate encodes them, then the graph as `.ckg`. Version 1 has the length of the graph, the graph, then the columns |
//! | change | `CKGDELTA`, the version 1 as `u32`, XXH3 of all behind it as `u64`, then as postcard: XXH3 of the whole piece before it, the rows that changed, and what changed of the columns as their crate encodes that, if anything did |
//!
//! Numbers are little-endian. Graph and columns of a base bring checksums of their own. A change names the piece that it was made for, so it is
//! never applied to another.

use std::io::{self, Write};
use std::sync::Arc;

use cortexkg_columns::apply_delta;
use cortexkg_store::snapshot::Source;
use cortexkg_store::{
    ChangeSet, Snapshot, Store, StoreError, Table, check_portable, scan_portable, write_portable,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::changed::Changed;
use crate::heap::HeapRows;

const BASE: &[u8; 8] = b"CKGSTATE";
const CHANGE: &[u8; 8] = b"CKGDELTA";
const BASE_VERSION: u32 = 2;
/// That of bases whose graph came first.
const BASE_OF_OLD: u32 = 1;
const CHANGE_VERSION: u32 = 1;
/// Bytes of a piece before its body.
const HEAD: usize = 20;
/// Bytes that are read at once, and of rows that are taken over at once.
const AT_ONCE: usize = 1 << 18;
/// Bytes of blocks that are kept while a graph is read, in order.
const CACHE_BYTES: u64 = 1 << 20;
const PLACE: &str = "what the storage holds";

/// Why pieces are no state.
#[derive(Debug, Error)]
pub(crate) enum PieceError {
    #[error("what the storage holds was not saved by CortexKG; give another name")]
    Other,
    #[error("what the storage holds was saved by another version ({0}); use that one")]
    Version(u32),
    #[error(
        "piece {piece} of what the storage holds is damaged; restore it from a copy, or give another name"
    )]
    Damaged { piece: usize },
    #[error(
        "piece {piece} of what the storage holds does not follow the one before it; restore it from a copy, or give another name"
    )]
    Astray { piece: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A state as it was put together from its pieces.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) rows: HeapRows,
    /// As their crate encodes them.
    pub(crate) columns: Vec<u8>,
    pub(crate) chain: Chain,
}

/// What stands in a storage, as far as the next piece needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// XXH3 of the last piece.
    last: u64,
    base_bytes: u64,
    changes: usize,
    changes_bytes: u64,
}

/// Changes behind one base, and bytes that they may have whatever the base has.
const CHANGES_MAX: usize = 256;
const CHANGES_BYTES_MIN: u64 = 1 << 20;
/// Bytes of rows that a change may have where a base can be written part by part, which takes no memory.
pub(crate) const CHANGE_BYTES_MAX: usize = 16 << 20;

impl Chain {
    /// A base alone.
    fn of(last: u64, base_bytes: u64) -> Self {
        Self { last, base_bytes, changes: 0, changes_bytes: 0 }
    }

    /// With a change behind it.
    pub(crate) fn followed_by(self, change: &[u8]) -> Self {
        let (changes, changes_bytes) = (self.changes + 1, self.changes_bytes + change.len() as u64);
        Self { last: xxh3_64(change), changes, changes_bytes, ..self }
    }

    /// Whether a change still belongs behind this base; else a new base costs less than reading all of them.
    pub(crate) fn takes(&self, change: &[u8]) -> bool {
        let bytes = self.changes_bytes + change.len() as u64;
        self.changes < CHANGES_MAX && bytes <= CHANGES_BYTES_MIN.max(self.base_bytes / 2)
    }
}

#[derive(Serialize, Deserialize)]
struct Delta<'a> {
    before: u64,
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
    /// What has changed of them, as their crate encodes that; none if they are as before.
    columns: Option<&'a [u8]>,
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    table: u8,
    key: u64,
    /// None if it is gone.
    value: Option<&'a [u8]>,
}

/// Writes everything; what stands in the storage then.
pub(crate) fn write_base(
    out: &mut dyn Write,
    columns: &[u8],
    store: &impl Store,
) -> Result<Chain, StoreError> {
    let failed = |why| StoreError::io(PLACE, why);
    let mut out = Hashed { out, digest: Xxh3::new(), bytes: 0 };
    let head = [&BASE[..], &BASE_VERSION.to_le_bytes(), &(columns.len() as u64).to_le_bytes(), columns];
    head.iter().try_for_each(|part| out.write_all(part)).map_err(failed)?;
    write_portable(store, &mut out, &mut |_| {})?;
    Ok(Chain::of(out.digest.digest(), out.bytes))
}

/// Knows the XXH3 of what is written through it.
struct Hashed<'a> {
    out: &'a mut dyn Write,
    digest: Xxh3,
    bytes: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What has changed behind a chain of pieces.
pub(crate) fn change(
    chain: &Chain,
    store: &impl Store,
    changed: &Changed,
    columns: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    let values = changed.iter().map(|(table, key)| store.get(table, key));
    let values = values.collect::<Result<Vec<Option<Vec<u8>>>, StoreError>>()?;
    let rows = changed.iter().zip(&values);
    let rows = rows.map(|((table, key), value)| Row { table: table.number(), key, value: value.as_deref() });
    let delta = Delta { before: chain.last, rows: rows.collect(), columns };
    let body = postcard::to_allocvec(&delta).map_err(|why| StoreError::damaged(PLACE, why.to_string()))?;
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    bytes.extend(CHANGE);
    bytes.extend(CHANGE_VERSION.to_le_bytes());
    bytes.extend(xxh3_64(&body).to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

/// Puts a state together again, into rows that are empty. The first piece is its base.
pub(crate) fn restore(pieces: &[Piece], mut rows: HeapRows) -> Result<Restored, PieceError> {
    let (base, changes) = pieces.split_first().ok_or(PieceError::Other)?;
    let (version, length) = head(base, BASE, 0)?;
    let rest = bytes_of(base)? - HEAD as u64;
    let after = rest.checked_sub(length).ok_or(PieceError::Damaged { piece: 0 })?;
    let (graph, columns) = match version {
        BASE_VERSION => ((length, after), (0, length)),
        BASE_OF_OLD => ((0, length), (length, after)),
        other => return Err(PieceError::Version(other)),
    };
    let part = |(from, bytes)| Part { piece: base.clone(), from: HEAD as u64 + from, bytes };
    fill(&mut rows, &Snapshot::open(part(graph), PLACE, CACHE_BYTES)?, PLACE)?;
    let columns = whole(&part(columns))?;
    let chain = Chain::of(hash_of(base)?, bytes_of(base)?);
    let mut restored = Restored { rows, columns, chain };
    for (piece, bytes) in (1..).zip(changes) {
        restored.apply(piece, &whole(&**bytes)?)?;
    }
    Ok(restored)
}

/// Puts the rows of a `.ckg` file into rows that are empty. The whole file is verified first.
pub(crate) fn fill(rows: &mut HeapRows, file: &Snapshot, place: &str) -> Result<(), StoreError> {
    check_portable(file, place)?;
    let (mut changes, mut bytes) = (ChangeSet::default(), 0);
    scan_portable(file, place, &mut |table, key, value| {
        changes.put(table, key, value.to_vec());
        bytes += value.len();
        if bytes < AT_ONCE {
            return Ok(());
        }
        bytes = 0;
        rows.commit(std::mem::take(&mut changes))
    })?;
    rows.commit(changes)
}

impl Restored {
    fn apply(&mut self, piece: usize, bytes: &[u8]) -> Result<(), PieceError> {
        let damaged = || PieceError::Damaged { piece };
        let (head, body) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let (version, check) = read_head(head, CHANGE).ok_or_else(damaged)?;
        if version != CHANGE_VERSION {
            return Err(PieceError::Version(version));
        }
        if check != xxh3_64(body) {
            return Err(damaged());
        }
        let delta: Delta<'_> = postcard::from_bytes(body).map_err(|_| damaged())?;
        if delta.before != self.chain.last {
            return Err(PieceError::Astray { piece });
        }
        let mut changes = ChangeSet::default();
        for Row { table, key, value } in delta.rows {
            let table = Table::ALL.into_iter().find(|known| known.number() == table).ok_or_else(damaged)?;
            match value {
                Some(value) => changes.put(table, key, value.to_vec()),
                None => changes.delete(table, key),
            }
        }
        if let Some(columns) = delta.columns {
            self.columns = apply_delta(&self.columns, columns).map_err(|_| damaged())?;
        }
        self.rows.commit(changes)?;
        self.chain = self.chain.followed_by(bytes);
        Ok(())
    }
}

/// A piece that is read a part at a time.
pub(crate) type Piece = Arc<dyn Source>;

/// A part of a piece.
#[derive(Debug)]
struct Part {
    piece: Piece,
    from: u64,
    bytes: u64,
}

impl Source for Part {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        if at.checked_add(into.len() as u64).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.piece.read_at(self.from + at, into)
    }
}

fn unread(why: io::Error) -> StoreError {
    StoreError::io(PLACE, why)
}

fn bytes_of(piece: &Piece) -> Result<u64, StoreError> {
    piece.bytes().map_err(unread)
}

/// All bytes of a source.
fn whole(source: &(impl Source + ?Sized)) -> Result<Vec<u8>, StoreError> {
    let bytes = usize::try_from(source.bytes().map_err(unread)?).unwrap_or(usize::MAX);
    let mut all = Vec::new();
    all.try_reserve_exact(bytes).map_err(|_| unread(io::ErrorKind::OutOfMemory.into()))?;
    all.resize(bytes, 0);
    source.read_at(0, &mut all).map_err(unread)?;
    Ok(all)
}

fn hash_of(piece: &Piece) -> Result<u64, StoreError> {
    let (mut digest, mut buffer, mut at) = (Xxh3::new(), vec![0; AT_ONCE], 0);
    let end = bytes_of(piece)?;
    while at < end {
        let part = &mut buffer[..AT_ONCE.min((end - at) as usize)];
        piece.read_at(at, part).map_err(unread)?;
        digest.update(part);
        at += part.len() as u64;
    }
    Ok(digest.digest())
}

/// Version and number in the head of a piece.
fn head(piece: &Piece, magic: &[u8; 8], number: usize) -> Result<(u32, u64), PieceError> {
    let mut bytes = [0; HEAD];
    let is_there = bytes_of(piece)? >= HEAD as u64;
    if is_there {
        piece.read_at(0, &mut bytes).map_err(unread)?;
    }
    read_head(&bytes, magic).ok_or(if number == 0 {
        PieceError::Other
    } else {
        PieceError::Damaged { piece: number }
    })
}

fn read_head(head: &[u8; HEAD], magic: &[u8; 8]) -> Option<(u32, u64)> {
    let (version, number) = head.strip_prefix(magic)?.split_first_chunk()?;
    Some((u32::from_le_bytes(*version), u64::from_le_bytes(number.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracked::Tracked;
    use cortexkg_columns::ColumnAllocator;
    use cortexkg_store::Sync;

    fn put(store: &mut Tracked, key: u64, value: &[u8]) {
        let mut changes = ChangeSet::default();
        changes.put(Table::Log, key, value.to_vec());
        store.commit(changes, Sync::Durable).unwrap();
    }

    fn portable(store: &impl Store) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_portable(store, &mut bytes, &mut |_| {}).unwrap();
        bytes
    }

    /// A base, a change, and a change behind that, with the rows and columns that they make.
    fn pieces() -> (Tracked, Vec<u8>, Vec<Vec<u8>>) {
        let (mut store, mut pool) = (Tracked::default(), ColumnAllocator::with_columns(16).unwrap());
        put(&mut store, 1, b"one");
        put(&mut store, 2, b"two");
        store.take();
        let columns = pool.encode();
        let mut pieces = vec![Vec::new()];
        let mut chain = write_base(&mut pieces[0], &columns, &store).unwrap();
        put(&mut store, 3, b"three");
        let mut gone = ChangeSet::default();
        gone.delete(Table::Log, 1);
        store.commit(gone, Sync::Durable).unwrap();
        let changed = store.take().unwrap();
        assert_eq!(changed.iter().count(), 2);
        pieces.push(change(&chain, &store, &changed, None).unwrap());
        chain = chain.followed_by(&pieces[1]);
        put(&mut store, 2, b"other");
        pool.allocate(7, &[]).unwrap();
        let (changed, moved) = (store.take().unwrap(), pool.encode_since(&columns).unwrap());
        pieces.push(change(&chain, &store, &changed, Some(&moved)).unwrap());
        (store, pool.encode(), pieces)
    }

    fn restored(pieces: &[Vec<u8>]) -> Result<Restored, PieceError> {
        let pieces: Vec<Piece> = pieces.iter().map(|piece| Arc::new(piece.clone()) as Piece).collect();
        restore(&pieces, HeapRows::default())
    }

    #[test]
    fn a_state_comes_back_from_its_pieces() {
        let (store, columns, pieces) = pieces();
        let back = restored(&pieces).unwrap();
        assert_eq!(back.columns, columns);
        assert_eq!(back.chain.changes, 2);
        assert_eq!(portable(&Tracked::kept(back.rows)), portable(&store));
        let earlier = restored(&pieces[..2]).unwrap();
        assert_ne!(earlier.columns, columns);
        assert_eq!(earlier.rows.get(Table::Log, 1).unwrap(), None);
    }

    /// As it was written first.
    #[test]
    fn a_base_whose_graph_comes_first_is_read() {
        let (store, columns, _) = pieces();
        let graph = portable(&store);
        let head = [&BASE[..], &BASE_OF_OLD.to_le_bytes(), &(graph.len() as u64).to_le_bytes()].concat();
        let base = [head, graph.clone(), columns.clone()].concat();
        let back = restored(std::slice::from_ref(&base)).unwrap();
        assert_eq!(back.columns, columns);
        assert_eq!(back.chain, Chain::of(xxh3_64(&base), base.len() as u64));
        assert_eq!(portable(&Tracked::kept(back.rows)), graph);
    }

    #[test]
    fn what_is_damaged_or_out_of_order_is_refused() {
        let (_, columns, pieces) = pieces();
        assert!(matches!(restored(&[]), Err(PieceError::Other)));
        assert!(matches!(restored(&[b"short".to_vec()]), Err(PieceError::Other)));
        let without = [pieces[0].clone(), pieces[2].clone()];
        assert!(matches!(restored(&without), Err(PieceError::Astray { piece: 1 })));
        for piece in [0, 1] {
            let mut newer = pieces.clone();
            newer[piece][8] = 3;
            assert!(matches!(restored(&newer), Err(PieceError::Version(3))));
        }
        for piece in 0..3 {
            for at in 0..pieces[piece].len() {
                // The columns of a base are checked by their own crate.
                if piece == 0 && (HEAD..HEAD + columns.len()).contains(&at) {
                    continue;
                }
                let mut other = pieces.clone();
                other[piece][at] ^= 4;
                assert!(restored(&other).is_err(), "piece {piece}, byte {at}");
                other[piece].truncate(at);
                assert!(restored(&other).is_err(), "piece {piece}, cut at {at}");
            }
        }
    }

    #[test]
    fn a_new_base_comes_when_changes_are_half_of_it() {
        let chain = Chain::of(0, 4 << 20);
        assert!(chain.takes(&vec![0; 2 << 20]));
        assert!(!chain.takes(&vec![0; (2 << 20) + 1]));
        let long = (0..CHANGES_MAX).fold(chain, |chain, _| chain.followed_by(b"x"));
        assert!(!long.takes(b"x"));
    }
}
