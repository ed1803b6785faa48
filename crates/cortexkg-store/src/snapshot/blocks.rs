//! A stream of bytes cut into blocks with checks: writing.

use std::io::{self, Write};

use super::layout::{BLOCK_BYTES, CHECK_BYTES, block_check, chain};

/// Cuts what is written into blocks.
pub(super) struct BlockWriter<'a> {
    out: &'a mut dyn Write,
    /// The payload of the block being filled.
    block: Vec<u8>,
    /// Its number.
    number: u64,
    /// The chain over the blocks before it.
    chain: u64,
}

impl<'a> BlockWriter<'a> {
    /// Begins a stream.
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, block: Vec::with_capacity(BLOCK_BYTES + CHECK_BYTES), number: 0, chain: 0 }
    }

    /// Where in the stream the next byte will stand.
    pub(super) fn position(&self) -> u64 {
        self.number * BLOCK_BYTES as u64 + self.block.len() as u64
    }

    /// Appends bytes to the stream.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK_BYTES {
                self.end_block()?;
            }
        }
        Ok(())
    }

    /// Ends the stream. Gives its length, its chain, and what it was written to.
    pub(super) fn finish(mut self) -> io::Result<(u64, u64, &'a mut dyn Write)> {
        let position = self.position();
        if !self.block.is_empty() {
            self.end_block()?;
        }
        Ok((position, self.chain, self.out))
    }

    fn end_block(&mut self) -> io::Result<()> {
        let check = block_check(self.number, &self.block);
        self.chain = chain(self.chain, check);
        self.block.extend_from_slice(&check.to_le_bytes());
        self.out.write_all(&self.block)?;
        self.block.clear();
        self.number += 1;
        Ok(())
    }
}
