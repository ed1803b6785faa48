//! The two tables that every set is turned into.

use std::fmt::Write as _;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

/// `records.csv` and `clusters.csv` of a set.
pub(crate) struct Tables {
    /// Bytes of `records.csv`.
    pub records: Vec<u8>,
    /// Bytes of `clusters.csv`.
    pub clusters: Vec<u8>,
}

/// Rows as CSV: commas, `\n`, quotes only where needed.
pub(crate) fn csv<R, F>(header: &[&str], rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>>
where
    R: IntoIterator<Item = F>,
    F: AsRef<[u8]>,
{
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(writer.into_inner().map_err(::csv::IntoInnerError::into_error)?)
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    sha256(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether a cluster belongs to the open half of a set's truth: its identifier hashes to an even first byte. The
/// other half is set aside, so that nothing is tuned on it.
pub(crate) fn is_open(cluster_id: &str) -> bool {
    sha256(cluster_id.as_bytes())[0].is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        let bytes = csv(&["id", "name"], [["1", "a b"], ["2", "a,b"], ["3", "a \"b\""], ["4", ""]]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "id,name\n1,a b\n2,\"a,b\"\n3,\"a \"\"b\"\"\"\n4,\n");
    }

    #[test]
    fn half_of_the_clusters_is_open() {
        assert!(is_open("HP:0000001"));
        assert!(!is_open("HP:0000006"));
    }
}
