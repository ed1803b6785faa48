//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file that is written as `NAME.partial` and takes its name when it is finished. What is no ordinary file (a
/// device, a pipe) is written directly.
pub struct OutputFile {
    name: String,
    writer: BufWriter<File>,
    /// From where to where the file is renamed at the end.
    rename: Option<(PathBuf, PathBuf)>,
}

impl OutputFile {
    /// Starts the file at `path`.
    ///
    /// # Errors
    /// Where it cannot be created.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unusable = |error: io::Error| {
            Failure::Usage(format!("cannot write {name}: {error}; check the path and the permissions"))
        };
        let (file, rename) = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::Usage(format!("{name} is a directory; name a file in it")));
            }
            Ok(metadata) if !metadata.is_file() => {
                (File::options().write(true).open(path).map_err(unusable)?, None)
            }
            Ok(_) => {
                // Through a link to the file itself, so that the link stays one.
                let target = path.canonicalize().map_err(unusable)?;
                let partial = partial_of(&target);
                (File::create(&partial).map_err(unusable)?, Some((partial, target)))
            }
            Err(_) => {
                let partial = partial_of(path);
                (File::create(&partial).map_err(unusable)?, Some((partial, path.to_owned())))
            }
        };
        Ok(Self { name, writer: BufWriter::with_capacity(64 * 1024, file), rename })
    }

    /// The path as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what is left and gives the file its name.
    ///
    /// # Errors
    /// Where that fails; the partial file stays.
    pub fn finish(mut self) -> Result<(), Failure> {
        let finished = self.writer.flush().and_then(|()| match &self.rename {
            Some((partial, target)) => {
                self.writer.get_ref().sync_all()?;
                fs::rename(partial, target)
            }
            None => Ok(()),
        });
        finished.map_err(|error| Failure::of_write(&self.name, &error))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn partial_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".partial");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_appears_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"a").unwrap();
        assert!(!path.exists() && folder.path().join("out.csv.partial").exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a");
        assert!(!folder.path().join("out.csv.partial").exists());
    }

    #[cfg(unix)]
    #[test]
    fn devices_stay_devices() {
        let mut file = OutputFile::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"a").unwrap();
        file.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
