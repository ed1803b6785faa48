//! One part of memory: which values are kept, which of them decoded, and what gives way.
//!
//! Every value is here once, in one of two forms, and one policy says for both what stays: S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi,
//! 2023) with a memory of what left. A newcomer enters a small queue; used again while it is there, or back soon after it left, it
//! comes into the main queue, and what was used since it entered that one goes round once more. A scan passes through the small queue.
//!
//! Decoded values stand in a ring besides. Where a newcomer finds it full it stays compact, and is decoded to stay at its second use. Whoever
//! has been used least in the ring becomes compact for that and keeps its place in the queues: there is nothing that the second tier
//! would have to learn again. Two caches of their own, one handing over to the other, lose more by that than they gain by
//! holding nothing twice.
//!
//! A use changes no queue, only counters in the entry, so that readers share a lock.

use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::mem::size_of;
use std::sync::Arc;
// Hints for the policy, which decide nothing that a reader sees: the scheduler of tests need not know of them.
use std::sync::atomic::{AtomicU8, Ordering};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::list::{Ends, Links};
use crate::statistics::TierStatistics;

/// Uses that count, one round of the main queue each.
const USES_MAX: u8 = 3;
/// Rounds in the ring that uses can earn; and uses of a compact value until it is decoded to stay.
const TOUCHES_MAX: u8 = 2;
/// How many decoded values go round at most before one gives way for a compact one.
const SPARED_MAX: u32 = 64;
/// One part in so many of all room is for newcomers.
const SMALL_PARTS: u64 = 32;

/// A value as it is kept.
#[derive(Debug, Clone)]
enum Form<V> {
    Decoded(V),
    Compact(Arc<[u8]>),
    /// A writer is at work. The place is kept, and with it what is known of the key.
    Withdrawn,
}

/// A value in both forms, with its bytes in each, keeping books not included.
pub(crate) struct Fresh<V> {
    pub(crate) value: V,
    pub(crate) value_bytes: usize,
    pub(crate) compact: Arc<[u8]>,
}

/// What a look found.
#[derive(Debug)]
pub(crate) enum Found<V> {
    Decoded(V),
    /// Its bytes, and whether it is time to decode them to stay.
    Compact(Arc<[u8]>, bool),
    Nothing,
}

/// In one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Entry<V> {
    key: u64,
    form: Form<V>,
    weight: u32,
    /// Whether it is counted for L1. A withdrawn value is where it was.
    decoded: bool,
    main: bool,
    /// Uses since it came or went round in its queue.
    uses: AtomicU8,
    /// The same of the ring, or since it is compact.
    touches: AtomicU8,
    pub(crate) queue: Links,
    pub(crate) ring: Links,
}

/// Bounds and contents of one tier.
#[derive(Debug, Default)]
struct Room {
    bytes_max: u64,
    bytes: u64,
    entries: u64,
    evictions: u64,
    ghosts_max: usize,
}

/// Budget of one tier in this part: bytes for entries, and how many keys are remembered for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Budget {
    pub(crate) bytes_max: u64,
    pub(crate) ghosts_max: usize,
}

/// Turns a decoded value into bytes; none if that fails.
pub(crate) type Encode<'a, V> = &'a dyn Fn(&V) -> Option<Arc<[u8]>>;

#[derive(Debug)]
pub(crate) struct Shard<V> {
    /// Places in `entries`, found by the key of the entry.
    places: HashTable<u32>,
    entries: Vec<Entry<V>>,
    free: Vec<u32>,
    small: Ends,
    main: Ends,
    ring: Ends,
    small_bytes: u64,
    l1: Room,
    l2: Room,
    /// Keys that left the small queue, the oldest first, among them some that came back meanwhile.
    ghosts: VecDeque<u64>,
    ghost_set: HashSet<u64, FxBuildHasher>,
}

/// Bytes of keeping books per evicted key that is remembered.
pub(crate) const GHOST_BYTES: u64 = 40;

fn hash(key: u64) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// A weight that no entry reaches: those of 4 GiB or more are not kept.
const TOO_HEAVY: u64 = u32::MAX as u64;

impl<V: Clone> Shard<V> {
    /// Bytes of keeping books per entry: itself with the room that growing leaves, its share of the table of places (whose load is
    /// between 7/16 and 7/8), and of the list of free entries. A test compares with what the allocator says.
    pub(crate) const ENTRY_BYTES: u64 = (size_of::<Entry<V>>() * 9 / 8 + 5 * 16 / 7 + 4) as u64;

