//! Floats to codes and back.

use proptest::prelude::*;

use crate::random::Random;
use crate::{LENGTH_MAX, all_kernels, bits_of, oracle};

/// Around every number of binary16: itself, halfway to the next, and just beside both; then what lies outside.
fn floats_around_halves() -> Vec<f32> {
    let mut values = Vec::new();
    for half in 0..=0x7bff_u16 {
        let value = oracle::half_value(half.to_le_bytes());
        let next = if half == 0x7bff { 65_536.0 } else { oracle::half_value((half + 1).to_le_bytes()) };
        let middle = value.midpoint(next);
        values.extend([value, value.next_up(), middle.next_down(), middle, middle.next_up()]);
    }
    values.extend([f32::MAX, f32::INFINITY, 65_536.0, 1e5, f32::MIN_POSITIVE, f32::from_bits(1)]);
    let negative: Vec<f32> = values.iter().map(|value| -value).collect();
    values.extend(negative);
    values
}

#[test]
fn halves_round_to_the_nearest_and_come_back_exactly() {
    let values = floats_around_halves();
    let expected: Vec<u8> =
        values.iter().flat_map(|&value| oracle::nearest_half(value).to_le_bytes()).collect();
    let restored: Vec<f32> =
        expected.chunks_exact(2).map(|half| oracle::half_value([half[0], half[1]])).collect();
    for kernels in all_kernels() {
        for offset in [0, 1] {
            let mut code = vec![7; 2 * values.len() + offset];
            kernels.f32_to_f16(&values, &mut code[offset..]);
            let wrong = code[offset..].iter().zip(&expected).position(|(found, expected)| found != expected);
            assert_eq!(wrong.map(|byte| values[byte / 2]), None, "a float on {}", kernels.level());
            let mut found = vec![7.0; values.len()];
            kernels.f16_to_f32(&code[offset..], &mut found);
            assert_eq!(bits_of(&found), bits_of(&restored), "halves on {}", kernels.level());
        }
    }
}

#[test]
fn not_a_number_keeps_its_upper_bits_as_a_half_and_becomes_quiet() {
    for kernels in all_kernels() {
        for len in [1, 40] {
            for (bits, half) in [
                (0x7fc0_0000_u32, 0x7e00_u16),
                (0xffc0_0000, 0xfe00),
                (0x7f80_0001, 0x7e00),
                (0xffbf_ffff, 0xffff),
            ] {
                let mut code = vec![0; 2 * len];
                kernels.f32_to_f16(&vec![f32::from_bits(bits); len], &mut code);
                assert_eq!(code, half.to_le_bytes().repeat(len), "{bits:x} on {}", kernels.level());
                let mut values = vec![0.0; len];
                kernels.f16_to_f32(&(half & !0x200 | 1).to_le_bytes().repeat(len), &mut values);
                let quiet = u32::from(half & 0x8000) << 16 | 0x7fc0_0000 | u32::from(half & 0x1ff | 1) << 13;
                assert_eq!(bits_of(&values), vec![quiet; len], "{half:x} on {}", kernels.level());
            }
        }
    }
}

#[test]
fn nibbles_and_signs_at_every_length() {
    let mut random = Random(20);
    for len in 0..=LENGTH_MAX {
        let offset = len % 5;
        let levels: Vec<u8> = random.bytes(len + offset).iter().map(|byte| byte & 15).collect();
        let levels = &levels[offset..];
        let mut values = random.floats(len + offset);
        for (i, value) in values.iter_mut().enumerate() {
            match i % 29 {
                3 => *value = f32::NAN,
                7 => *value = f32::INFINITY,
                11 => *value = f32::NEG_INFINITY,
                13 => *value = -f32::NAN,
                17 => *value = 1e20,
                // Halves.
                19 => *value = (i % 16) as f32 - 7.0,
                _ => {}
            }
        }
        let values = &values[offset..];
        for kernels in all_kernels() {
            let level = kernels.level();
            let mut code = vec![7; len.div_ceil(64) * 32];
            kernels.pack_u4(levels, &mut code);
            assert_eq!(code, oracle::pack_u4(levels), "pack_u4 of {len} on {level}");
            let mut found = vec![99; len];
            kernels.unpack_u4(&code, &mut found);
            assert_eq!(found, levels, "unpack_u4 of {len} on {level}");
            for scale in [1.0, 3.7, -0.01, f32::MAX] {
                kernels.quantize_u4(values, scale, &mut code);
                assert_eq!(code, oracle::quantize_u4(values, scale), "quantize_u4 of {len} on {level}");
            }
            let mut code = vec![7; len.div_ceil(8)];
            kernels.pack_signs(values, &mut code);
            assert_eq!(code, oracle::pack_signs(values), "pack_signs of {len} on {level}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_floats_become_the_codes_of_the_oracle(
        bits in prop::collection::vec(any::<u32>(), 0..=LENGTH_MAX),
        start in 0_usize..9,
        scale in -1e3_f32..1e3,
    ) {
        let values: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        let values = &values[start.min(values.len())..];
        let narrow = |value: &f32| if value.is_nan() { 0 } else { oracle::nearest_half(*value) };
        let halves: Vec<u16> = values.iter().map(narrow).collect();
        for kernels in all_kernels() {
            let mut code = vec![0; values.len().div_ceil(64) * 32];
            kernels.quantize_u4(values, scale, &mut code);
            prop_assert_eq!(code, oracle::quantize_u4(values, scale), "quantize_u4 on {}", kernels.level());
            let mut code = vec![0; values.len().div_ceil(8)];
            kernels.pack_signs(values, &mut code);
            prop_assert_eq!(code, oracle::pack_signs(values), "pack_signs on {}", kernels.level());
            let mut code = vec![0; 2 * values.len()];
            kernels.f32_to_f16(values, &mut code);
            for ((half, &expected), value) in code.chunks_exact(2).zip(&halves).zip(values) {
                let found = u16::from_le_bytes([half[0], half[1]]);
                let same = if value.is_nan() { found & 0x7e00 == 0x7e00 } else { found == expected };
                prop_assert!(same, "{} became {:x} on {}", value, found, kernels.level());
            }
        }
    }
}
