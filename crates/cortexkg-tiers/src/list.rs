//! Queues through the entries of a slice: an entry knows its neighbours and can leave from anywhere.

/// No neighbour.
const NONE: u32 = u32::MAX;

/// Neighbours of an entry in one queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links {
    older: u32,
    newer: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { older: NONE, newer: NONE }
    }
}

/// Both ends of a queue.
#[derive(Debug)]
pub(crate) struct Ends {
    oldest: u32,
    newest: u32,
}

impl Default for Ends {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE }
    }
}

impl Ends {
    /// Who has been in the queue for longest.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Puts an entry behind all others. It must not be in the queue.
    pub(crate) fn push<E>(&mut self, entries: &mut [E], place: u32, links: impl Fn(&mut E) -> &mut Links) {
        *links(&mut entries[place as usize]) = Links { older: self.newest, newer: NONE };
        match self.newest {
            NONE => self.oldest = place,
            newest => links(&mut entries[newest as usize]).newer = place,
        }
        self.newest = place;
    }

    /// Takes an entry out. It must be in the queue.
    pub(crate) fn unlink<E>(&mut self, entries: &mut [E], place: u32, links: impl Fn(&mut E) -> &mut Links) {
        let Links { older, newer } = *links(&mut entries[place as usize]);
        match older {
            NONE => self.oldest = newer,
            older => links(&mut entries[older as usize]).newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => links(&mut entries[newer as usize]).older = older,
        }
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn entries_leave_from_anywhere() {
        let mut entries = [Links::default(); 5];
        let mut queue = Ends::default();
        (0..5).for_each(|place| queue.push(&mut entries, place, |links| links));
        for place in [2, 0, 4] {
            queue.unlink(&mut entries, place, |links| links);
        }
        queue.push(&mut entries, 2, |links| links);
        let mut left = Vec::new();
        while let Some(place) = queue.oldest() {
            queue.unlink(&mut entries, place, |links| links);
            left.push(place);
        }
        assert_eq!(left, [1, 3, 2]);
    }
}
