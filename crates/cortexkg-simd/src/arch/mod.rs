//! The kernels themselves, one room per architecture; each level fills one [`RawKernels`].
//!
//! To add a level: a file that fills the table, a variant of [`Level`](crate::Level), an arm in `Kernels::for_level`.
//! The tests then hold it to the bits of `all::scalar`.

pub(crate) mod all;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86_64;

/// Partial sums of a float kernel: lane `i` adds the terms of the elements `i`, `i + LANES`, `i + 2·LANES` …
///
/// Measured: 16, 32 and 64 lanes are alike on the wide levels at 256 and 384 dimensions, within about 5 %, while plain code
/// loses 12 to 18 % from 32 to 64. 32 are two 512-bit registers, four of 256 bits or eight of 128, which leaves room for the
/// operands everywhere.
pub const LANES: usize = 32;

/// The functions of one level.
///
/// Each is `unsafe` because it may only be called where its level is supported. Their other conditions, those on
/// lengths, are checked by [`Kernels`](crate::Kernels); without them a function may panic or leave elements out, never
/// touch memory outside its slices.
#[derive(Debug)]
pub(crate) struct RawKernels {
    pub(crate) dot_f32: unsafe fn(&[f32], &[f32]) -> f32,
    pub(crate) squared_l2_f32: unsafe fn(&[f32], &[f32]) -> f32,
    pub(crate) max_abs_f32: unsafe fn(&[f32]) -> f32,
    pub(crate) scale_f32: unsafe fn(&mut [f32], f32),
    /// Rounds `values[i] * factor`, at most 127.5 in absolute value, half to even.
    pub(crate) round_to_i8: unsafe fn(&[f32], f32, &mut [i8]),
    pub(crate) dot_i8: unsafe fn(&[i8], &[i8]) -> i32,
    /// Query (not empty), rows, one result per row.
    pub(crate) dot_i8_many: unsafe fn(&[i8], &[i8], &mut [i32]),
}
