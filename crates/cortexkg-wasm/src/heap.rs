//! Rows that lie in a file, and not in memory, once there are many.

use std::io;
use std::ops::Range;

use cortexkg::SwapFile;
use cortexkg_store::{Change, ChangeSet, MemoryRows, Store, StoreError, Sync, Table, Visit};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes that rows take in memory before they go to the file.
const HERE_BYTES_MAX: usize = 1 << 18;
/// What a row takes in memory beside its value, about.
const ROW_BYTES: usize = 64;
/// Bytes that are read at once where rows are read in order.
const AHEAD_BYTES: usize = 1 << 18;
/// Bytes of the XXH3 that stands behind each value in the file.
const CHECK_BYTES: usize = 8;
/// A place and a length share a number: 40 bits and 24.
const LENGTH_BITS: u32 = 24;
const LENGTH_MAX: usize = (1 << LENGTH_BITS) - 1;
/// One less than there is room for, so that no place looks like [`NOWHERE`].
const PLACE_MAX: u64 = (u64::MAX >> LENGTH_BITS) - 1;

/// Rows by table and number. Without a file all are in memory.
#[derive(Debug, Default)]
pub(crate) struct HeapRows {
    here: MemoryRows,
    here_bytes: usize,
    /// How many bytes go to the file.
    move_at: usize,
    there: [Shelf; Table::ALL.len()],
    heap: Option<Box<dyn SwapFile>>,
    /// Where the next rows go.
    end: u64,
    buffer: Vec<u8>,
}

/// Where the rows of a table lie that are in the file. One that is `here` as well is outdated.
///
/// Numbers are those of operations, so that most have the next one beside them: places stand on pages, eight bytes each. One that is alone
/// on its page takes 150.
#[derive(Debug, Default)]
struct Shelf {
    /// In order, by what their numbers have in common.
    pages: Vec<(u64, Box<Page>)>,
}

type Page = [u64; PAGE];

/// Places of a page.
const PAGE: usize = 16;
/// The place of a row that is not in the file.
const NOWHERE: u64 = u64::MAX;

/// The page of a number, and where on it.
fn on_page(key: u64) -> (u64, usize) {
    (key / PAGE as u64, (key % PAGE as u64) as usize)
}

impl Shelf {
    /// Where the page of a number stands, or belongs.
    fn find(&self, number: u64) -> Result<usize, usize> {
        match self.pages.last() {
            // Rows come in order, mostly.
            Some(&(last, _)) if last < number => Err(self.pages.len()),
            _ => self.pages.binary_search_by_key(&number, |&(known, _)| known),
        }
    }

    fn get(&self, key: u64) -> Option<(u64, usize)> {
        let (number, at) = on_page(key);
        let place = self.pages[self.find(number).ok()?].1[at];
        (place != NOWHERE).then(|| unpacked(place))
    }

    fn put(&mut self, key: u64, at: u64, length: usize) {
        let (number, on) = on_page(key);
        let page = self.find(number).unwrap_or_else(|new| {
            self.pages.insert(new, (number, Box::new([NOWHERE; PAGE])));
            new
        });
        self.pages[page].1[on] = (at << LENGTH_BITS) | length as u64;
    }

    fn remove(&mut self, key: u64) {
        let (number, at) = on_page(key);
        let Ok(page) = self.find(number) else { return };
        let places = &mut self.pages[page].1;
        places[at] = NOWHERE;
        if places.iter().all(|&place| place == NOWHERE) {
            self.pages.remove(page);
        }
    }

    /// Numbers and places from a number on, in order.
    fn from(&self, key: u64) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let (number, _) = on_page(key);
        let pages = &self.pages[self.find(number).unwrap_or_else(|next| next)..];
        let places = pages.iter().flat_map(|(number, places)| {
            places.iter().enumerate().map(move |(at, &place)| (number * PAGE as u64 + at as u64, place))
        });
        places.filter(move |&(known, place)| place != NOWHERE && known >= key)
    }
}

fn unpacked(place: u64) -> (u64, usize) {
    (place >> LENGTH_BITS, place as usize & LENGTH_MAX)
}

fn shelf(table: Table) -> usize {
    usize::from(table.number()) - 1
}

impl HeapRows {
    /// Rows that go to a file where they are many, from a place in it on.
    pub(crate) fn over(heap: Box<dyn SwapFile>, from: u64) -> Self {
        Self { heap: Some(heap), end: from, move_at: HERE_BYTES_MAX, ..Self::default() }
    }

