//! All that is kept as one piece of bytes: graph and columns.
//!
//! `CKGSTATE`, the version 1 as `u32`, the length of the graph as `u64`, the graph as `.ckg`, then the columns as their crate encodes
//! them. Numbers are little-endian. Graph and columns bring checksums of their own.

use thiserror::Error;

const MAGIC: &[u8; 8] = b"CKGSTATE";
const VERSION: u32 = 1;

/// Why bytes are no state.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum StateError {
    #[error("what the storage holds was not saved by CortexKG; give another name")]
    Other,
    #[error("what the storage holds was saved by another version ({0}); use that one")]
    Version(u32),
    #[error("what the storage holds is cut off; restore it from a copy, or give another name")]
    Cut,
}

/// Puts both together.
pub(crate) fn join(graph: &[u8], columns: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20 + graph.len() + columns.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((graph.len() as u64).to_le_bytes());
    bytes.extend(graph);
    bytes.extend(columns);
    bytes
}

/// Takes both apart: graph, columns.
pub(crate) fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), StateError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(StateError::Other)?;
    let (version, rest) = rest.split_first_chunk().ok_or(StateError::Cut)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(StateError::Version(version));
    }
    let (len, rest) = rest.split_first_chunk().ok_or(StateError::Cut)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| StateError::Cut)?;
    rest.split_at_checked(len).ok_or(StateError::Cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_comes_apart() {
        let bytes = join(b"graph", b"columns");
        assert_eq!(part(&bytes), Ok((&b"graph"[..], &b"columns"[..])));
        assert_eq!(part(b""), Err(StateError::Other));
        assert_eq!(part(&bytes[..19]), Err(StateError::Cut));
        assert_eq!(part(&bytes[..24]), Err(StateError::Cut));
        let mut newer = bytes;
        newer[8] = 2;
        assert_eq!(part(&newer), Err(StateError::Version(2)));
    }
}
