//! Blocks of which memory holds some, each with what it takes to know which to let go of.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::packed::Packed;

/// It was looked at since memory was last short.
const USED: u8 = 1;
/// A snapshot has it otherwise, or not at all.
const DIRTY: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Slots {
    blocks: Vec<OnceLock<Packed>>,
    flags: Vec<AtomicU8>,
    /// Bytes of the blocks that are there.
    bytes: AtomicUsize,
    /// Bytes of those of them that are dirty.
    dirty_bytes: usize,
    /// Where the search for something to let go of goes on.
    hand: usize,
}

impl Slots {
    /// So many blocks, none of which is there.
    pub(super) fn absent(count: usize) -> Self {
        let mut slots = Self::default();
        slots.resize(count);
        slots
    }

    fn resize(&mut self, count: usize) {
        self.blocks.resize_with(count, OnceLock::new);
        self.flags.resize_with(count, AtomicU8::default);
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// A block if it is there.
    pub(super) fn peek(&self, at: usize) -> Option<&Packed> {
        self.blocks[at].get()
    }

    /// A block; if it is not there, `read` brings it.
    #[inline]
    pub(super) fn get(&self, at: usize, read: impl FnOnce() -> Packed) -> &Packed {
        if self.flags[at].load(Ordering::Relaxed) & USED == 0 {
            self.flags[at].fetch_or(USED, Ordering::Relaxed);
        }
        match self.blocks[at].get() {
            Some(block) => block,
            None => self.load(at, read),
        }
    }

    #[cold]
    fn load(&self, at: usize, read: impl FnOnce() -> Packed) -> &Packed {
        self.blocks[at].get_or_init(|| {
            let block = read();
            self.bytes.fetch_add(block.heap_bytes(), Ordering::Relaxed);
            block
        })
    }

    /// Changes a block; if it is not there, `read` brings it.
    pub(super) fn change(
        &mut self,
        at: usize,
        read: impl FnOnce() -> Packed,
        change: impl FnOnce(&mut Packed),
    ) {
        let was_there = self.blocks[at].get().is_some();
        if !was_there {
            self.blocks[at] = OnceLock::from(read());
        }
        let block = self.blocks[at].get_mut().expect("just there");
        let before = block.heap_bytes();
        change(block);
        let after = block.heap_bytes();
        let flags = self.flags[at].get_mut();
        let bytes = self.bytes.get_mut();
        *bytes = *bytes + after - if was_there { before } else { 0 };
        self.dirty_bytes = self.dirty_bytes + after - if *flags & DIRTY == 0 { 0 } else { before };
        *flags |= USED | DIRTY;
    }

    /// Adds a block.
    pub(super) fn push(&mut self, block: Packed) {
        self.resize(self.len() + 1);
        self.change(self.len() - 1, || block, |_| {});
    }

    /// Forgets the last blocks.
    pub(super) fn truncate(&mut self, count: usize) {
        while self.len() > count {
            if let (Some(slot), Some(mut flags)) = (self.blocks.pop(), self.flags.pop()) {
                let bytes = slot.get().map_or(0, Packed::heap_bytes);
                *self.bytes.get_mut() -= bytes;
                self.dirty_bytes -= if *flags.get_mut() & DIRTY == 0 { 0 } else { bytes };
            }
        }
    }

    /// Makes two blocks of each that is there.
    pub(super) fn double(&mut self, split: impl Fn(&Packed) -> [Packed; 2]) {
        let old = std::mem::take(self);
        self.resize(old.len() * 2);
        for (at, (slot, mut flags)) in old.blocks.into_iter().zip(old.flags).enumerate() {
            let Some(block) = slot.get() else { continue };
            for (half, block) in split(block).into_iter().enumerate() {
                let bytes = block.heap_bytes();
                *self.bytes.get_mut() += bytes;
                self.dirty_bytes += if *flags.get_mut() & DIRTY == 0 { 0 } else { bytes };
                self.blocks[at * 2 + half] = OnceLock::from(block);
                *self.flags[at * 2 + half].get_mut() = *flags.get_mut();
            }
        }
    }

    /// A snapshot has everything as it is.
    pub(super) fn clean(&mut self) {
        self.flags.iter_mut().for_each(|flags| *flags.get_mut() &= !DIRTY);
        self.dirty_bytes = 0;
    }

    /// Lets go of about so many bytes of blocks that are clean, those first that nobody has looked at lately (second chance).
    pub(super) fn evict(&mut self, bytes: usize) {
        let mut freed = 0;
        // The second time round, what was used the first time goes.
        for _ in 0..2 * self.len() {
            if freed >= bytes {
                break;
            }
            self.hand = (self.hand + 1) % self.len();
            let flags = self.flags[self.hand].get_mut();
            if *flags & DIRTY == 0 && self.blocks[self.hand].get().is_some() {
                if *flags & USED == 0 {
                    freed += self.blocks[self.hand].take().map_or(0, |block| block.heap_bytes());
                }
                *flags &= !USED;
            }
        }
        *self.bytes.get_mut() -= freed;
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
            + self.blocks.capacity() * size_of::<OnceLock<Packed>>()
            + self.flags.capacity()
    }

    /// Bytes that cannot be let go of.
    pub(super) fn dirty_bytes(&self) -> usize {
        self.dirty_bytes
    }
}
