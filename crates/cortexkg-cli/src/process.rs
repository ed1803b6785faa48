//! What the operating system says of this process.

/// Peak of resident memory in bytes, where the system tells (Linux: `VmHWM`).
pub(crate) fn memory_peak_bytes() -> Option<u64> {
    status_bytes("VmHWM:")
}

/// Resident memory in bytes, where the system tells (Linux: `VmRSS`).
pub(crate) fn memory_resident_bytes() -> Option<u64> {
    status_bytes("VmRSS:")
}

fn status_bytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
