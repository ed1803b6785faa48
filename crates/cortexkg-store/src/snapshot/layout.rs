//! The fixed parts of a container as bytes: header, footer, directory. See `docs/format.md`.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Version of the container.
pub(super) const VERSION: u32 = 1;
/// Bytes of payload in a block.
pub(super) const BLOCK_BYTES: usize = 4096;
/// Bytes of a block's check.
pub(super) const CHECK_BYTES: usize = 8;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 16;
/// Bytes of the footer.
pub(super) const FOOTER_BYTES: usize = 64;
/// Bytes of the directory, at most: some ten thousand sections.
pub(super) const DIRECTORY_BYTES_MAX: u64 = 1 << 20;
/// Records in a group.
pub(super) const GROUP_RECORDS: u64 = 16;
/// The longest record that stands in its group.
pub(super) const INLINE_BYTES_MAX: usize = 65_534;
/// The length that stands for a record elsewhere.
pub(super) const ELSEWHERE: u16 = u16::MAX;
/// Bytes of the body of a record elsewhere: position and length.
pub(super) const ELSEWHERE_BYTES: usize = 16;

const HEADER_MAGIC: [u8; 8] = *b"CKGsnap\x00";
const FOOTER_MAGIC: [u8; 8] = *b"CKGsnap\x01";

/// The check of a block.
pub(super) fn block_check(number: u64, payload: &[u8]) -> u64 {
    xxh3_64_with_seed(payload, number)
}

/// The chain after one more block.
pub(super) fn chain(before: u64, check: u64) -> u64 {
    xxh3_64_with_seed(&check.to_le_bytes(), before)
}

/// Where a block begins in the file.
pub(super) const fn block_at(number: u64) -> u64 {
    HEADER_BYTES as u64 + number * (BLOCK_BYTES + CHECK_BYTES) as u64
}

/// The header.
pub(super) fn header() -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&HEADER_MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
    bytes
}

/// What a beginning of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// A container of this version.
    Ours,
    /// A container of another version.
    Version(u32),
    /// Something else.
    Foreign,
}

/// Reads a header.
pub(super) fn read_header(bytes: &[u8; HEADER_BYTES]) -> Header {
    if bytes[..8] != HEADER_MAGIC {
        return Header::Foreign;
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        Header::Version(version)
    } else if *bytes == header() {
        Header::Ours
    } else {
        Header::Foreign
    }
}

/// The end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    /// Bytes of the stream.
    pub(super) stream_bytes: u64,
    /// Where in the stream the directory begins.
    pub(super) directory: u64,
    /// How many sections there are.
    pub(super) sections: u64,
    /// The chain over all blocks.
    pub(super) chain: u64,
}

impl Footer {
    /// As bytes.
    pub(super) fn encode(&self) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        bytes[..8].copy_from_slice(&FOOTER_MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.stream_bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.directory.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.sections.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.chain.to_le_bytes());
        let check = xxh3_64_with_seed(&bytes[..56], 0);
        bytes[56..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// From bytes; `None` if they are not what was written.
    pub(super) fn decode(bytes: &[u8; FOOTER_BYTES]) -> Option<Self> {
        let footer = Self {
            stream_bytes: u64_at(bytes, 16),
            directory: u64_at(bytes, 24),
            sections: u64_at(bytes, 32),
            chain: u64_at(bytes, 40),
        };
        (footer.encode() == *bytes).then_some(footer)
    }

    /// Bytes that the file must have; `None` if no file has so many.
    pub(super) fn file_bytes(&self) -> Option<u64> {
        let checks = self.stream_bytes.div_ceil(BLOCK_BYTES as u64) * CHECK_BYTES as u64;
        self.stream_bytes.checked_add(checks)?.checked_add((HEADER_BYTES + FOOTER_BYTES) as u64)
    }
}

/// A section, as the directory has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name.
    pub(super) name: String,
    /// How many records it has.
    pub(super) records: u64,
    /// Where in the stream its places begin.
    pub(super) places: u64,
    /// Sum of the lengths of its records.
    pub(super) bytes: u64,
}

impl Entry {
    /// Appends it as bytes. Names are at most 65,535 bytes long.
    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        into.extend_from_slice(self.name.as_bytes());
        for number in [self.records, self.places, self.bytes] {
            into.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Takes one from the front of bytes; `None` if there is none.
    pub(super) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        let (numbers, rest) = rest.split_first_chunk::<24>()?;
        let name = std::str::from_utf8(name).ok()?.to_owned();
        *bytes = rest;
        Some(Self {
            name,
            records: u64_at(numbers, 0),
            places: u64_at(numbers, 8),
            bytes: u64_at(numbers, 16),
        })
    }
}

/// A number in bytes that are known to be long enough.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}
