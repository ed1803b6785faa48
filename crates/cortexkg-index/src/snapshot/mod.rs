//! An index as one file.
//!
//! # Format, versions 1 and 2
//!
//! All numbers are little-endian. A file is a row of sections. Each begins at a multiple of 64 bytes with a head of 64 bytes, its
//! contents follow, then zeros up to the next multiple of 64:
//!
//! | bytes of a head | what |
//! |---|---|
//! | 0–7 | `CKGINDEX` |
//! | 8–11 | version of the format |
//! | 12–15 | which section, as numbered below |
//! | 16–23 | bytes of the contents |
//! | 24–31 | XXH3 of the contents, 64 bits |
//! | 32–39 | XXH3 of the bytes 0–31 |
//! | 40–63 | zeros |
//!
//! | section | contents |
//! |---|---|
//! | 1 settings | dimension, connections, ef of construction, ef of search, precision (its place in [`Precision::ALL`](crate::Precision::ALL)), number of layers above the lowest: u32 each; slot of the entry, all ones if there is none: u32; number of slots: u32 |
//! | 2 codes | the rows of all slots, free ones too: code, factor (f32), id (u64), each row padded to 64 bytes if it is shorter |
//! | 3 live | one bit for each slot, lowest bit first |
//! | 4 links | of each slot: its neighbours, u32 each, padded with all ones to a multiple of 16 |
//! | 5 layer | once for each layer above the lowest, from below: of each of its nodes, by slot: slot, neighbours as in section 4 |
//! | 6 finer places | u32 for the slots from the first on: precision in the upper 3 bits, row in the lower 29; all ones: none |
//! | 7 finer codes | once for each precision, from the smallest: its rows |
//! | 9 copies | of each slot that others stand behind, because they hold the same code and factor, by slot: the slot, how many, and they, by id: u32 each. They have no links |
//! | 8 end | nothing |
//!
//! Sections stand in this order, each there even if empty; but section 9 is there in version 2 alone. Where nothing stands behind another,
//! version 1 is written, so that older programs read it.

mod read;
mod write;

/// The first bytes of every section.
const MAGIC: [u8; 8] = *b"CKGINDEX";

/// The version without copies.
const VERSION_PLAIN: u32 = 1;

/// The highest version that is written and read: with copies.
const VERSION: u32 = 2;

/// Bytes of the head of a section, and what each begins at a multiple of.
const HEAD: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Settings = 1,
    Codes = 2,
    Live = 3,
    Links = 4,
    Layer = 5,
    FinerPlaces = 6,
    FinerCodes = 7,
    End = 8,
    Copies = 9,
}

impl Section {
    fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Codes => "codes",
            Self::Live => "live",
            Self::Links => "links",
            Self::Layer => "layer",
            Self::FinerPlaces => "finer places",
            Self::FinerCodes => "finer codes",
            Self::End => "end",
            Self::Copies => "copies",
        }
    }
}

/// Why a snapshot was not opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is no snapshot of an index.
    #[error("this is no snapshot of an index: it does not begin with CKGINDEX")]
    NotASnapshot,
    /// It is of a version that this program does not know.
    #[error(
        "the snapshot is of version {version}, this program reads versions up to {VERSION}: use a newer program, or build the index again"
    )]
    Version {
        /// The version that it states.
        version: u32,
    },
    /// It ends too early.
    #[error(
        "the snapshot ends in section \"{section}\": it was not written to its end; build the index again from the store"
    )]
    Truncated {
        /// The section that is cut or missing.
        section: &'static str,
    },
    /// A section is not what was written.
    #[error("section \"{section}\" of the snapshot is damaged: {what}; build the index again from the store")]
    Damaged {
        /// The section.
        section: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}
