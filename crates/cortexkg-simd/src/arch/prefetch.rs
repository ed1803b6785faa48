//! A hint to the memory: these bytes will be read soon.
#![allow(unsafe_code, reason = "instructions that only hint")]

/// Bytes that come from memory together, on every CPU that the wide levels are for (128 on some ARM: then each is asked for twice).
const LINE: usize = 64;

/// Whether there is such a hint here. Where there is none, finding out what to ask for would be work for nothing.
pub const CAN_PREFETCH: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// Asks the memory for values that will be read soon. A hint: nothing happens but that they may be there sooner.
#[inline]
pub fn prefetch<T>(values: &[T]) {
    let start = values.as_ptr().cast::<u8>();
    let before = start.addr() % LINE;
    for offset in (0..before + size_of_val(values)).step_by(LINE) {
        prefetch_line(start.wrapping_sub(before).wrapping_add(offset));
    }
}

/// Asks for the first bytes of what will be read soon, for `LINES` lines from where it starts or for as many as there are. No branch hangs on
/// its length, which has often been asked for itself: one that is foretold wrongly would have the processor wait for it.
#[inline]
pub fn prefetch_start<const LINES: usize>(bytes: &[u8]) {
    let last = bytes.len().saturating_sub(1);
    for line in 0..LINES {
        prefetch_line(bytes.as_ptr().wrapping_add((line * LINE).min(last)));
    }
}

#[inline]
#[cfg(target_arch = "x86_64")]
fn prefetch_line(line: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86-64 has SSE, and a hint reads nothing: it is allowed for any address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
}

#[inline]
#[cfg(target_arch = "aarch64")]
fn prefetch_line(line: *const u8) {
    // SAFETY: a hint reads nothing: it is allowed for any address, and changes no register.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) line, options(nostack, readonly, preserves_flags));
    }
}

#[inline]
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn prefetch_line(_line: *const u8) {}
