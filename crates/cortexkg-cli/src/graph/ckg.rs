//! `.ckg`: a graph in one file, its log included.
//!
//! What is in it is `cortexkg-store`'s ([`write_portable`]); here it comes from files and pipes, packed or not, and goes into a directory
//! piece by piece.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use cortexkg::{DurableEngine, EngineConfig};
use cortexkg_store::directory::ROWS_FILE;
use cortexkg_store::snapshot::FileSource;
use cortexkg_store::{
    ChangeSet, PortableKind, RedbStore, Snapshot, Store, StoreError, Sync, portable_kind, portable_rows,
    scan_portable, write_portable,
};
use tempfile::NamedTempFile;

use super::Graph;
use super::fresh::fresh_store;
use crate::failure::Failure;
use crate::input::{Compression, decode};
use crate::progress::Progress;
use crate::stop::{NOTHING_IN, Stop};

/// Bytes of values that are committed together.
const COMMIT_BYTES: usize = 8 << 20;
/// Bytes of blocks that are kept; the file is read in order.
const CACHE_BYTES: u64 = 1 << 20;
/// Bytes that are unpacked at once.
const UNPACK_BYTES: usize = 64 * 1024;

/// Writes a graph; gives the number of rows.
///
/// # Errors
/// Where the graph cannot be read or the output not be written.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write, progress: &Progress) -> Result<u64, Failure> {
    Ok(write_portable(graph.store(), out, &mut |rows| progress.rows(rows))?)
}

/// A file that can be read.
pub(crate) struct CkgFile {
    container: Snapshot,
    place: String,
    /// A file must be read at any place, so one that is compressed or comes through a pipe is written down first. Removed at the end.
    _unpacked: Option<NamedTempFile>,
}

impl CkgFile {
    /// Opens the file at `path`, or what `piped` gives, called `place` in errors.
    ///
    /// # Errors
    /// Where it is no such file, is damaged, or cannot be read or unpacked.
    pub(crate) fn open(path: &Path, piped: Option<Box<dyn Read + '_>>, place: &str) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| {
            Failure::Usage(format!("cannot read {place}: {error}; check the path and the permissions"))
        };
        let is_piped = piped.is_some();
        let bytes: Box<dyn Read + '_> = match piped {
            Some(piped) => piped,
            None => Box::new(File::open(path).map_err(unreadable)?),
        };
        let (compression, mut reader) = decode(bytes).map_err(unreadable)?;
        let unpacked = if is_piped || compression != Compression::None {
            Some(unpack(&mut reader, place)?)
        } else {
            None
        };
        drop(reader);
        let source =
            FileSource::open(unpacked.as_ref().map_or(path, NamedTempFile::path)).map_err(unreadable)?;
        let container = Snapshot::open(source, place, CACHE_BYTES).map_err(|error| failure(place, error))?;
        Ok(Self { container, place: place.to_owned(), _unpacked: unpacked })
    }

    /// Rows that it holds.
    pub(crate) fn rows(&self) -> u64 {
        portable_rows(&self.container)
    }

    /// Makes a graph of it, in a directory that is empty. Everything becomes durable at once, at the end.
    ///
    /// # Errors
    /// Where the file is none of these, is damaged, the directory cannot be written, or it is asked to end. Then there is no graph.
    pub(crate) fn into_graph(
        self,
        directory: &Path,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<Graph, Failure> {
        let unusable = |what: &str| Failure::Usage(format!("{}: {what}", self.place));
        match portable_kind(&self.container).map_err(|error| failure(&self.place, error))? {
            PortableKind::Graph => {}
            PortableKind::OtherVersion => {
                return Err(unusable(
                    "was written by another version of cortexkg; export it again with this one",
                ));
            }
            PortableKind::NoGraph => {
                return Err(unusable(
                    "is no graph that `cortexkg export` has written as .ckg; check the name",
                ));
            }
        }
        // Damage must be found before anything is made.
        self.container.check().map_err(|error| failure(&self.place, error))?;
        let mut store = fresh_store(directory, "--data")?;
        if let Err(failure) = self.fill(&mut store, stop, progress) {
            // Letting go of the store makes durable what is in it: a part of a graph, which nobody shall take for one.
            let _ = std::fs::remove_file(directory.join(ROWS_FILE));
            return Err(failure);
        }
        progress.step("opening the graph");
        Ok(DurableEngine::open(store, EngineConfig::default())?)
    }

    fn fill(&self, store: &mut RedbStore, stop: &Stop, progress: &Progress) -> Result<(), Failure> {
        let (mut changes, mut bytes, mut done) = (ChangeSet::default(), 0, 0);
        let scanned = scan_portable(&self.container, &self.place, &mut |table, key, value| {
            changes.put(table, key, value.to_vec());
            bytes += size_of_val(&key) + value.len();
            done += 1;
            progress.rows(done);
            if bytes >= COMMIT_BYTES {
                bytes = 0;
                store.commit(std::mem::take(&mut changes), Sync::Lazy)?;
                if stop.is_asked() {
                    // Ends the scan; what is told stands below.
                    return Err(StoreError::io(&self.place, io::ErrorKind::Interrupted.into()));
                }
            }
            Ok(())
        });
        if stop.is_asked() {
            return Err(Failure::Run(NOTHING_IN.to_owned()));
        }
        scanned.map_err(|error| failure(&self.place, error))?;
        store.commit(changes, Sync::Durable)?;
        Ok(())
    }
}

/// Writes a file down as it was before it was compressed.
fn unpack(reader: &mut dyn Read, place: &str) -> Result<NamedTempFile, Failure> {
    let unwritable = |error: io::Error| {
        let directory = std::env::temp_dir();
        Failure::Run(format!(
            "cannot unpack {place} in {}: {error}; name another directory in TMPDIR, or unpack the file yourself",
            directory.display()
        ))
    };
    let mut file = NamedTempFile::with_prefix("cortexkg-").map_err(unwritable)?;
    let mut chunk = vec![0; UNPACK_BYTES];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => file.write_all(chunk.get(..count).unwrap_or_default()).map_err(unwritable)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failure::Usage(format!(
                    "{place}: cannot be unpacked: {error}; get the file again"
                )));
            }
        }
    }
    file.flush().map_err(unwritable)?;
    Ok(file)
}

/// What is wrong with the file, as against the store that it is read into.
fn failure(of_file: &str, error: StoreError) -> Failure {
    match error {
        StoreError::Damaged { place, what } if place.starts_with(of_file) => Failure::Run(format!(
            "{place}: is damaged ({what}); get the file again from where it came, or export the graph again"
        )),
        error => error.into(),
    }
}
