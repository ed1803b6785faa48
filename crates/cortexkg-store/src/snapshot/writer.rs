//! Writing a container.

use std::io::Write;

use super::blocks::BlockWriter;
use super::layout::{
    BLOCK_BYTES, CHECK_BYTES, DIRECTORY_BYTES_MAX, ELSEWHERE, Entry, FOOTER_BYTES, Footer, GROUP_RECORDS,
    HEADER_BYTES, INLINE_BYTES_MAX, header,
};
use crate::error::StoreError;

/// Writes sections of records, one after the other.
pub struct SnapshotWriter<'a> {
    stream: BlockWriter<'a>,
    done: Vec<Entry>,
    current: Option<Current>,
}

/// The section being written.
struct Current {
    name: String,
    records: u64,
    bytes: u64,
    /// Where its groups begin.
    places: Vec<u64>,
    /// The group being filled.
    lengths: Vec<u8>,
    bodies: Vec<u8>,
}

impl std::fmt::Debug for SnapshotWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sections: Vec<&str> = self.done.iter().map(|entry| entry.name.as_str()).collect();
        f.debug_struct("SnapshotWriter")
            .field("position", &self.stream.position())
            .field("done", &sections)
            .finish()
    }
}

impl<'a> SnapshotWriter<'a> {
    /// Begins a container. It is written in pieces of 4 KiB.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn new(out: &'a mut dyn Write) -> Result<Self, StoreError> {
        out.write_all(&header()).map_err(failed)?;
        Ok(Self { stream: BlockWriter::new(out), done: Vec::new(), current: None })
    }

    /// Begins a section, and ends the one before.
    ///
    /// # Errors
    /// [`StoreError::Io`], also for a name that was used already or has more than 65,535 bytes.
    pub fn section(&mut self, name: &str) -> Result<(), StoreError> {
        self.end_section()?;
        if name.len() > usize::from(u16::MAX) || self.done.iter().any(|entry| entry.name == name) {
            return Err(misuse(format!(
                "section {name:.80}: a name of up to 65,535 bytes that no other section has"
            )));
        }
        self.current = Some(Current {
            name: name.to_owned(),
            records: 0,
            bytes: 0,
            places: Vec::new(),
            lengths: Vec::new(),
            bodies: Vec::new(),
        });
        Ok(())
    }

    /// Appends a record to the section. It may be empty, and of any length.
    ///
    /// # Errors
    /// [`StoreError::Io`], also if no section has begun.
    pub fn record(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(current) = &mut self.current else {
            return Err(misuse("a record needs a section; begin one".to_owned()));
        };
        if bytes.len() <= INLINE_BYTES_MAX {
            current.lengths.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            current.bodies.extend_from_slice(bytes);
        } else {
            current.lengths.extend_from_slice(&ELSEWHERE.to_le_bytes());
            current.bodies.extend_from_slice(&self.stream.position().to_le_bytes());
            current.bodies.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            self.stream.write(bytes).map_err(failed)?;
        }
        current.records += 1;
        current.bytes += bytes.len() as u64;
        if current.records % GROUP_RECORDS == 0 {
            current.end_group(&mut self.stream)?;
        }
        Ok(())
    }

    /// Ends the container. Gives its bytes.
    ///
    /// # Errors
    /// [`StoreError::Io`], also if names and numbers of the sections take more than 1 MiB.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        self.end_section()?;
        let directory = self.stream.position();
        let mut bytes = Vec::new();
        self.done.iter().for_each(|entry| entry.encode(&mut bytes));
        if bytes.len() as u64 > DIRECTORY_BYTES_MAX {
            return Err(misuse(format!(
                "{} sections with their names are too many; use fewer",
                self.done.len()
            )));
        }
        self.stream.write(&bytes).map_err(failed)?;
        let (stream_bytes, chain, out) = self.stream.finish().map_err(failed)?;
        let footer = Footer { stream_bytes, directory, sections: self.done.len() as u64, chain };
        out.write_all(&footer.encode()).map_err(failed)?;
        out.flush().map_err(failed)?;
        let checks = stream_bytes.div_ceil(BLOCK_BYTES as u64) * CHECK_BYTES as u64;
        Ok(stream_bytes + checks + (HEADER_BYTES + FOOTER_BYTES) as u64)
    }

    fn end_section(&mut self) -> Result<(), StoreError> {
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        if !current.lengths.is_empty() {
            current.end_group(&mut self.stream)?;
        }
        let places = self.stream.position();
        for place in &current.places {
            self.stream.write(&place.to_le_bytes()).map_err(failed)?;
        }
        let Current { name, records, bytes, .. } = current;
        self.done.push(Entry { name, records, places, bytes });
        Ok(())
    }
}

impl Current {
    fn end_group(&mut self, stream: &mut BlockWriter<'_>) -> Result<(), StoreError> {
        self.places.push(stream.position());
        stream.write(&self.lengths).map_err(failed)?;
        stream.write(&self.bodies).map_err(failed)?;
        self.lengths.clear();
        self.bodies.clear();
        Ok(())
    }
}

fn failed(source: std::io::Error) -> StoreError {
    StoreError::io("writing a snapshot", source)
}

fn misuse(what: String) -> StoreError {
    failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, what))
}
