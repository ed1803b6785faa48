//! What is put around the value of a row: a checksum that binds it to its place. See `docs/format.md`.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that an envelope adds to a payload.
pub(crate) const CHECK_BYTES: usize = 8;

/// The checksum of a payload under its key in its table.
fn check(table: u8, key: u64, payload: &[u8]) -> u64 {
    xxh3_64_with_seed(payload, key.rotate_left(8) ^ u64::from(table))
}

/// Turns a payload into what is stored. Gives its checksum too.
pub(crate) fn seal(table: u8, key: u64, mut payload: Vec<u8>) -> (Vec<u8>, u64) {
    let check = check(table, key, &payload);
    payload.extend_from_slice(&check.to_le_bytes());
    (payload, check)
}

/// Parts what is stored into payload and checksum, without verifying.
pub(crate) fn part(stored: &[u8]) -> Option<(&[u8], u64)> {
    let (payload, check) = stored.split_last_chunk::<CHECK_BYTES>()?;
    Some((payload, u64::from_le_bytes(*check)))
}

/// The payload and its checksum, if they are what was written there.
pub(crate) fn open(table: u8, key: u64, stored: &[u8]) -> Option<(&[u8], u64)> {
    part(stored).filter(|&(payload, found)| check(table, key, payload) == found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_belongs_to_its_place() {
        let (stored, check) = seal(2, 7, b"said".to_vec());
        assert_eq!(open(2, 7, &stored), Some((b"said".as_slice(), check)));
        assert_eq!(open(2, 8, &stored), None);
        assert_eq!(open(3, 7, &stored), None);
        assert_eq!(open(2, 7, &stored[..7]), None);
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(2, 7, &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn the_checksum_is_the_documented_one() {
        // Fixed by docs/format.md: a reader written from it must get the same.
        let (stored, _) = seal(1, 0, Vec::new());
        assert_eq!(stored, xxh3_64_with_seed(b"", 1).to_le_bytes());
    }
}
