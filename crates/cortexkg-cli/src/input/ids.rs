//! Identifiers seen so far, 16 bytes each whatever their length.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

/// A set of identifiers, kept as 128-bit hashes: two different ones collide with a probability below 10⁻²⁰ among
/// a billion.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    hashes: HashSet<[u64; 2], FxBuildHasher>,
}

impl SeenIds {
    /// Notes an identifier; says whether it is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let hash = blake3::hash(id.as_bytes());
        let (high, rest) = hash.as_bytes().split_at(8);
        let low = rest.iter().take(8);
        let number = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.fold(0, |number, &byte| number << 8 | u64::from(byte))
        };
        self.hashes.insert([number(&mut high.iter()), number(&mut { low })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_known() {
        let mut seen = SeenIds::default();
        assert!(seen.insert("a") && seen.insert("b") && seen.insert(""));
        assert!(!seen.insert("a") && !seen.insert(""));
    }
}
