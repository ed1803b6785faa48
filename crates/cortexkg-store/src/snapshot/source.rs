//! Where the bytes of a container come from.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::StorageBackend;

/// Bytes that can be read at any place, by several threads at once.
pub trait Source: Debug + Send + Sync + 'static {
    /// How many there are.
    ///
    /// # Errors
    /// The operating system's.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills a buffer with the bytes from a place on.
    ///
    /// # Errors
    /// The operating system's; [`io::ErrorKind::UnexpectedEof`] if there are too few.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
}

/// A file.
#[derive(Debug)]
pub struct FileSource {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
}

impl FileSource {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { file })
    }
}

#[cfg(unix)]
impl Source for FileSource {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, at)
    }
}

#[cfg(not(unix))]
impl Source for FileSource {
    fn bytes(&self) -> io::Result<u64> {
        // A reader that panicked has left the file as good as before: its place is set by every read.
        let file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(file.metadata()?.len())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(into)
    }
}

impl Source for Arc<[u8]> {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        copy_from(self, at, into)
    }
}

impl Source for Vec<u8> {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        copy_from(self, at, into)
    }
}

/// A file of a [`Directory`](crate::directory::Directory).
impl Source for Box<dyn StorageBackend> {
    fn bytes(&self) -> io::Result<u64> {
        self.as_ref().len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.as_ref().read(at, into)
    }
}

fn copy_from(bytes: &[u8], at: u64, into: &mut [u8]) -> io::Result<()> {
    let found = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..into.len()));
    into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
    Ok(())
}
