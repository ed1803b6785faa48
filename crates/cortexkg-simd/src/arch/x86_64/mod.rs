//! Kernels for x86-64.

pub(crate) mod avx2;
pub(crate) mod avx512;

/// Four rows of a table of codes, side by side: whole blocks of `N`, and what is left of each row.
///
/// Lives outside the functions with a target feature, because a closure in one of those is never inlined.
#[inline]
fn four_rows<const N: usize>(rows: &[i8], row_len: usize) -> ([&[[i8; N]]; 4], [&[i8]; 4]) {
    let row = |r: usize| rows[r * row_len..][..row_len].as_chunks::<N>();
    let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
    let blocks = row_len / N;
    ([&a.0[..blocks], &b.0[..blocks], &c.0[..blocks], &d.0[..blocks]], [a.1, b.1, c.1, d.1])
}
