//! Bytes that begin at a cache line: of one's own, or shared with whoever read or mapped them.

use bytes::Bytes;

/// A line of the processor's cache.
pub(crate) const LINE: usize = 64;

#[derive(Debug, Clone)]
pub(crate) enum AlignedBytes {
    /// `start` unused bytes, then what is kept.
    Own { bytes: Vec<u8>, start: usize },
    /// Copied before the first change.
    Shared(Bytes),
}

impl Default for AlignedBytes {
    fn default() -> Self {
        Self::Own { bytes: Vec::new(), start: 0 }
    }
}

impl AlignedBytes {
    #[inline]
    pub(crate) fn get(&self) -> &[u8] {
        match self {
            Self::Own { bytes, start } => &bytes[*start..],
            Self::Shared(bytes) => bytes,
        }
    }

    pub(crate) fn get_mut(&mut self) -> &mut [u8] {
        self.grow(0);
        match self {
            Self::Own { bytes, start } => &mut bytes[*start..],
            Self::Shared(_) => unreachable!("grow makes them one's own"),
        }
    }

    /// Adds zeros at the end.
    pub(crate) fn grow(&mut self, by: usize) {
        if let Self::Shared(shared) = self {
            let mut own = Self::default();
            own.grow(shared.len());
            own.get_mut().copy_from_slice(shared);
            *self = own;
        }
        let Self::Own { bytes, start } = self else { return };
        if by == 0 {
            return;
        }
        // Room for any start, so that nothing moves once the start is known.
        bytes.reserve(by + LINE);
        let kept = *start..bytes.len();
        let aligned = bytes.as_ptr().align_offset(LINE).min(LINE - 1);
        let len = kept.len();
        if aligned != *start {
            bytes.resize(bytes.len().max(aligned + len), 0);
            bytes.copy_within(kept, aligned);
            bytes.truncate(aligned + len);
            *start = aligned;
        }
        bytes.resize(aligned + len + by, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_what_they_are_while_the_memory_moves() {
        let mut bytes = AlignedBytes::default();
        for i in 0..2_000_usize {
            bytes.grow(i % 97 + 1);
            *bytes.get_mut().last_mut().unwrap() = i as u8;
            if i % 50 == 0 {
                // A copy lies elsewhere.
                bytes = bytes.clone();
            }
        }
        assert_eq!(bytes.get().as_ptr().align_offset(LINE), 0);
        let mut end = 0;
        for i in 0..2_000_usize {
            end += i % 97 + 1;
            assert_eq!(bytes.get()[end - 1], i as u8);
        }
        assert_eq!(bytes.get().len(), end);
    }

    #[test]
    fn what_is_shared_is_copied_before_it_changes() {
        let shared = Bytes::from_static(b"abc");
        let mut bytes = AlignedBytes::Shared(shared.clone());
        assert_eq!(bytes.get(), b"abc");
        bytes.get_mut()[1] = b'x';
        bytes.grow(1);
        assert_eq!(bytes.get(), b"axc\0");
        assert_eq!(&shared[..], b"abc");
    }
}
