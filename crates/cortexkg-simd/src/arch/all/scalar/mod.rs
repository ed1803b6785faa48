//! The definition of every result, in plain Rust: fallback and oracle of the wide levels.

pub(crate) mod codes;
pub(crate) mod floats;
pub(crate) mod mixed;
pub(crate) mod packing;

use crate::arch::RawKernels;
use crate::rows::Walk;

pub(crate) const KERNELS: RawKernels = RawKernels {
    floats: floats::KERNELS,
    mixed: mixed::KERNELS,
    codes: codes::KERNELS,
    packing: packing::KERNELS,
};

/// One result per row of the walk.
#[inline]
fn each<T>(walk: Walk<'_>, out: &mut [T], result: impl Fn(&[u8]) -> T) {
    walk.start(out.len());
    for (place, out) in out.iter_mut().enumerate() {
        *out = result(walk.row(place));
    }
}
