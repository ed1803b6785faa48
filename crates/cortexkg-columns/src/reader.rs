//! Numbers out of bytes that came from outside, and into bytes.

use crate::error::ColumnError;

/// Bytes of the longest number: seven bits in each.
const VARYING_MAX: u32 = 10;

/// Reads numbers one after the other.
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    /// The error of what these bytes are.
    damaged: fn(usize, &str) -> ColumnError,
}

impl<'a> Reader<'a> {
    /// A reader from a place on.
    pub(crate) fn of(bytes: &'a [u8], at: usize, damaged: fn(usize, &str) -> ColumnError) -> Self {
        Self { bytes, at, damaged }
    }

    /// That there is something wrong at a place.
    pub(crate) fn wrong(&self, at: usize, what: &str) -> ColumnError {
        (self.damaged)(at, what)
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], ColumnError> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        let found = *found.ok_or_else(|| self.wrong(self.at, "it ends here"))?;
        self.at += N;
        Ok(found)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ColumnError> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ColumnError> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number of 1 to 10 bytes (LEB128).
    pub(crate) fn varying(&mut self) -> Result<u64, ColumnError> {
        let at = self.at;
        let mut number = 0_u64;
        for byte in 0..VARYING_MAX {
            let [next] = self.take()?;
            let bits = u64::from(next & 0x7f);
            if bits << (7 * byte) >> (7 * byte) != bits {
                break;
            }
            number |= bits << (7 * byte);
            if next & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.wrong(at, "a number is too large"))
    }

    /// [`varying`](Self::varying), where only 32 bits can be.
    pub(crate) fn varying_u32(&mut self) -> Result<u32, ColumnError> {
        let at = self.at;
        u32::try_from(self.varying()?).map_err(|_| self.wrong(at, "a number is too large"))
    }
}

/// Writes a number in 1 to 10 bytes: seven bits each, the lowest first; the highest bit says that there are more (LEB128).
pub(crate) fn write_varying(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::damaged;

    proptest! {
        #[test]
        fn varying_numbers_come_back(number in any::<u64>(), shift in 0_u32..64) {
            let mut bytes = Vec::new();
            write_varying(&mut bytes, number >> shift);
            let mut reader = Reader::of(&bytes, 0, damaged);
            prop_assert_eq!(reader.varying(), Ok(number >> shift));
            prop_assert_eq!(reader.at, bytes.len());
        }
    }

    #[test]
    fn numbers_beyond_64_bits_are_refused() {
        for bytes in
            [&[0xff; 10][..], &[0x80; 11], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]]
        {
            assert!(Reader::of(bytes, 0, damaged).varying().is_err(), "{bytes:?}");
        }
        let mut bytes = Vec::new();
        write_varying(&mut bytes, 1 << 32);
        assert!(Reader::of(&bytes, 0, damaged).varying_u32().is_err());
    }
}