    pub(crate) fn new(l1: Budget, l2: Budget) -> Self {
        let room = |budget: Budget| Room {
            bytes_max: budget.bytes_max,
            ghosts_max: budget.ghosts_max,
            ..Room::default()
        };
        Self {
            places: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            small: Ends::default(),
            main: Ends::default(),
            ring: Ends::default(),
            small_bytes: 0,
            l1: room(l1),
            l2: room(l2),
            ghosts: VecDeque::new(),
            ghost_set: HashSet::default(),
        }
    }

    fn place(&self, key: u64) -> Option<u32> {
        self.places.find(hash(key), |&place| self.entries[place as usize].key == key).copied()
    }

    fn entry(&self, key: u64) -> Option<&Entry<V>> {
        self.place(key).map(|place| &self.entries[place as usize])
    }

    /// Looks for a value and uses it.
    pub(crate) fn look(&self, key: u64) -> Found<V> {
        let Some(entry) = self.entry(key) else { return Found::Nothing };
        // Threads may lose a use to each other; a counter that is full is left alone, for the sake of the cache line.
        let count = |counter: &AtomicU8, most: u8| {
            let before = counter.load(Ordering::Relaxed);
            if before < most {
                counter.store(before + 1, Ordering::Relaxed);
            }
            before + 1
        };
        match &entry.form {
            Form::Withdrawn => Found::Nothing,
            form => {
                count(&entry.uses, USES_MAX);
                let touches = count(&entry.touches, TOUCHES_MAX);
                match form {
                    Form::Decoded(value) => Found::Decoded(value.clone()),
                    Form::Compact(bytes) => {
                        let room = self.l1.bytes_max.saturating_sub(self.l1.bytes);
                        // What it will weigh decoded is not known yet; usually not less.
                        let raise = touches >= TOUCHES_MAX || u64::from(entry.weight) <= room;
                        Found::Compact(bytes.clone(), raise && self.l1.bytes_max > 0)
                    }
                    Form::Withdrawn => Found::Nothing,
                }
            }
        }
    }

    /// Whether there is a value; no use of it.
    pub(crate) fn contains(&self, key: u64) -> bool {
        self.entry(key).is_some_and(|entry| !matches!(entry.form, Form::Withdrawn))
    }

    /// Keeps what a reader found in the store. Another reader may have been here before.
    pub(crate) fn keep(&mut self, key: u64, fresh: Fresh<V>, encode: Encode<'_, V>) {
        if !self.contains(key) {
            self.put(key, fresh, encode);
        }
    }

    /// Decodes to stay, if what it was decoded from is still there; says whether it is.
    pub(crate) fn raise(
        &mut self,
        key: u64,
        from: &Arc<[u8]>,
        value: V,
        value_bytes: usize,
        encode: Encode<'_, V>,
    ) -> bool {
        let weight = Self::weight(value_bytes);
        let Some(place) = self.place(key) else { return false };
        let entry = &self.entries[place as usize];
        let same = matches!(&entry.form, Form::Compact(bytes) if Arc::ptr_eq(bytes, from));
        if !same || !self.fits_l1(weight) {
            return false;
        }
        self.change(place, Form::Withdrawn, 0, false);
        self.make_room_in_l1(weight, encode);
        // It may itself have given way meanwhile.
        let place = self.place(key);
        if let Some(place) = place {
            self.change(place, Form::Decoded(value), weight, true);
        }
        place.is_some()
    }

    /// Gives a key its value, with what is known of it if it is here or left not long ago.
    pub(crate) fn put(&mut self, key: u64, fresh: Fresh<V>, encode: Encode<'_, V>) {
        let (value_weight, compact_weight) =
            (Self::weight(fresh.value_bytes), Self::weight(Self::compact_bytes(&fresh.compact)));
        let was_decoded = self.entry(key).is_some_and(|entry| entry.decoded);
        if let Some(place) = self.place(key) {
            self.change(place, Form::Withdrawn, 0, was_decoded);
        }
        let fits_l2 = compact_weight <= self.l2.bytes_max && compact_weight < TOO_HEAVY;
        let has_room = self.l1.bytes + value_weight <= self.l1.bytes_max;
        if self.fits_l1(value_weight) && (was_decoded || has_room || !fits_l2) {
            self.make_room_in_l1(value_weight, encode);
            self.settle(key, Form::Decoded(fresh.value), value_weight, true);
        } else if fits_l2 {
            self.make_room_in_l2(compact_weight);
            self.settle(key, Form::Compact(fresh.compact), compact_weight, false);
        } else {
            self.remove(key);
            self.l2.evictions += 1;
        }
    }

