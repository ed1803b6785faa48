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

    /// Looks at the first line that is not blank, and at what came with it; at up to `count_max` bytes if it is longer. Does not wait
    /// for more than that line.
    pub(crate) fn first_line(mut inner: R, count_max: usize) -> Self {
        let mut head = Vec::new();
        let mut chunk = vec![0; count_max];
        let mut deferred = None;
        while head.len() < count_max && !head.trim_ascii_start().contains(&b'\n') {
            match inner.read(&mut chunk[..count_max - head.len()]) {
                Ok(0) => break,
                Ok(count) => head.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    deferred = Some(error);
                    break;
                }
            }
        }
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

    /// Gives one line at a time, and panics if asked for more than there are.
    struct Slow(Vec<&'static [u8]>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = self.0.remove(0);
            buffer[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    #[test]
    fn the_first_line_is_not_waited_beyond() {
        let mut peeked = Peeked::first_line(Slow(vec![b"\n", b"a,", b"b\n1"]), 100);
        assert_eq!(peeked.head(), b"\na,b\n1");
        let mut buffer = [0; 6];
        peeked.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"\na,b\n1");
        assert_eq!(Peeked::first_line(&b"abcdef"[..], 3).head(), b"abc");
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