    /// Up to where the file is in use; 0 without one.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn get(&self, table: Table, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.here.get(table, key)? {
            return Ok(Some(value));
        }
        let Some((at, length)) = self.there[shelf(table)].get(key) else { return Ok(None) };
        let mut value = vec![0; length + CHECK_BYTES];
        self.read(at, &mut value)?;
        checked(&value, at)?;
        value.truncate(length);
        Ok(Some(value))
    }

    pub(crate) fn scan(
        &self,
        table: Table,
        keys: Range<u64>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut window = Window::default();
        let mut there = self.there[shelf(table)].from(keys.start).peekable();
        let end = keys.end;
        self.here.scan(table, keys, &mut |key, value| {
            while let Some((before, place)) = there.next_if(|&(known, _)| known < key) {
                visit(before, window.row(self, place)?)?;
            }
            // The one in the file is outdated.
            there.next_if(|&(known, _)| known == key);
            visit(key, value)
        })?;
        while let Some((key, place)) = there.next_if(|&(known, _)| known < end) {
            visit(key, window.row(self, place)?)?;
        }
        Ok(())
    }

    pub(crate) fn last_key(&self, table: Table) -> Result<Option<u64>, StoreError> {
        let there = self.there[shelf(table)].from(0).next_back().map(|(key, _)| key);
        Ok(self.here.last_key(table)?.max(there))
    }

    /// Bytes of the value of a row; none if there is no such row.
    pub(crate) fn length(&self, table: Table, key: u64) -> Result<Option<usize>, StoreError> {
        match self.here.get(table, key)? {
            Some(value) => Ok(Some(value.len())),
            None => Ok(self.there[shelf(table)].get(key).map(|(_, length)| length)),
        }
    }

    pub(crate) fn commit(&mut self, changes: ChangeSet) -> Result<(), StoreError> {
        let (mut bytes, mut gone) = (0, Vec::new());
        for change in &changes.changes {
            match change {
                Change::Put { value, .. } => bytes += value.len() + ROW_BYTES,
                Change::Delete { table, key } => gone.push((*table, *key)),
            }
        }
        self.here.commit(changes, Sync::Durable)?;
        self.here_bytes += bytes;
        for (table, key) in gone {
            self.there[shelf(table)].remove(key);
        }
        if self.here_bytes > self.move_at {
            self.make_room();
        }
        Ok(())
    }

    /// Moves rows to the file, if there is one. Where it takes them not, they stay, and it is tried again when there are twice as many.
    fn make_room(&mut self) {
        let Some(heap) = self.heap.as_mut().filter(|_| self.here_bytes > self.move_at) else { return };
        let (mut buffer, mut places, mut staying) = (std::mem::take(&mut self.buffer), Vec::new(), 0);
        buffer.clear();
        for table in Table::ALL {
            let scanned = self.here.scan(table, 0..u64::MAX, &mut |key, value| {
                let at = self.end + buffer.len() as u64;
                if value.len() <= LENGTH_MAX && at <= PLACE_MAX {
                    buffer.extend_from_slice(value);
                    buffer.extend_from_slice(&xxh3_64(value).to_le_bytes());
                    places.push((table, key, at, value.len()));
                } else {
                    staying += value.len() + ROW_BYTES;
                }
                Ok(())
            });
            debug_assert!(scanned.is_ok(), "{scanned:?}");
        }
        let written = heap.write_at(self.end, &buffer);
        let bytes = buffer.len() as u64;
        // A batch may have been large.
        buffer.clear();
        buffer.shrink_to(2 * HERE_BYTES_MAX);
        self.buffer = buffer;
        if written.is_err() {
            self.move_at = self.here_bytes.saturating_mul(2);
            return;
        }
        self.end += bytes;
        let mut moved = ChangeSet::default();
        for (table, key, at, length) in places {
            self.there[shelf(table)].put(key, at, length);
            moved.delete(table, key);
        }
        (self.here_bytes, self.move_at) = (staying, staying + HERE_BYTES_MAX);
        let removed = self.here.commit(moved, Sync::Durable);
        debug_assert!(removed.is_ok(), "{removed:?}");
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), StoreError> {
        self.heap.as_ref().map_or(Ok(()), |heap| heap.read_at(at, into)).map_err(failed)
    }
}

/// A part of the file that was read in one go.
#[derive(Default)]
struct Window {
    from: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The row at a place.
    fn row(&mut self, rows: &HeapRows, place: u64) -> Result<&[u8], StoreError> {
        let (at, length) = unpacked(place);
        let length = length + CHECK_BYTES;
        let has = |window: &Self| {
            let from = usize::try_from(at.checked_sub(window.from)?).ok()?;
            window.bytes.len().checked_sub(from)?.checked_sub(length)?;
            Some(from)
        };
        let from = match has(self) {
            Some(from) => from,
            None => {
                let ahead = usize::try_from(rows.end - at).unwrap_or(usize::MAX).min(AHEAD_BYTES);
                self.bytes.resize(ahead.max(length), 0);
                self.from = at;
                rows.read(at, &mut self.bytes)?;
                0
            }
        };
        checked(&self.bytes[from..from + length], at)
    }
}

