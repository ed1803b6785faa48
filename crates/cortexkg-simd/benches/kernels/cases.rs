//! What is measured: every kernel, on data that stays in the first cache.

use std::hint::black_box;

use cortexkg_simd::{Kernels, Rows};

/// Rows of the kernels of one against many; figures are per row.
const ROWS: usize = 64;

pub(crate) struct Data {
    a: Vec<f32>,
    b: Vec<f32>,
    query: Vec<i8>,
    /// `ROWS` codes of the longest format, `f32`; those of the others lie at their beginning.
    codes: Vec<u8>,
    /// Rows in another order.
    at: Vec<u32>,
    levels: Vec<u8>,
    floats: Vec<f32>,
    dots: Vec<i32>,
    distances: Vec<u32>,
    scores: Vec<f32>,
}

impl Data {
    pub(crate) fn new(dimension: usize) -> Self {
        let a: Vec<f32> = (0..dimension).map(|i| (i as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = (0..dimension).map(|i| (i as f32 * 0.73).cos()).collect();
        let query = (0..dimension).map(|i| (i * 89 % 255) as u8 as i8).collect();
        // Ordinary numbers as floats of 32 and of 16 bits: the upper half of each decides, the lower is 0.
        let upper = |i: usize| (f32::from((i * 57 % 61) as u8) / 64.0 + 0.5).to_bits() & 0xffff_0000;
        let codes = (0..dimension * ROWS).flat_map(|i| upper(i).to_le_bytes()).collect();
        let at = (0..ROWS as u32).map(|i| i * 29 % ROWS as u32).collect();
        Self {
            floats: b.clone(),
            levels: vec![3; dimension],
            a,
            b,
            query,
            codes,
            at,
            dots: vec![0; ROWS],
            distances: vec![0; ROWS],
            scores: vec![0.0; ROWS],
        }
    }

    /// What a reader would write: one sum, which the compiler may not spread over lanes.
    pub(crate) fn plain_dot(&self) -> f32 {
        self.a.iter().zip(&self.b).map(|(x, y)| x * y).sum()
    }
}

/// One kernel: its name, the results that one call gives, the call.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) results: usize,
    pub(crate) call: fn(&Kernels, &mut Data),
}

const fn one(name: &'static str, call: fn(&Kernels, &mut Data)) -> Case {
    Case { name, results: 1, call }
}

/// Per row.
const fn many(name: &'static str, call: fn(&Kernels, &mut Data)) -> Case {
    Case { name, results: ROWS, call }
}

pub(crate) const CASES: [Case; 32] = [
    one("dot_f32", |k, d| _ = black_box(k.dot_f32(&d.a, &d.b))),
    one("squared_l2_f32", |k, d| _ = black_box(k.squared_l2_f32(&d.a, &d.b))),
    one("cosine_f32", |k, d| _ = black_box(k.cosine_f32(&d.a, &d.b))),
    one("dot_f32_f16", |k, d| _ = black_box(k.dot_f32_f16(&d.a, &d.codes[..2 * d.a.len()]))),
    one("dot_f32_i8", |k, d| _ = black_box(k.dot_f32_i8(&d.a, &d.query))),
    one("dot_f32_u4", |k, d| _ = black_box(k.dot_f32_u4(&d.a, &d.codes[..d.a.len() / 2]))),
    one("dot_f32_b1", |k, d| _ = black_box(k.dot_f32_b1(&d.a, &d.codes[..d.a.len() / 8]))),
    one("dot_i8", |k, d| _ = black_box(k.dot_i8(&d.query, &d.query))),
    one("dot_i8_u4", |k, d| _ = black_box(k.dot_i8_u4(&d.query, &d.codes[..d.a.len() / 2]))),
    one("dot_i8_b1", |k, d| _ = black_box(k.dot_i8_b1(&d.query, &d.codes[..d.a.len() / 8]))),
    one("hamming", |k, d| {
        let bytes = d.a.len() / 8;
        _ = black_box(k.hamming(&d.codes[..bytes], &d.codes[bytes..2 * bytes]));
    }),
    many("dot_f32_at", |k, d| {
        k.dot_f32_at(&d.a, Rows::new(&d.codes, 4 * d.a.len()), &d.at, &mut d.scores);
    }),
    many("dot_f32_f16_at", |k, d| {
        k.dot_f32_f16_at(&d.a, Rows::new(&d.codes, 2 * d.a.len()), &d.at, &mut d.scores);
    }),
    many("dot_i8_at", |k, d| k.dot_i8_at(&d.query, Rows::new(&d.codes, d.a.len()), &d.at, &mut d.dots)),
    many("dot_i8_u4_at", |k, d| {
        k.dot_i8_u4_at(&d.query, Rows::new(&d.codes, d.a.len() / 2), &d.at, &mut d.dots);
    }),
    many("dot_i8_b1_at", |k, d| {
        k.dot_i8_b1_at(&d.query, Rows::new(&d.codes, d.a.len() / 8), &d.at, &mut d.dots);
    }),
    many("hamming_at", |k, d| {
        let bytes = d.a.len() / 8;
        k.hamming_at(&d.codes[..bytes], Rows::new(&d.codes, bytes), &d.at, &mut d.distances);
    }),
    many("dot_f32_rows", |k, d| k.dot_f32_rows(&d.a, Rows::new(&d.codes, 4 * d.a.len()), 0, &mut d.scores)),
    many("dot_f32_f16_rows", |k, d| {
        k.dot_f32_f16_rows(&d.a, Rows::new(&d.codes, 2 * d.a.len()), 0, &mut d.scores);
    }),
    many("dot_i8_rows", |k, d| k.dot_i8_rows(&d.query, Rows::new(&d.codes, d.a.len()), 0, &mut d.dots)),
    many("dot_i8_u4_rows", |k, d| {
        k.dot_i8_u4_rows(&d.query, Rows::new(&d.codes, d.a.len() / 2), 0, &mut d.dots);
    }),
    many("dot_i8_b1_rows", |k, d| {
        k.dot_i8_b1_rows(&d.query, Rows::new(&d.codes, d.a.len() / 8), 0, &mut d.dots);
    }),
    many("hamming_rows", |k, d| {
        let bytes = d.a.len() / 8;
        k.hamming_rows(&d.codes[..bytes], Rows::new(&d.codes, bytes), 0, &mut d.distances);
    }),
    one("normalize_f32", |k, d| _ = black_box(k.normalize_f32(&mut d.floats))),
    one("hadamard_f32 of 256", |k, d| {
        k.hadamard_f32(&mut d.floats[..256]);
        // Else the values would grow beyond all bounds.
        k.scale_f32(&mut d.floats[..256], 1.0 / 16.0);
    }),
    one("flip_signs_f32", |k, d| k.flip_signs_f32(&mut d.floats, &d.codes[..d.a.len() / 8])),
    one("quantize_i8", |k, d| _ = black_box(k.quantize_i8(&d.a, &mut d.query))),
    one("quantize_u4", |k, d| k.quantize_u4(&d.b, 5.0, &mut d.codes[..d.a.len() / 2])),
    one("pack_signs", |k, d| k.pack_signs(&d.b, &mut d.codes[..d.a.len() / 8])),
    one("f32_to_f16", |k, d| k.f32_to_f16(&d.b, &mut d.codes[..2 * d.a.len()])),
    one("f16_to_f32", |k, d| k.f16_to_f32(&d.codes[..2 * d.a.len()], &mut d.floats)),
    one("unpack_u4", |k, d| k.unpack_u4(&d.codes[..d.a.len() / 2], &mut d.levels)),
];
