//! Kernels: whatever the numbers, the lengths and where slices start, every level gives the bits of the scalar one.
#![no_main]

use cortexkg_simd::{Kernels, Level, Rows};
use libfuzzer_sys::fuzz_target;

/// The bits of all results, those of any NaN alike.
fn results(kernels: &Kernels, data: &[u8], start: usize, stride: usize) -> Vec<u32> {
    let bits = |value: f32| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    let floats: Vec<f32> =
        data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let codes: Vec<i8> = data.iter().map(|&byte| byte as i8).collect();
    let mut found = Vec::new();

    let (a, b) = floats.split_at(floats.len() / 2);
    let (a, b) = (&a[start.min(a.len())..], &b[..a.len() - start.min(a.len())]);
    found.extend([kernels.dot_f32(a, b), kernels.squared_l2_f32(a, b), kernels.cosine_f32(a, b)].map(bits));
    let mut out = vec![0.0; a.len()];
    let half = |len: usize| data[data.len() - len..].to_vec();
    let code = half(2 * a.len());
    found.push(bits(kernels.dot_f32_f16(a, &code)));
    kernels.f16_to_f32(&code, &mut out);
    found.extend(out.iter().map(|&value| bits(value)));
    found.push(bits(kernels.dot_f32_i8(a, &codes[..a.len()])));
    let nibbles = vec![0x5a; a.len().div_ceil(64) * 32];
    found.push(bits(kernels.dot_f32_u4(a, &nibbles)));
    found.push(bits(kernels.dot_f32_b1(a, &half(a.len().div_ceil(8)))));

    let mut packed = vec![0; 2 * a.len()];
    kernels.f32_to_f16(a, &mut packed);
    found.extend(packed.iter().map(|&byte| u32::from(byte)));
    let mut packed = nibbles;
    kernels.quantize_u4(a, b.first().copied().unwrap_or(1.0), &mut packed);
    found.extend(packed.iter().map(|&byte| u32::from(byte)));
    let mut levels = vec![0; a.len()];
    kernels.unpack_u4(&packed, &mut levels);
    kernels.pack_u4(&levels, &mut packed);
    found.extend(packed.iter().map(|&byte| u32::from(byte)));
    let mut signs = vec![0; a.len().div_ceil(8)];
    kernels.pack_signs(a, &mut signs);
    found.extend(signs.iter().map(|&byte| u32::from(byte)));
    let mut turned = a.to_vec();
    kernels.flip_signs_f32(&mut turned, &signs);
    if let Some(power) = turned.len().checked_ilog2() {
        kernels.hadamard_f32(&mut turned[..1 << power]);
    }
    _ = kernels.normalize_f32(&mut turned);
    found.extend(turned.iter().map(|&value| bits(value)));
    let mut quantized = vec![0; turned.len()];
    found.push(bits(kernels.quantize_i8(&turned, &mut quantized)));
    found.extend(quantized.iter().map(|&code| u32::from(code.cast_unsigned())));

    // A query of as many dimensions as fit a row, with all rows: in order, and from the last to the first.
    let query = &codes[..stride.min(codes.len())];
    let rows = Rows::new(data, stride);
    let count = if query.len() < stride { 0 } else { data.len() / stride };
    let at: Vec<u32> = (0..count as u32).rev().collect();
    let mut dots = vec![0; count];
    let mut add = |dots: &[i32]| found.extend(dots.iter().map(|dot| dot.cast_unsigned()));
    kernels.dot_i8_rows(query, rows, 0, &mut dots);
    add(&dots);
    kernels.dot_i8_at(query, rows, &at, &mut dots);
    add(&dots);
    kernels.dot_i8_b1_at(query, rows, &at, &mut dots);
    add(&dots);
    if query.len().div_ceil(64) * 32 <= stride {
        kernels.dot_i8_u4_at(query, rows, &at, &mut dots);
        add(&dots);
    }
    let mut distances = vec![0; count];
    kernels.hamming_at(&data[..query.len()], rows, &at, &mut distances);
    found.extend(distances);
    found
}

fuzz_target!(|data: &[u8]| {
    let [start, stride, data @ ..] = data else { return };
    let (start, stride) = (usize::from(start % 9), usize::from(*stride) + 1);
    let mut expected = None;
    for level in Level::available() {
        let Ok(kernels) = Kernels::for_level(level) else { continue };
        let found = results(kernels, data, start, stride);
        assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "{level}");
    }
});