    /// Puts a value into the place of its key, or a new one. There is room.
    fn settle(&mut self, key: u64, form: Form<V>, weight: u64, decoded: bool) {
        let place = self.place(key).unwrap_or_else(|| self.insert(key));
        self.change(place, form, weight, decoded);
    }

    /// Takes away the value of a key, but not its place.
    pub(crate) fn withdraw(&mut self, key: u64) {
        if let Some(place) = self.place(key) {
            self.entries[place as usize].form = Form::Withdrawn;
        }
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: u64) {
        if let Some(place) = self.place(key) {
            self.take(place);
        }
    }

    /// Forgets every key.
    pub(crate) fn clear(&mut self) {
        let (l1, l2) = (&self.l1, &self.l2);
        let budget = |room: &Room| Budget { bytes_max: room.bytes_max, ghosts_max: room.ghosts_max };
        let mut empty = Self::new(budget(l1), budget(l2));
        (empty.l1.evictions, empty.l2.evictions) = (l1.evictions, l2.evictions);
        *self = empty;
    }

    /// Sets the budgets. What no longer fits is gone when this returns.
    pub(crate) fn resize(&mut self, l1: Option<Budget>, l2: Option<Budget>, encode: Encode<'_, V>) {
        for (room, budget) in [(&mut self.l1, l1), (&mut self.l2, l2)] {
            if let Some(budget) = budget {
                (room.bytes_max, room.ghosts_max) = (budget.bytes_max, budget.ghosts_max);
            }
        }
        self.make_room_in_l2(0);
        self.make_room_in_l1(0, encode);
        self.trim_ghosts();
    }

    /// What both tiers hold and how often something gave way in them.
    pub(crate) fn statistics(&self) -> [TierStatistics; 2] {
        let mut ghosts = self.ghosts.len();
        [&self.l1, &self.l2].map(|room| {
            let of_room = ghosts.min(room.ghosts_max);
            ghosts -= of_room;
            TierStatistics {
                evictions: room.evictions,
                entries: room.entries,
                bytes: room.bytes + of_room as u64 * GHOST_BYTES,
                ..TierStatistics::default()
            }
        })
    }

    fn weight(bytes: usize) -> u64 {
        (bytes as u64).saturating_add(Self::ENTRY_BYTES).min(TOO_HEAVY)
    }

    /// Two counters besides the bytes: what `Arc` adds to them.
    fn compact_bytes(bytes: &[u8]) -> usize {
        2 * size_of::<usize>() + bytes.len()
    }

    fn fits_l1(&self, weight: u64) -> bool {
        weight <= self.l1.bytes_max && weight < TOO_HEAVY
    }

    fn room(&mut self, decoded: bool) -> &mut Room {
        if decoded { &mut self.l1 } else { &mut self.l2 }
    }

    /// Decoded values become compact, or give way where there is no room for any compact one, until there is room for a further one.
    fn make_room_in_l1(&mut self, weight: u64, encode: Encode<'_, V>) {
        while self.l1.bytes + weight > self.l1.bytes_max && self.l1.entries > 0 {
            if self.l2.bytes_max <= Self::ENTRY_BYTES {
                self.evict(&mut 0);
            } else {
                self.lower(encode);
            }
        }
    }

    fn make_room_in_l2(&mut self, weight: u64) {
        // A decoded value makes no room here, and has the ring to give way in. Without an end to that a small L2 below a large
        // L1 would take long to make room.
        let mut spared = SPARED_MAX;
        while self.l2.bytes + weight > self.l2.bytes_max && self.l2.entries > 0 {
            self.evict(&mut spared);
        }
    }

    /// Makes the next of the ring that was not used compact.
    fn lower(&mut self, encode: Encode<'_, V>) {
        let Some(place) = self.ring.oldest() else { return };
        let entry = &mut self.entries[place as usize];
        let touches = entry.touches.get_mut();
        if *touches > 0 {
            *touches -= 1;
            self.ring.unlink(&mut self.entries, place, |entry| &mut entry.ring);
            self.ring.push(&mut self.entries, place, |entry| &mut entry.ring);
            return;
        }
        // Encoding is the codec's: nothing has been changed yet if it panics.
        let compact = match &entry.form {
            Form::Decoded(value) => encode(value),
            Form::Compact(_) | Form::Withdrawn => None,
        };
        let key = entry.key;
        self.l1.evictions += 1;
        let kept = compact.map(|compact| (Self::weight(Self::compact_bytes(&compact)), compact));
        match kept.filter(|(weight, _)| *weight <= self.l2.bytes_max && *weight < TOO_HEAVY) {
            Some((weight, compact)) => {
                self.change(place, Form::Withdrawn, 0, false);
                self.make_room_in_l2(weight);
                // It may itself have given way.
                if let Some(place) = self.place(key) {
                    self.change(place, Form::Compact(compact), weight, false);
                }
            }
            None => self.take(place),
        }
    }

