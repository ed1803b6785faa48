//! What the system says of this process.

use std::fs;

/// Bytes of anonymous memory that the process has in RAM, files left out; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    status("RssAnon:")
}

/// The most memory that the process has had in RAM, in bytes, mapped files included; 0 where the system does not tell.
#[must_use]
pub fn peak_bytes() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Nanoseconds that the calling thread has run, and waited for a core; zeros where the system does not tell.
#[must_use]
pub fn run_and_wait_ns() -> (u64, u64) {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// Bytes that the process has had read from the disk itself; 0 where the system does not tell.
#[must_use]
pub fn disk_read_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("read_bytes:"));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or_default()
}
