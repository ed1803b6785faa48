//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cortexkg_store::directory::{
    LOCK_FILE, ROWS_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_FILE, SNAPSHOT_PARTIAL_FILE,
};

use crate::failure::Failure;

/// Names of the files of a graph, which no output may take the place of.
const OF_A_GRAPH: [&str; 5] = [ROWS_FILE, ROWS_PARTIAL_FILE, SNAPSHOT_FILE, SNAPSHOT_PARTIAL_FILE, LOCK_FILE];

/// A file that is written beside its place, as `NAME.PROCESS.partial`, and takes its name when it is finished: another process
/// that writes the same file has another partial one, and the last to finish wins whole. One that is never finished, or cannot
/// be, is removed. What is no ordinary file (a device, a pipe) is written directly.
pub struct OutputFile {
    name: String,
    writer: BufWriter<File>,
    /// From where to where the file is renamed at the end; none once it is.
    rename: Option<(PathBuf, PathBuf)>,
}

impl OutputFile {
    /// Starts the file at `path`.
    ///
    /// # Errors
    /// Where it cannot be created, or would take the place of a file of a graph.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let place = identity(path);
        if OF_A_GRAPH.iter().any(|of| place.file_name().is_some_and(|name| name == *of)) {
            return Err(Failure::Usage(format!(
                "{name} has the name of a file of a graph, which it would destroy; give it another"
            )));
        }
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
                let (file, partial) = create_partial(&target).map_err(unusable)?;
                (file, Some((partial, target)))
            }
            Err(_) => {
                let (file, partial) = create_partial(path).map_err(unusable)?;
                (file, Some((partial, path.to_owned())))
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
    /// Where that fails; the partial file is removed.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.finish_file(true).map_err(|error| Failure::of_write(&self.name, &error))
    }

    /// As [`finish`](Self::finish), without waiting for the disk: after a loss of power the file may be empty. For what is written anew
    /// all the time.
    ///
    /// # Errors
    /// Where that fails; the partial file is removed.
    pub fn finish_unsynced(mut self) -> Result<(), Failure> {
        self.finish_file(false).map_err(|error| Failure::of_write(&self.name, &error))
    }

    fn finish_file(&mut self, is_synced: bool) -> io::Result<()> {
        self.writer.flush()?;
        if let Some((partial, target)) = &self.rename {
            if is_synced {
                self.writer.get_ref().sync_all()?;
            }
            fs::rename(partial, target)?;
            self.rename = None;
        }
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some((partial, _)) = &self.rename {
            // What cannot be removed does no harm but to the space it takes.
            let _ = fs::remove_file(partial);
        }
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

/// Refuses an output that would overwrite an input or another output. Each path comes with the argument that names it; `-` is no file.
///
/// # Errors
/// Where two are the same file.
pub fn check_distinct(inputs: &[(&str, &Path)], outputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let mut taken: Vec<(&str, PathBuf)> = inputs.iter().map(|(name, path)| (*name, identity(path))).collect();
    for (option, path) in outputs {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else { continue };
        let path = identity(path);
        let is_file = fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if let Some((other, _)) = taken.iter().find(|(_, earlier)| is_file && *earlier == path) {
            return Err(Failure::Usage(format!(
                "{option} and {other} are the same file; name another for {option}"
            )));
        }
        taken.push((option, path));
    }
    Ok(())
}

/// A path in the form in which two that lead to the same file are equal.
fn identity(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize().ok().unwrap_or_else(|| match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    })
}

/// Creates a file beside `path` that was not there before.
fn create_partial(path: &Path) -> io::Result<(File, PathBuf)> {
    let process = std::process::id();
    let mut turn = 0;
    loop {
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(if turn == 0 {
            format!(".{process}.partial")
        } else {
            format!(".{process}-{turn}.partial")
        });
        let partial = path.with_file_name(name);
        match File::options().write(true).create_new(true).open(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && turn < 1000 => turn += 1,
            result => return Ok((result?, partial)),
        }
    }
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
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn two_writers_of_one_file_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(folder.path().join("out.csv.partial"), b"a file of somebody's").unwrap();
        let mut first = OutputFile::create(&path).unwrap();
        let mut second = OutputFile::create(&path).unwrap();
        first.write_all(b"first").unwrap();
        second.write_all(b"second").unwrap();
        second.finish().unwrap();
        first.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read(folder.path().join("out.csv.partial")).unwrap(), b"a file of somebody's");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // Nor does one that cannot take its name.
        let file = OutputFile::create(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(file.finish().is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the directory alone");
    }

    #[test]
    fn no_file_of_a_graph_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for name in OF_A_GRAPH {
            let path = folder.path().join(name);
            fs::write(&path, b"a graph").unwrap();
            assert!(OutputFile::create(&path).is_err());
            assert!(OutputFile::create(&folder.path().join("x").join("..").join(name)).is_err());
            #[cfg(unix)]
            {
                let link = folder.path().join("link");
                std::os::unix::fs::symlink(&path, &link).unwrap();
                assert!(OutputFile::create(&link).is_err());
                fs::remove_file(&link).unwrap();
            }
            assert_eq!(fs::read(&path).unwrap(), b"a graph");
        }
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
