//! Blocks of which memory holds some and a snapshot the others, and which of them to let go of.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use cortexkg_simd::prefetch;
use cortexkg_store::{Section, StoreError};

use super::Failure;
use super::packed::Packed;
use super::swap::{Swap, Swapped};
use crate::image::{ImageReader, ImageWriter};

/// It was looked at since memory was last short.
const USED: u8 = 1;
/// Only memory has it as it is.
const DIRTY: u8 = 2;

/// Where the blocks are that are not in memory.
#[derive(Debug)]
pub(super) struct Base {
    section: Section,
    failure: Failure,
    pub(super) blocks: usize,
}

impl Base {
    /// The section of this name, which is to have so many blocks behind its first record.
    fn of(name: &str, from: &ImageReader<'_>, blocks: usize) -> Result<Self, StoreError> {
        let section = from.raw(name)?;
        if section.len() != blocks as u64 + 1 {
            return Err(StoreError::damaged(format!("snapshot, {name}"), "blocks are missing"));
        }
        Ok(Self { section, failure: from.failure().clone(), blocks })
    }

    /// A block, if it can be read and all records are sound; else the failure is noted.
    pub(super) fn block(
        &self,
        at: usize,
        is_sound: impl Fn(&[u8]) -> bool,
        is_complete: impl Fn(&Packed) -> bool,
    ) -> Option<Packed> {
        let mut bytes = Vec::new();
        let block = self.section.read(at as u64 + 1, &mut bytes).and_then(|()| {
            let block = Packed::from_bytes(&bytes)
                .filter(|block| block.iter().all(|record| record.is_empty() || is_sound(record)))
                .filter(is_complete);
            block.ok_or_else(|| StoreError::damaged(format!("snapshot, block {at}"), "no such records"))
        });
        block.map_err(|error| self.failure.note(error)).ok()
    }

    pub(super) fn copy(&self, at: usize, to: &mut ImageWriter<'_, '_>) -> Result<(), StoreError> {
        to.copy(&self.section, at as u64 + 1)
    }
}

/// Where a block is or belongs. Half a line of memory, so that one read tells all of it.
#[derive(Debug, Default)]
#[cfg_attr(target_pointer_width = "64", repr(align(32)))]
struct Slot {
    block: OnceLock<Packed>,
    flags: AtomicU8,
}

impl Slot {
    fn new(block: Packed, flags: u8) -> Self {
        Self { block: OnceLock::from(block), flags: AtomicU8::new(flags) }
    }

    fn heap_bytes(&self) -> usize {
        self.block.get().map_or(0, Packed::heap_bytes)
    }
}

/// The blocks of a table.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    slots: Vec<Slot>,
    base: Option<Base>,
    /// Those that lie in a swap file; it, and not the snapshot, has them as they are.
    swapped: Option<Swapped>,
    /// Bytes of the blocks that are there.
    bytes: AtomicUsize,
    /// Bytes of those of them that are dirty.
    dirty_bytes: usize,
    /// Where the search for something to let go of goes on.
    hand: usize,
}

