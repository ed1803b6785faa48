//! Four rows of a walk side by side, so that each part of the query is loaded once for the four.

use crate::rows::Walk;

/// Whole blocks of `N` bytes of four rows, and what is left of each.
pub(crate) type FourRows<'a, const N: usize> = ([&'a [[u8; N]]; 4], [&'a [u8]; 4]);

/// The rows from this place of the walk on.
///
/// Lives outside the functions with a target feature, because a closure in one of those is never inlined.
#[inline]
pub(crate) fn four_rows<'a, const N: usize>(walk: &Walk<'a>, place: usize, blocks: usize) -> FourRows<'a, N> {
    let row = |r: usize| walk.row(place + r).split_at(blocks * N);
    let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
    // Said once more after the split, so that the compiler knows one length for all four.
    let whole = |bytes: &'a [u8]| &bytes.as_chunks::<N>().0[..blocks];
    ([whole(a.0), whole(b.0), whole(c.0), whole(d.0)], [a.1, b.1, c.1, d.1])
}
