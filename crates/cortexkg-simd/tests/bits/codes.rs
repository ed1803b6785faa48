//! A query with codes of every format: one, many picked by number, many in order.

use cortexkg_simd::{Kernels, Rows};
use proptest::prelude::*;

use crate::random::Random;
use crate::{LENGTH_MAX, all_kernels, oracle};

/// One kernel in its three forms, with the oracle of one row.
struct Form<Q, T> {
    name: &'static str,
    /// Bytes of a code.
    code_len: fn(usize) -> usize,
    one: fn(&Kernels, &[Q], &[u8]) -> T,
    at: fn(&Kernels, &[Q], Rows<'_>, &[u32], &mut [T]),
    rows: fn(&Kernels, &[Q], Rows<'_>, usize, &mut [T]),
    oracle: fn(&[Q], &[u8]) -> T,
}

fn u4_len(dimension: usize) -> usize {
    dimension.div_ceil(64) * 32
}

fn signed(code: &[u8]) -> Vec<i8> {
    code.iter().map(|&byte| byte as i8).collect()
}

fn floats(code: &[u8]) -> Vec<f32> {
    code.chunks_exact(4).map(|bytes| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

const I8: Form<i8, i32> = Form {
    name: "dot_i8",
    code_len: |dimension| dimension,
    one: |kernels, query, code| kernels.dot_i8(query, &signed(code)),
    at: Kernels::dot_i8_at,
    rows: Kernels::dot_i8_rows,
    oracle: |query, code| oracle::dot_i8(query, &signed(code)),
};

const U4: Form<i8, i32> = Form {
    name: "dot_i8_u4",
    code_len: u4_len,
    one: Kernels::dot_i8_u4,
    at: Kernels::dot_i8_u4_at,
    rows: Kernels::dot_i8_u4_rows,
    oracle: oracle::dot_i8_u4,
};

const B1: Form<i8, i32> = Form {
    name: "dot_i8_b1",
    code_len: |dimension| dimension.div_ceil(8),
    one: Kernels::dot_i8_b1,
    at: Kernels::dot_i8_b1_at,
    rows: Kernels::dot_i8_b1_rows,
    oracle: oracle::dot_i8_b1,
};

const HAMMING: Form<u8, u32> = Form {
    name: "hamming",
    code_len: |bytes| bytes,
    one: Kernels::hamming,
    at: Kernels::hamming_at,
    rows: Kernels::hamming_rows,
    oracle: oracle::hamming,
};

const F32: Form<f32, f32> = Form {
    name: "dot_f32",
    code_len: |dimension| 4 * dimension,
    one: |kernels, query, code| kernels.dot_f32(query, &floats(code)),
    at: Kernels::dot_f32_at,
    rows: Kernels::dot_f32_rows,
    oracle: |query, code| oracle::dot(query, &floats(code)),
};

const F16: Form<f32, f32> = Form {
    name: "dot_f32_f16",
    code_len: |dimension| 2 * dimension,
    one: Kernels::dot_f32_f16,
    at: Kernels::dot_f32_f16_at,
    rows: Kernels::dot_f32_f16_rows,
    oracle: oracle::dot_f32_f16,
};

/// Floats compare by their bits, but for those of a NaN.
trait Bits: Copy + Default {
    fn bits(self) -> u32;
}

impl Bits for f32 {
    fn bits(self) -> u32 {
        if self.is_nan() { f32::NAN.to_bits() } else { self.to_bits() }
    }
}

impl Bits for i32 {
    fn bits(self) -> u32 {
        self.cast_unsigned()
    }
}

impl Bits for u32 {
    fn bits(self) -> u32 {
        self
    }
}

impl<Q, T: Bits> Form<Q, T> {
    /// One query with a table of rows that start anywhere and have something after their code.
    fn check(&self, random: &mut Random, query: &[Q], code: impl Fn(&mut Random, usize) -> Vec<u8>) {
        let (len, start) = (query.len(), query.len() % 5);
        let (rows, code_len) = (1 + len % 11, (self.code_len)(len));
        let stride = code_len.max(1) + len % 3 * 7;
        // The last row ends with its code.
        let bytes_len = (rows - 1) * stride + code_len.max(1);
        let bytes = code(random, start + bytes_len + 8);
        let bytes = &bytes[start..][..bytes_len];
        let table = Rows::new(bytes, stride);
        assert_eq!(table.len(), rows, "rows of {} for {len}", self.name);
        let row = |number: usize| &bytes[number * stride..][..code_len];
        let expected: Vec<u32> = (0..rows).map(|number| (self.oracle)(query, row(number)).bits()).collect();
        let at = random.row_numbers(len % 23, rows);
        for kernels in all_kernels() {
            let what = |form: &str| format!("{}{form} of {len} on {}", self.name, kernels.level());
            for (number, &expected) in expected.iter().enumerate() {
                assert_eq!((self.one)(kernels, query, row(number)).bits(), expected, "{}", what(""));
            }
            let mut out = vec![T::default(); at.len()];
            (self.at)(kernels, query, table, &at, &mut out);
            for (out, &number) in out.iter().zip(&at) {
                assert_eq!(out.bits(), expected[number as usize], "{}: row {number}", what("_at"));
            }
            let first = len % rows;
            let mut out = vec![T::default(); rows - first];
            (self.rows)(kernels, query, table, first, &mut out);
            let out: Vec<u32> = out.into_iter().map(Bits::bits).collect();
            assert_eq!(out, expected[first..], "{} from row {first}", what("_rows"));
        }
    }

    /// What does not fit panics and says why.
    fn check_panics(&self, query: &[Q]) {
        let code_len = (self.code_len)(query.len());
        let bytes = vec![0; 3 * code_len];
        for kernels in all_kernels() {
            let panic = |call: &dyn Fn()| {
                let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
                *panic.downcast::<String>().unwrap()
            };
            let table = Rows::new(&bytes, code_len);
            let no_row = |number: usize| format!("no row {number}: 3 rows hold a code of {code_len} bytes");
            let mut out = [T::default(); 6];
            // The first and the last of a group of rows, and one after the groups.
            for wrong in [0, 3, 5] {
                let mut at = [1; 6];
                at[wrong] = 3;
                let message = panic(&|| (self.at)(kernels, query, table, &at, &mut out.clone()));
                assert!(message.contains(&no_row(3)), "{message}");
                at[wrong] = u32::MAX;
                let message = panic(&|| (self.at)(kernels, query, table, &at, &mut out.clone()));
                assert!(message.contains(&no_row(u32::MAX as usize)), "{message}");
            }
            let message = panic(&|| (self.rows)(kernels, query, table, 1, &mut out.clone()));
            assert!(message.contains(&no_row(3)), "{message}");
            let message = panic(&|| (self.rows)(kernels, query, table, usize::MAX, &mut out.clone()));
            assert!(message.contains(&no_row(usize::MAX)), "{message}");
            let close = Rows::new(&bytes, code_len - 1);
            let message = panic(&|| (self.at)(kernels, query, close, &[0], &mut [T::default()]));
            assert!(message.contains("do not fit rows"), "{message}");
            let message = panic(&|| (self.at)(kernels, query, table, &[0], &mut out.clone()));
            assert!(message.contains("not one place per row"), "{message}");
            (self.at)(kernels, query, table, &[2, 1, 0, 2, 1, 0], &mut out);
        }
    }
}

#[test]
fn i8() {
    let mut random = Random(2);
    for len in 0..=LENGTH_MAX {
        let query = random.codes(len + 3);
        I8.check(&mut random, &query[3..], |random, len| {
            random.codes(len).into_iter().map(i8::cast_unsigned).collect()
        });
    }
}

#[test]
fn u4() {
    let mut random = Random(4);
    for len in 0..=LENGTH_MAX {
        let query = random.codes(len + 1);
        U4.check(&mut random, &query[1..], Random::bytes);
    }
}

#[test]
fn b1() {
    let mut random = Random(5);
    for len in 0..=LENGTH_MAX {
        let query = random.codes(len + 1);
        B1.check(&mut random, &query[1..], Random::bytes);
    }
}

#[test]
fn hamming() {
    let mut random = Random(6);
    for len in 0..=LENGTH_MAX {
        let query = random.bytes(len + 3);
        HAMMING.check(&mut random, &query[3..], Random::bytes);
    }
}

#[test]
fn f32() {
    let mut random = Random(7);
    for len in 0..=LENGTH_MAX {
        let query = random.floats(len + 3);
        // Where rows are not whole floats apart, these are any floats.
        let floats = |random: &mut Random, len: usize| {
            let floats = random.floats(len / 4 + 1);
            floats.into_iter().flat_map(f32::to_ne_bytes).collect::<Vec<_>>()
        };
        F32.check(&mut random, &query[3..], floats);
    }
}

#[test]
fn f16() {
    let mut random = Random(8);
    for len in 0..=LENGTH_MAX {
        let query = random.floats(len + 3);
        F16.check(&mut random, &query[3..], |random, len| random.halves(len / 2 + 1));
    }
}

#[test]
fn floats_with_codes() {
    let mut random = Random(9);
    for len in 0..=LENGTH_MAX {
        let (offset, query) = (len % 3, random.floats(len + 1));
        let (query, bytes) = (&query[1..], random.bytes(len + 64 + offset));
        let nibbles = &bytes[offset..][..u4_len(len)];
        let bits = &bytes[offset..][..len.div_ceil(8)];
        let codes = signed(&bytes[offset..][..len]);
        for kernels in all_kernels() {
            let level = kernels.level();
            let same = |found: f32, expected: f32, name| {
                assert_eq!(found.to_bits(), expected.to_bits(), "{name} of {len} on {level}");
            };
            same(kernels.dot_f32_i8(query, &codes), oracle::dot_f32_i8(query, &codes), "dot_f32_i8");
            same(kernels.dot_f32_u4(query, nibbles), oracle::dot_f32_u4(query, nibbles), "dot_f32_u4");
            same(kernels.dot_f32_b1(query, bits), oracle::dot_f32_b1(query, bits), "dot_f32_b1");
        }
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "a panic ends the process")]
fn rows_that_are_not_there_panic() {
    let mut random = Random(10);
    for len in [64, 100, 384] {
        I8.check_panics(&random.codes(len));
        U4.check_panics(&random.codes(len));
        B1.check_panics(&random.codes(len));
        HAMMING.check_panics(&random.bytes(len));
        F32.check_panics(&random.floats(len));
        F16.check_panics(&random.floats(len));
    }
    assert!(Rows::new(&[], 8).is_empty());
    assert!(std::panic::catch_unwind(|| Rows::new(&[1], 0)).is_err());
}

#[test]
fn dot_i8_many_is_row_after_row() {
    let mut random = Random(11);
    for len in 0..=LENGTH_MAX {
        let rows = len % 11;
        let (query, codes) = (random.codes(len + 3), random.codes(len * rows + 7));
        let (query, codes) = (&query[3..], &codes[7..]);
        let expected: Vec<i32> =
            (0..rows).map(|row| oracle::dot_i8(query, &codes[row * len..][..len])).collect();
        for kernels in all_kernels() {
            let mut dots = vec![1; rows];
            kernels.dot_i8_many(query, codes, &mut dots);
            assert_eq!(dots, expected, "dot_i8_many of {rows} rows of {len} on {}", kernels.level());
        }
    }
}

#[test]
fn the_largest_codes_do_not_saturate_and_very_long_sums_wrap_alike() {
    for kernels in all_kernels() {
        let level = kernels.level();
        for len in [4096, 131_071, 140_001] {
            for (x, y) in [(127, 127), (-127, 127), (-128, 127), (-128, -128)] {
                let (a, b) = (vec![x; len], vec![y; len]);
                let expected = oracle::dot_i8(&a, &b);
                assert_eq!(kernels.dot_i8(&a, &b), expected, "{len} × {x}·{y} on {level}");
                let mut dots = [0; 4];
                kernels.dot_i8_many(&a, &[b.as_slice(); 4].concat(), &mut dots);
                assert_eq!(dots, [expected; 4], "rows of {len} × {x}·{y} on {level}");
                let full = vec![0xff; u4_len(len)];
                assert_eq!(kernels.dot_i8_u4(&a, &full), i32::from(x) * 15 * len as i32, "{x} on {level}");
                assert_eq!(kernels.dot_i8_b1(&a, &full[..len.div_ceil(8)]), i32::from(x) * len as i32);
            }
        }
    }
}

/// Bytes of any kind, as zeros, ones and runs of them are.
fn bytes(len: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => any::<u8>(), 1 => Just(0), 1 => Just(0xff), 1 => Just(0x80), 1 => Just(0x7f)];
    prop::collection::vec(byte, len)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_query_with_any_codes(
        (query, codes) in (1..=LENGTH_MAX).prop_flat_map(|len| (bytes(4 * len), bytes(11 * (4 * len + 14) + 13))),
    ) {
        let mut random = Random(codes.len() as u64);
        let len = query.len() / 4;
        // The same bytes for every format; a float may be anything, NaN too.
        let table = |_: &mut Random, len: usize| codes[..len].to_vec();
        let small = signed(&query[..len]);
        I8.check(&mut random, &small, table);
        U4.check(&mut random, &small, table);
        B1.check(&mut random, &small, table);
        HAMMING.check(&mut random, &query[..len], table);
        F32.check(&mut random, &floats(&query), table);
        F16.check(&mut random, &floats(&query), table);
    }
}
