//! Which format an input has: by the name of the file, else by its first bytes.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// JSON Lines: one object per line.
    Jsonl,
    /// N-Triples: one triple per line.
    Ntriples,
}

impl Format {
    /// The format that the name of a file tells, looking through `.gz` and `.zst`.
    pub fn by_name(name: &str) -> Option<Self> {
        let path = Path::new(name);
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gz" | "gzip" | "zst" | "zstd" => Self::by_name(path.file_stem()?.to_str()?),
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "nt" | "ntriples" => Some(Self::Ntriples),
            _ => None,
        }
    }

    /// The format that the first bytes look like; a table if nothing else fits.
    pub fn sniff(head: &[u8]) -> Self {
        let head = head.trim_ascii_start();
        let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        match head.first() {
            // An array is no JSON Lines either, but there it gets the message that helps.
            Some(b'{' | b'[') => Self::Jsonl,
            Some(b'<' | b'#') => Self::Ntriples,
            Some(b'_') if head.starts_with(b"_:") => Self::Ntriples,
            _ if line.contains(&b'\t') && !line.contains(&b',') => Self::Tsv,
            _ => Self::Csv,
        }
    }

    /// The delimiter of a table.
    pub(super) fn delimiter(self) -> Option<u8> {
        match self {
            Self::Csv => Some(b','),
            Self::Tsv => Some(b'\t'),
            Self::Jsonl | Self::Ntriples => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        assert_eq!(Format::by_name("a/b.csv.gz"), Some(Format::Csv));
        assert_eq!(Format::by_name("b.JSONL"), Some(Format::Jsonl));
        assert_eq!(Format::by_name("x.tsv.zst"), Some(Format::Tsv));
        assert_eq!(Format::by_name("x.nt"), Some(Format::Ntriples));
        assert_eq!(Format::by_name("x.gz"), None);
        assert_eq!(Format::by_name("x"), None);
    }

    #[test]
    fn first_bytes_tell() {
        assert_eq!(Format::sniff(b"\n {\"a\":1}"), Format::Jsonl);
        assert_eq!(Format::sniff(b"<http://x> <p> <o> ."), Format::Ntriples);
        assert_eq!(Format::sniff(b"_:a <p> <o> ."), Format::Ntriples);
        assert_eq!(Format::sniff(b"a\tb\n"), Format::Tsv);
        assert_eq!(Format::sniff(b"a,b\tc\n"), Format::Csv);
        assert_eq!(Format::sniff(b""), Format::Csv);
    }
}