/// A value without the check behind it, if that is its own.
fn checked(value: &[u8], at: u64) -> Result<&[u8], StoreError> {
    let good =
        value.split_last_chunk().filter(|(value, check)| u64::from_le_bytes(**check) == xxh3_64(value));
    let damaged =
        || StoreError::damaged("the file of rows", format!("what is read at {at} is not what was written"));
    good.map(|(value, _)| value).ok_or_else(damaged)
}

fn failed(why: io::Error) -> StoreError {
    StoreError::io("the file of rows", why)
}

#[cfg(test)]
#[path = "../../cortexkg/tests/common/swap.rs"]
mod disk;

#[cfg(test)]
mod tests {
    use super::disk::Disk;
    use super::*;

    fn all(
        scan: impl Fn(Table, Range<u64>, &mut Visit<'_>) -> Result<(), StoreError>,
        keys: Range<u64>,
    ) -> Vec<(Table, u64, Vec<u8>)> {
        let mut found = Vec::new();
        for table in Table::ALL {
            scan(table, keys.clone(), &mut |key, value| {
                found.push((table, key, value.to_vec()));
                Ok(())
            })
            .unwrap();
        }
        found
    }

    /// What is put, replaced and removed reads as rows in memory do, whichever of it went to the file and whenever that was full.
    #[test]
    fn rows_in_a_file_read_as_rows_in_memory_do() {
        let (disk, mut oracle) = (Disk::default(), MemoryRows::default());
        let mut rows = HeapRows::over(Box::new(disk.clone()), 7);
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..400 {
            let mut changes = ChangeSet::default();
            for _ in 0..draw(40) {
                let (table, key) = (
                    Table::ALL[draw(3) as usize],
                    if draw(4) == 0 { draw(2_000) } else { round * 40 + draw(40) },
                );
                match draw(6) {
                    0 => changes.delete(table, key),
                    _ => changes.put(table, key, vec![draw(256) as u8; draw(3_000) as usize]),
                }
            }
            oracle.commit(changes.clone(), Sync::Durable).unwrap();
            rows.commit(changes).unwrap();
            *disk.is_full.lock().unwrap() = (150..250).contains(&round);
            let key = draw(2_000);
            for table in Table::ALL {
                assert_eq!(rows.get(table, key).unwrap(), oracle.get(table, key).unwrap());
                assert_eq!(
                    rows.length(table, key).unwrap(),
                    oracle.get(table, key).unwrap().map(|value| value.len())
                );
                assert_eq!(rows.last_key(table).unwrap(), oracle.last_key(table).unwrap());
            }
            if round % 40 == 0 {
                for keys in [0..u64::MAX, key..key + 700, 5..5] {
                    let found = all(|table, keys, visit| rows.scan(table, keys, visit), keys.clone());
                    assert_eq!(found, all(|table, keys, visit| oracle.scan(table, keys, visit), keys));
                }
            }
        }
        assert!(disk.bytes.lock().unwrap().len() > HERE_BYTES_MAX, "little went to the file");
        assert!(rows.here_bytes <= HERE_BYTES_MAX + 40 * (3_000 + ROW_BYTES));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_not_missing() {
        let disk = Disk::default();
        let mut rows = HeapRows::over(Box::new(disk.clone()), 0);
        let mut changes = ChangeSet::default();
        (0..50).for_each(|key| changes.put(Table::Log, key, vec![1; 100_000]));
        rows.commit(changes).unwrap();
        assert!(
            rows.buffer.capacity() <= 2 * HERE_BYTES_MAX,
            "a large batch leaves {}",
            rows.buffer.capacity()
        );
        disk.bytes.lock().unwrap()[300_100] ^= 1;
        assert!(rows.get(Table::Log, 2).is_ok() && rows.get(Table::Log, 3).is_err());
        let mut seen = 0;
        let scanned = rows.scan(Table::Log, 0..9, &mut |_, _| {
            seen += 1;
            Ok(())
        });
        assert!(scanned.is_err());
        assert!((1..=3).contains(&seen), "{seen} rows");
        disk.bytes.lock().unwrap().truncate(10);
        assert!(rows.get(Table::Log, 0).is_err());
        assert!(rows.scan(Table::Log, 0..9, &mut |_, _| Ok(())).is_err());
    }
}
