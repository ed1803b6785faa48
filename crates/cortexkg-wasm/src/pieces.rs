//! What a storage keeps: a base, which is everything, and behind it what changed, piece by piece.
//!
//! | piece | bytes |
//! |---|---|
//! | base | `CKGSTATE`, the version 1 as `u32`, the length of the graph as `u64`, the graph as `.ckg`, then the columns as their crate encodes them |
//! | change | `CKGDELTA`, the version 1 as `u32`, XXH3 of all behind it as `u64`, then as postcard: XXH3 of the whole piece before it, the rows that changed, and what changed of the columns as their crate encodes that, if anything did |
//!
//! Numbers are little-endian. Graph and columns of a base bring checksums of their own. A change names the piece that it was made for, so it is
//! never applied to another.

use cortexkg_columns::apply_delta;
use cortexkg_store::{ChangeSet, MemoryRows, Snapshot, Store, StoreError, Sync, Table, read_portable};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::tracked::Changed;

const BASE: &[u8; 8] = b"CKGSTATE";
const CHANGE: &[u8; 8] = b"CKGDELTA";
const VERSION: u32 = 1;
/// Bytes of a change before its body.
const HEAD: usize = 20;
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
    pub(crate) rows: MemoryRows,
    /// As their crate encodes them.
    pub(crate) columns: Vec<u8>,
    pub(crate) chain: Chain,
}

/// What stands in a storage, as far as the next piece needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// XXH3 of the last piece.
    last: u64,
    base_bytes: usize,
    changes: usize,
    changes_bytes: usize,
}

/// Changes behind one base, and bytes that they may have whatever the base has.
const CHANGES_MAX: usize = 256;
const CHANGES_BYTES_MIN: usize = 1 << 20;

impl Chain {
    /// A base alone.
    pub(crate) fn of(base: &[u8]) -> Self {
        Self { last: xxh3_64(base), base_bytes: base.len(), changes: 0, changes_bytes: 0 }
    }

    /// With a change behind it.
    pub(crate) fn followed_by(self, change: &[u8]) -> Self {
        let (changes, changes_bytes) = (self.changes + 1, self.changes_bytes + change.len());
        Self { last: xxh3_64(change), changes, changes_bytes, ..self }
    }