    /// One step of the policy: something gives way, or goes round: what has been used, and so many decoded values as are to be spared.
    fn evict(&mut self, spared: &mut u32) {
        let newcomers_max = (self.l1.bytes_max + self.l2.bytes_max) / SMALL_PARTS;
        let from_small = self.small_bytes > newcomers_max || self.main.oldest().is_none();
        let oldest = if from_small { self.small.oldest() } else { self.main.oldest() };
        let Some(place) = oldest else { return };
        let entry = &mut self.entries[place as usize];
        let uses = entry.uses.get_mut();
        let spare = *uses == 0 && entry.decoded && *spared > 0;
        if *uses > 0 || spare {
            *spared -= u32::from(spare);
            let main = *uses > 0 || entry.main;
            *uses = uses.saturating_sub(1);
            self.unqueue(place);
            self.entries[place as usize].main = main;
            self.enqueue(place);
            return;
        }
        let (key, decoded) = (entry.key, entry.decoded);
        self.room(decoded).evictions += 1;
        self.take(place);
        if from_small && self.ghost_set.insert(key) {
            self.ghosts.push_back(key);
            self.trim_ghosts();
        }
    }

    fn trim_ghosts(&mut self) {
        while self.ghosts.len() > self.l1.ghosts_max + self.l2.ghosts_max {
            if let Some(key) = self.ghosts.pop_front() {
                self.ghost_set.remove(&key);
            }
        }
    }

    /// A new place without a value. A key that was remembered comes into the main queue.
    fn insert(&mut self, key: u64) -> u32 {
        let entry = Entry {
            key,
            form: Form::Withdrawn,
            weight: 0,
            decoded: false,
            main: self.ghost_set.remove(&key),
            uses: AtomicU8::new(0),
            touches: AtomicU8::new(0),
            queue: Links::default(),
            ring: Links::default(),
        };
        let place = if let Some(place) = self.free.pop() {
            self.entries[place as usize] = entry;
            place
        } else {
            if self.entries.len() == self.entries.capacity() {
                self.entries.reserve_exact(self.entries.len() / 8 + 4);
            }
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        };
        let entries = &self.entries;
        self.places.insert_unique(hash(key), place, |&place| hash(entries[place as usize].key));
        self.l2.entries += 1;
        self.enqueue(place);
        place
    }

    /// Changes form, weight and tier of an entry where it stands in its queue.
    fn change(&mut self, place: u32, form: Form<V>, weight: u64, decoded: bool) {
        let entry = &mut self.entries[place as usize];
        let (before, was_decoded) = (u64::from(entry.weight), entry.decoded);
        entry.form = form;
        entry.weight = weight as u32;
        entry.decoded = decoded;
        if !entry.main {
            self.small_bytes = self.small_bytes - before + weight;
        }
        if decoded != was_decoded {
            *entry.touches.get_mut() = 0;
            if decoded {
                self.ring.push(&mut self.entries, place, |entry| &mut entry.ring);
            } else {
                self.ring.unlink(&mut self.entries, place, |entry| &mut entry.ring);
            }
        }
        let room = self.room(was_decoded);
        room.bytes -= before;
        room.entries -= 1;
        let room = self.room(decoded);
        room.bytes += weight;
        room.entries += 1;
    }

    /// Takes an entry out of everything.
    fn take(&mut self, place: u32) {
        self.change(place, Form::Withdrawn, 0, false);
        self.unqueue(place);
        self.l2.entries -= 1;
        let found = self.places.find_entry(hash(self.entries[place as usize].key), |&other| other == place);
        if let Ok(found) = found {
            found.remove();
        }
        self.free.push(place);
    }

    fn enqueue(&mut self, place: u32) {
        let entry = &self.entries[place as usize];
        if entry.main {
            self.main.push(&mut self.entries, place, |entry| &mut entry.queue);
        } else {
            self.small_bytes += u64::from(entry.weight);
            self.small.push(&mut self.entries, place, |entry| &mut entry.queue);
        }
    }

    fn unqueue(&mut self, place: u32) {
        let entry = &self.entries[place as usize];
        if entry.main {
            self.main.unlink(&mut self.entries, place, |entry| &mut entry.queue);
        } else {
            self.small_bytes -= u64::from(entry.weight);
            self.small.unlink(&mut self.entries, place, |entry| &mut entry.queue);
        }
    }
}
