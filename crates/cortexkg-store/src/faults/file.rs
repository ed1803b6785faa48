//! The bytes of a file: as processes see them, and as they are on the disk.

use super::random::Random;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone, Default)]
pub(super) struct Bytes {
    /// As processes see them.
    seen: Vec<u8>,
    /// As they were when they were last synced.
    synced: Vec<u8>,
    /// What came since, in order.
    pending: Vec<Pending>,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Bytes {
    /// A file that is on the disk.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { seen: bytes.clone(), synced: bytes, pending: Vec::new() }
    }

    pub(super) fn seen(&self) -> &[u8] {
        &self.seen
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.seen, at, bytes);
        self.pending.push(Pending::Write { at, bytes: bytes.to_vec() });
    }

    /// Writes some of the sectors.
    pub(super) fn write_torn(&mut self, at: usize, bytes: &[u8], random: &mut Random) {
        for (at, sector) in sectors(at, bytes) {
            if random.below(2) == 0 {
                self.write(at, sector);
            }
        }
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.seen.resize(len, 0);
        self.pending.push(Pending::Length(len));
    }

    pub(super) fn sync(&mut self) {
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Write { at, bytes } => put(&mut self.synced, at, &bytes),
                Pending::Length(len) => self.synced.resize(len, 0),
            }
        }
    }

    /// What is left when power is lost: any sectors of what is pending, and the length of any time.
    pub(super) fn after_power_loss(&self, random: &mut Random) -> Self {
        let mut left = self.synced.clone();
        let mut lengths = vec![left.len()];
        // Between nothing and everything: both ends are worth a try as well.
        let kept_percent = [0, 10, 50, 90, 100][random.below(5) as usize];
        for pending in &self.pending {
            match pending {
                Pending::Write { at, bytes } => {
                    for (at, sector) in sectors(*at, bytes) {
                        if random.below(100) < kept_percent {
                            put(&mut left, at, sector);
                        }
                    }
                    lengths.push(left.len());
                }
                Pending::Length(len) => {
                    lengths.push(*len);
                    left.resize(*len, 0);
                }
            }
        }
        let length = match kept_percent {
            0 => self.synced.len(),
            100 => left.len(),
            _ => lengths[random.below(lengths.len() as u64) as usize],
        };
        left.resize(length, 0);
        Self::durable(left)
    }
}

/// Puts bytes somewhere; what lies between is zero.
fn put(into: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if into.len() < end {
        into.resize(end, 0);
    }
    into[at..end].copy_from_slice(bytes);
}

/// Cuts a write at the sectors of the disk.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    std::iter::from_fn(move || {
        if from == bytes.len() {
            return None;
        }
        let start = at + from;
        let to = bytes.len().min(from + SECTOR_BYTES - start % SECTOR_BYTES);
        let sector = &bytes[from..to];
        from = to;
        Some((start, sector))
    })
}
