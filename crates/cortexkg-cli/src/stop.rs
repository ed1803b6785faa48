//! Being asked to end: SIGINT (Ctrl-C) and SIGTERM.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::Failure;

/// Whether the process has been asked to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// Notes the signals from now on. The second one ends the process at once.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub(crate) fn on_signals() -> Result<Self, Failure> {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the first signal finds the flag unset.
            signal_hook::flag::register_conditional_shutdown(signal, 1, stop.asked.clone())
                .and_then(|_| signal_hook::flag::register(signal, stop.asked.clone()))
                .map_err(|error| Failure::Run(format!("cannot watch for signals: {error}")))?;
        }
        Ok(stop)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Bytes of standard input that are read at once; no fewer than the standard library buffers.
pub(crate) const STDIN_BYTES: usize = 64 * 1024;

/// What to say where nothing has been changed yet.
pub(crate) const NOTHING_IN: &str = "asked to end; nothing was taken in: run the same command again";

/// An input that fails once the process is asked to end: an end of it would make half a record look like a whole one.
pub(crate) struct StoppableInput<R> {
    pub(crate) input: R,
    pub(crate) stop: Stop,
}

impl<R: Read> Read for StoppableInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_asked() { Err(io::Error::other("asked to end")) } else { self.input.read(buffer) }
    }
}

/// Standard input that fails once the process is asked to end, even if nothing more comes. `input` must be unbuffered, or read in
/// pieces at least as large as its buffer: waiting looks at the process's standard input itself.
pub(crate) struct StoppableStdin<R> {
    pub(crate) input: R,
    pub(crate) stop: Stop,
}

impl<R: Read> Read for StoppableStdin<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.stop.is_asked() {
            if has_input()? {
                return self.input.read(buffer);
            }
        }
        // An end of the input would make half a record look like a whole one.
        Err(io::Error::other("asked to end"))
    }
}

/// How long to wait for standard input before looking whether to end, in milliseconds.
#[cfg(unix)]
const WAIT_MS: i64 = 200;

/// Waits a moment; whether there is something to read, be it the end.
#[cfg(unix)]
fn has_input() -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let wait = Timespec { tv_sec: 0, tv_nsec: WAIT_MS * 1_000_000 };
    match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&wait)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere reading waits until something comes; a second signal ends the process.
#[cfg(not(unix))]
fn has_input() -> io::Result<bool> {
    Ok(true)
}