impl Blocks {
    /// All blocks that a section of a snapshot is to hold; none of them is in memory.
    pub(super) fn open(name: &str, from: &ImageReader<'_>, count: usize) -> Result<Self, StoreError> {
        let mut blocks = Self { base: Some(Base::of(name, from, count)?), ..Self::default() };
        blocks.slots.resize_with(count, Slot::default);
        Ok(blocks)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Where the blocks are that are not in memory.
    pub(super) fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// Whether a block lies in the swap file.
    pub(super) fn is_swapped(&self, at: usize) -> bool {
        self.swapped.as_ref().is_some_and(|swapped| swapped.has(at))
    }

    /// A block that lies in the swap file, if it can be read; none where it does not.
    pub(super) fn swapped(&self, at: usize, is_complete: impl Fn(&Packed) -> bool) -> Option<Option<Packed>> {
        let swapped = self.swapped.as_ref().filter(|swapped| swapped.has(at))?;
        Some(swapped.get(at, is_complete))
    }

    /// A block if it is in memory.
    pub(super) fn peek(&self, at: usize) -> Option<&Packed> {
        self.slots[at].block.get()
    }

    /// Asks the memory where a block is.
    #[inline]
    pub(super) fn ask_for(&self, at: usize) {
        prefetch(&self.slots[at..=at]);
    }

    /// Looks at a block; if it is not there, `read` brings it, and it does not stay.
    pub(super) fn look<R>(
        &self,
        at: usize,
        read: impl FnOnce() -> Packed,
        look: impl FnOnce(&Packed) -> R,
    ) -> R {
        match self.peek(at) {
            Some(block) => look(block),
            None => look(&read()),
        }
    }

    /// A block; if it is not there, `read` brings it.
    #[inline]
    pub(super) fn get(&self, at: usize, read: impl FnOnce() -> Packed) -> &Packed {
        let slot = &self.slots[at];
        if slot.flags.load(Ordering::Relaxed) & USED == 0 {
            slot.flags.fetch_or(USED, Ordering::Relaxed);
        }
        match slot.block.get() {
            Some(block) => block,
            None => self.load(at, read),
        }
    }

    #[cold]
    fn load(&self, at: usize, read: impl FnOnce() -> Packed) -> &Packed {
        self.slots[at].block.get_or_init(|| {
            let block = read();
            self.bytes.fetch_add(block.heap_bytes(), Ordering::Relaxed);
            block
        })
    }

    /// Changes a block that is there.
    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut Packed)) {
        let slot = &mut self.slots[at];
        let block = slot.block.get_mut().expect("loaded before it is changed");
        let before = block.heap_bytes();
        change(block);
        let after = block.heap_bytes();
        let flags = slot.flags.get_mut();
        let bytes = self.bytes.get_mut();
        *bytes = *bytes + after - before;
        self.dirty_bytes = self.dirty_bytes + after - if *flags & DIRTY == 0 { 0 } else { before };
        *flags |= USED | DIRTY;
        if let Some(swapped) = &mut self.swapped {
            swapped.remove(at);
        }
    }

    /// Adds a block.
    pub(super) fn push(&mut self, block: Packed) {
        let bytes = block.heap_bytes();
        self.slots.push(Slot::new(block, USED | DIRTY));
        *self.bytes.get_mut() += bytes;
        self.dirty_bytes += bytes;
    }

    /// Forgets the last blocks.
    pub(super) fn truncate(&mut self, count: usize) {
        while self.len() > count {
            if let Some(mut slot) = self.slots.pop() {
                let bytes = slot.heap_bytes();
                *self.bytes.get_mut() -= bytes;
                self.dirty_bytes -= if *slot.flags.get_mut() & DIRTY == 0 { 0 } else { bytes };
            }
            if let Some(swapped) = &mut self.swapped {
                swapped.remove(self.slots.len());
            }
        }
    }

    /// Makes two blocks of each that is there.
    pub(super) fn double(&mut self, split: impl Fn(&Packed) -> [Packed; 2]) {
        let base = self.base.take();
        let old = std::mem::replace(self, Self { base, ..Self::default() });
        self.slots.resize_with(old.len() * 2, Slot::default);
        self.swapped = old.swapped.as_ref().map(Swapped::another);
        for (at, slot) in old.slots.into_iter().enumerate() {
            let flags = slot.flags.into_inner();
            let in_file = old.swapped.as_ref().filter(|swapped| swapped.has(at));
            match (slot.block.into_inner(), in_file) {
                // The halves are in no file.
                (Some(block), in_file) => {
                    let flags = if in_file.is_some() { flags | DIRTY } else { flags };
                    let halves = split(&block).into_iter().enumerate();
                    halves.for_each(|(half, block)| self.place(at * 2 + half, block, flags));
                }
                (None, Some(in_file)) => {
                    let halves = in_file.get(at, |_| true).map(|block| split(&block)).unwrap_or_default();
                    for (half, block) in halves.into_iter().enumerate() {
                        let at = at * 2 + half;
                        if !self.swapped.as_mut().is_some_and(|swapped| swapped.put(at, &block)) {
                            self.place(at, block, DIRTY);
                        }
                    }
                }
                (None, None) => {}
            }
        }
    }

    /// Puts a block into memory where none is.
    fn place(&mut self, at: usize, block: Packed, flags: u8) {
        let bytes = block.heap_bytes();
        *self.bytes.get_mut() += bytes;
        self.dirty_bytes += if flags & DIRTY == 0 { 0 } else { bytes };
        self.slots[at] = Slot::new(block, flags);
    }

    /// Lie in a snapshot that has just been written of them; what is in memory stays and is as the snapshot has it.
    pub(crate) fn rebase(&mut self, name: &str, from: &ImageReader<'_>) -> Result<(), StoreError> {
        self.base = Some(Base::of(name, from, self.len())?);
        self.slots.iter_mut().for_each(|slot| *slot.flags.get_mut() &= !DIRTY);
        self.dirty_bytes = 0;
        self.swapped = None;
        Ok(())
    }

    /// Lets go of about so many bytes of what the snapshot has, or a swap file takes, of that which nobody has looked at lately first
    /// (second chance). False if the file has taken one no more.
    pub(crate) fn evict(&mut self, bytes: usize, swap: Option<&Swap>) -> bool {
        if let Some(swap) = swap {
            self.swapped.get_or_insert_with(|| Swapped::new(swap));
        }
        let (mut freed, mut is_taken) = (0, true);
        // The second time round, what was used the first time goes.
        for _ in 0..2 * self.len() {
            if freed >= bytes {
                break;
            }
            self.hand = (self.hand + 1) % self.len();
            let slot = &mut self.slots[self.hand];
            let flags = slot.flags.get_mut();
            let Some(block) = slot.block.get() else { continue };
            if *flags & USED != 0 {
                *flags &= !USED;
                continue;
            }
            if *flags & DIRTY != 0 {
                let Some(swapped) = self.swapped.as_mut().filter(|_| is_taken) else { continue };
                is_taken = swapped.put(self.hand, block);
                if !is_taken {
                    continue;
                }
                *flags &= !DIRTY;
                self.dirty_bytes -= block.heap_bytes();
            }
            freed += slot.block.take().map_or(0, |block| block.heap_bytes());
        }
        *self.bytes.get_mut() -= freed;
        is_taken
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let places = self.swapped.as_ref().map_or(0, Swapped::bytes);
        self.bytes.load(Ordering::Relaxed) + self.slots.capacity() * size_of::<Slot>() + places
    }

    /// Bytes of the blocks that are there.
    pub(crate) fn block_bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that cannot be let go of: only memory has them as they are.
    pub(crate) fn dirty_bytes(&self) -> usize {
        self.dirty_bytes
    }
}
