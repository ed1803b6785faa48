//! Plain, gzip or zstd, told by the first bytes and never by the name.

use std::io::{self, BufRead, BufReader, Cursor, Read};

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

const BUFFER_BYTES: usize = 64 * 1024;

/// Undoes the compression of `reader`, whatever it is.
///
/// # Errors
/// Where the first bytes cannot be read. Broken compression shows later, as an error of the returned reader, after
/// everything that could be decoded.
pub fn decode<'a>(reader: impl Read + 'a) -> io::Result<(Compression, Box<dyn BufRead + 'a>)> {
    let mut reader = Peeked::new(reader, 4);
    reader.check()?;
    let head = reader.head();
    if head.starts_with(&[0x1f, 0x8b]) {
        let decoder = flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, reader));
        Ok((Compression::Gzip, Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::new(reader)?;
        Ok((Compression::Zstd, Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))))
    } else {
        Ok((Compression::None, Box::new(BufReader::with_capacity(BUFFER_BYTES, reader))))
    }
}

/// A reader whose first bytes can be looked at. An error met while looking comes after the bytes before it.
pub(crate) struct Peeked<R> {
    head: Cursor<Vec<u8>>,
    deferred: Option<io::Error>,
    inner: R,
}

impl<R: Read> Peeked<R> {
    /// Looks at up to `count` bytes.
    pub(crate) fn new(mut inner: R, count: usize) -> Self {
        let mut head = Vec::new();
        let deferred = inner.by_ref().take(count as u64).read_to_end(&mut head).err();
        Self { head: Cursor::new(head), deferred, inner }
    }

    /// The bytes looked at that have not been read yet.
    pub(crate) fn head(&self) -> &[u8] {
        let at = usize::try_from(self.head.position()).unwrap_or(usize::MAX);
        self.head.get_ref().get(at..).unwrap_or_default()
    }

    /// Drops the first bytes.
    pub(crate) fn skip(&mut self, count: u64) {
        self.head.set_position(self.head.position() + count);
    }

    /// The error met before the first byte, if there was one.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        match self.deferred.take() {
            Some(error) if self.head.get_ref().is_empty() => Err(error),
            deferred => {
                self.deferred = deferred;
                Ok(())
            }
        }
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        match self.deferred.take() {
            Some(error) => Err(error),
            None => self.inner.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(data: &[u8]) -> (Compression, Vec<u8>, Option<io::Error>) {
        let (compression, mut reader) = decode(data).unwrap();
        let mut text = Vec::new();
        let error = reader.read_to_end(&mut text).err();
        (compression, text, error)
    }

    #[test]
    fn told_by_magic_bytes() {
        assert_eq!(read(b"plain").1, b"plain");
        assert_eq!(read(b"").1, b"");
        assert_eq!(read(b"\x1f").1, b"\x1f");
        let (compression, text, error) = read(&gzip(b"hello"));
        assert!(compression == Compression::Gzip && text == b"hello" && error.is_none());
        let (compression, text, error) = read(&zstd::encode_all(&b"hello"[..], 1).unwrap());
        assert!(compression == Compression::Zstd && text == b"hello" && error.is_none());
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        let two = [gzip(b"one,"), gzip(b"two")].concat();
        assert_eq!(read(&two).1, b"one,two");
        let two =
            [zstd::encode_all(&b"one,"[..], 1).unwrap(), zstd::encode_all(&b"two"[..], 1).unwrap()].concat();
        assert_eq!(read(&two).1, b"one,two");
    }

    #[test]
    fn what_precedes_the_break_is_kept() {
        let text: Vec<u8> = (0..200_000u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
            let (_, kept, error) = read(&whole[..whole.len() / 2]);
            assert!(error.is_some() && !kept.is_empty() && text.starts_with(&kept));
        }
    }
}
