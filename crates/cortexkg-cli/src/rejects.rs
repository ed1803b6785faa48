//! Rejections: the first few are shown, all are counted, and written where a file is given.

use std::io::Write;

use crate::failure::Failure;
use crate::input::Rejection;
use crate::outputs::OutputFile;
use crate::palette::Palette;
use crate::progress::Progress;

/// Rejections shown on standard error.
const SHOWN_MAX: u64 = 10;

pub(crate) struct Rejects {
    count: u64,
    file: Option<OutputFile>,
}

impl Rejects {
    pub(crate) fn new(file: Option<OutputFile>) -> Self {
        Self { count: 0, file }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Notes one; whether it is one of the first, which are shown.
    pub(crate) fn note(&mut self, rejection: &Rejection) -> Result<bool, Failure> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            let written = serde_json::to_writer(&mut *file, rejection).map_err(std::io::Error::from);
            written
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| Failure::of_write(file.name(), &error))?;
        }
        Ok(self.count <= SHOWN_MAX)
    }

    /// Notes one, and shows it above the bar if it is one of the first.
    pub(crate) fn tell(
        &mut self,
        rejection: &Rejection,
        progress: &Progress,
        err: &mut dyn Write,
        palette: Palette,
    ) -> Result<(), Failure> {
        if self.note(rejection)? {
            let word = palette.warning("rejected:");
            progress.aside(|| drop(writeln!(err, "{word} {rejection}")));
        }
        Ok(())
    }

    /// Closes the file; what to say of those that were not shown.
    pub(crate) fn finish(self) -> Result<Option<String>, Failure> {
        let more = self.count.saturating_sub(SHOWN_MAX);
        let advice = match &self.file {
            Some(file) => format!("all are in {}", file.name()),
            None => "--rejects FILE writes all".to_owned(),
        };
        if let Some(file) = self.file {
            file.finish()?;
        }
        Ok((more > 0).then(|| format!("rejected: {more} more; {advice}")))
    }
}
