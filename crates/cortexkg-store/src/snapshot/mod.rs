//! The container of snapshots and of portable graph files (`.ckg`): named sections of records, written once from front to back, read
//! at random or in order, every block verified whenever it is read. See `docs/format.md` for the bytes.
//!
//! Writing streams: memory is one group of records (16 of at most 64 KiB) and 8 bytes per 16 records of the section being written.
//! Opening reads header, footer and directory only. Reads at random go through a cache of blocks with a bound in bytes; reading in
//! order passes it by.
//!
//! ```
//! use cortexkg_store::{Snapshot, SnapshotWriter};
//!
//! # fn main() -> Result<(), cortexkg_store::StoreError> {
//! let mut bytes = Vec::new();
//! let mut writer = SnapshotWriter::new(&mut bytes)?;
//! writer.section("words")?;
//! writer.record(b"one")?;
//! writer.record(b"two")?;
//! writer.finish()?;
//!
//! let snapshot = Snapshot::open(bytes, "example.ckg", 1 << 20)?;
//! let words = snapshot.section("words").expect("just written");
//! assert_eq!(words.len(), 2);
//! let mut word = Vec::new();
//! words.read(1, &mut word)?;
//! assert_eq!(word, b"two");
//! # Ok(())
//! # }
//! ```

mod blocks;
mod cache;
mod layout;
mod reader;
mod section;
mod source;
mod writer;

pub use cache::CacheStats;
pub use reader::Snapshot;
pub use section::Section;
pub use source::{FileSource, Source};
pub use writer::SnapshotWriter;