    /// Whether a change still belongs behind this base; else a new base costs less than reading all of them.
    pub(crate) fn takes(&self, change: &[u8]) -> bool {
        let bytes = self.changes_bytes + change.len();
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

/// Puts everything together.
pub(crate) fn base(graph: &[u8], columns: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20 + graph.len() + columns.len());
    bytes.extend(BASE);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((graph.len() as u64).to_le_bytes());
    bytes.extend(graph);
    bytes.extend(columns);
    bytes
}

/// What has changed behind a chain of pieces.
pub(crate) fn change(
    chain: &Chain,
    store: &impl Store,
    changed: &Changed,
    columns: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    let values = changed.iter().map(|&(table, key)| store.get(table, key));
    let values = values.collect::<Result<Vec<Option<Vec<u8>>>, StoreError>>()?;
    let rows = changed.iter().zip(&values);
    let rows = rows.map(|(&(table, key), value)| Row { table: table.number(), key, value: value.as_deref() });
    let delta = Delta { before: chain.last, rows: rows.collect(), columns };
    let body = postcard::to_allocvec(&delta).map_err(|why| StoreError::damaged(PLACE, why.to_string()))?;
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    bytes.extend(CHANGE);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(xxh3_64(&body).to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

/// Puts a state together again. The first piece is its base.
pub(crate) fn restore(pieces: &[Vec<u8>]) -> Result<Restored, PieceError> {
    let (base, changes) = pieces.split_first().ok_or(PieceError::Other)?;
    let body = body(base, BASE, 0)?;
    let damaged = PieceError::Damaged { piece: 0 };
    let Some((len, rest)) = body.split_first_chunk() else { return Err(damaged) };
    let len = usize::try_from(u64::from_le_bytes(*len)).ok();
    let Some((graph, columns)) = len.and_then(|len| rest.split_at_checked(len)) else { return Err(damaged) };
    let mut rows = MemoryRows::default();
    read_portable(&Snapshot::open(graph.to_vec(), PLACE, CACHE_BYTES)?, PLACE, &mut rows)?;
    let mut restored = Restored { rows, columns: columns.to_vec(), chain: Chain::of(base) };
    for (piece, bytes) in (1..).zip(changes) {
        restored.apply(piece, bytes)?;
    }
    Ok(restored)
}

impl Restored {
    fn apply(&mut self, piece: usize, bytes: &[u8]) -> Result<(), PieceError> {
        let damaged = || PieceError::Damaged { piece };
        let (check, body) = body(bytes, CHANGE, piece)?.split_first_chunk().ok_or_else(damaged)?;
        if u64::from_le_bytes(*check) != xxh3_64(body) {
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
        self.rows.commit(changes, Sync::Durable)?;
        self.chain = self.chain.followed_by(bytes);
        Ok(())
    }
}

/// What is behind the head of a piece.
fn body<'a>(bytes: &'a [u8], magic: &[u8; 8], piece: usize) -> Result<&'a [u8], PieceError> {
    let rest = bytes.strip_prefix(magic).ok_or(match piece {
        0 => PieceError::Other,
        _ => PieceError::Damaged { piece },
    })?;
    let (version, body) = rest.split_first_chunk().ok_or(PieceError::Damaged { piece })?;
    match u32::from_le_bytes(*version) {
        VERSION => Ok(body),
        other => Err(PieceError::Version(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracked::Tracked;
    use cortexkg_columns::ColumnAllocator;
    use cortexkg_store::write_portable;

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
        let mut pieces = vec![base(&portable(&store), &columns)];
        let mut chain = Chain::of(&pieces[0]);
        put(&mut store, 3, b"three");
        let mut gone = ChangeSet::default();
        gone.delete(Table::Log, 1);
        store.commit(gone, Sync::Durable).unwrap();
        let changed = store.take().unwrap();
        assert_eq!(changed.len(), 2);
        pieces.push(change(&chain, &store, &changed, None).unwrap());
        chain = chain.followed_by(&pieces[1]);
        put(&mut store, 2, b"other");
        pool.allocate(7, &[]).unwrap();
        let (changed, moved) = (store.take().unwrap(), pool.encode_since(&columns).unwrap());
        pieces.push(change(&chain, &store, &changed, Some(&moved)).unwrap());
        (store, pool.encode(), pieces)
    }

    #[test]
    fn a_state_comes_back_from_its_pieces() {
        let (store, columns, pieces) = pieces();
        let restored = restore(&pieces).unwrap();
        assert_eq!(portable(&restored.rows), portable(&store));
        assert_eq!(restored.columns, columns);
        assert_eq!(restored.chain.changes, 2);
        let earlier = restore(&pieces[..2]).unwrap();
        assert_ne!(earlier.columns, columns);
        assert_eq!(earlier.rows.get(Table::Log, 1).unwrap(), None);
    }

    #[test]
    fn what_is_damaged_or_out_of_order_is_refused() {
        let (_, columns, pieces) = pieces();
        assert!(matches!(restore(&[]), Err(PieceError::Other)));
        let without = [pieces[0].clone(), pieces[2].clone()];
        assert!(matches!(restore(&without), Err(PieceError::Astray { piece: 1 })));
        let mut newer = pieces.clone();
        newer[1][8] = 2;
        assert!(matches!(restore(&newer), Err(PieceError::Version(2))));
        for piece in 0..3 {
            for at in 0..pieces[piece].len() {
                // The columns of a base are checked by their own crate.
                if piece == 0 && at + columns.len() >= pieces[0].len() {
                    break;
                }
                let mut other = pieces.clone();
                other[piece][at] ^= 4;
                assert!(restore(&other).is_err(), "piece {piece}, byte {at}");
                other[piece].truncate(at);
                assert!(restore(&other).is_err(), "piece {piece}, cut at {at}");
            }
        }
    }

    #[test]
    fn a_new_base_comes_when_changes_are_half_of_it() {
        let chain = Chain::of(&vec![0; 4 << 20]);
        assert!(chain.takes(&vec![0; 2 << 20]));
        assert!(!chain.takes(&vec![0; (2 << 20) + 1]));
        let long = (0..CHANGES_MAX).fold(chain, |chain, _| chain.followed_by(b"x"));
        assert!(!long.takes(b"x"));
    }
}
