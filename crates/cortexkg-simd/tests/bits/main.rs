//! Every level against an oracle of its own, written naively here: bit for bit, at every length and alignment.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it has tested"
)]

mod codes;
mod oracle;
mod packing;
mod random;

use cortexkg_simd::{CODE_MAX, Kernels, Level, QUANTIZE_PEAK_MIN};
use proptest::prelude::*;

use random::Random;

const LENGTH_MAX: usize = 1024;

/// The kernels of every level of this CPU.
fn all_kernels() -> Vec<&'static Kernels> {
    Level::available().into_iter().map(|level| Kernels::for_level(level).unwrap()).collect()
}

fn bits_of(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn says_which_levels_are_tested() {
    let names: Vec<String> = Level::available().iter().map(ToString::to_string).collect();
    println!("SIMD levels tested: {}", names.join(", "));
}

#[test]
fn float_kernels_give_the_bits_of_the_oracle_at_every_length() {
    let kernels = all_kernels();
    let mut random = Random(1);
    for len in 0..=LENGTH_MAX {
        // Odd offsets put the two slices at different distances from any boundary of a register.
        let (a_start, b_start) = (len % 17, (len + 5) % 13);
        let (a, b) = (random.floats(len + a_start), random.floats(len + b_start));
        let (a, b) = (&a[a_start..], &b[b_start..]);
        let (codes, scale) = oracle::quantize(a);
        for kernels in &kernels {
            check_floats(kernels, a, b);
            let mut found = vec![99; len + 3];
            let found_scale = kernels.quantize_i8(a, &mut found[3..]);
            assert_eq!(&found[3..], codes, "codes of {len} on {}", kernels.level());
            assert_eq!(found_scale.to_bits(), scale.to_bits(), "scale of {len} on {}", kernels.level());
        }
    }
}

fn check_floats(kernels: &Kernels, a: &[f32], b: &[f32]) {
    let (level, len) = (kernels.level(), a.len());
    assert_same(kernels.dot_f32(a, b), oracle::dot(a, b), || format!("dot_f32 of {len} on {level}"));
    assert_same(kernels.squared_l2_f32(a, b), oracle::squared_l2(a, b), || {
        format!("squared_l2_f32 of {len} on {level}")
    });
    let cosine = kernels.cosine_f32(a, b);
    assert_same(cosine, Kernels::for_level(Level::Scalar).unwrap().cosine_f32(a, b), || {
        format!("cosine_f32 of {len} on {level}")
    });
    assert_same(kernels.max_abs_f32(a), oracle::max_abs(a), || format!("max_abs_f32 of {len} on {level}"));
}

/// The same bits, or NaN both.
fn assert_same(found: f32, expected: f32, what: impl Fn() -> String) {
    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    assert!(same, "{}: {found:e} is not {expected:e}", what());
}

#[test]
fn normalizing_gives_the_same_bits_and_length_one_at_any_magnitude() {
    let kernels = all_kernels();
    let mut random = Random(3);
    for len in 1..=LENGTH_MAX {
        let exponent = len as i32 % 270 - 145;
        let offset = len % 7;
        // In two steps: 2^-145 is beyond the range of `powi` on floats that have lost their exponent.
        let (half, rest) = (2_f32.powi(exponent / 2), 2_f32.powi(exponent - exponent / 2));
        let mut values = random.floats(len + offset);
        values.iter_mut().for_each(|value| *value = *value / 256.0 * half * rest);
        values[offset] = half * rest;
        let mut expected = values.clone();
        assert!(kernels[0].normalize_f32(&mut expected[offset..]));
        let norm: f64 = expected[offset..].iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((norm - 1.0).abs() < 1e-6, "squared norm {norm} of {len} values around 2^{exponent}");
        for kernels in &kernels[1..] {
            let mut found = values.clone();
            assert!(kernels.normalize_f32(&mut found[offset..]));
            assert_eq!(bits_of(&found), bits_of(&expected), "{len} values on {}", kernels.level());
        }
    }
}

#[test]
fn what_has_no_direction_is_left_alone() {
    for kernels in all_kernels() {
        for len in [0, 1, 15, 16, 64, 100] {
            let mut zeros = vec![-0.0; len];
            assert!(!kernels.normalize_f32(&mut zeros));
            assert!(zeros.iter().all(|zero| zero.to_bits() == (-0.0_f32).to_bits()));
            let mut codes = vec![1; len];
            assert_eq!(kernels.quantize_i8(&zeros, &mut codes).to_bits(), 0);
            assert_eq!(codes, vec![0; len]);
        }
        for wrong in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 20, 63, 64, 99] {
                let mut values = [1.0; 100];
                values[at] = wrong;
                assert!(!kernels.normalize_f32(&mut values));
                assert_eq!(values[at ^ 1], 1.0);
                let mut codes = [1; 100];
                assert!(kernels.quantize_i8(&values, &mut codes).is_nan());
                assert_eq!(codes, [0; 100]);
                assert_eq!(kernels.max_abs_f32(&values).is_nan(), wrong.is_nan());
            }
        }
    }
}

#[test]
fn a_cosine_is_that_of_the_directions_at_any_magnitude() {
    for kernels in all_kernels() {
        for magnitude in [1e-44, 1e-30, 1e-3, 1.0, 1e10, 1e38] {
            let a = [3.0 * magnitude, 0.0, 0.0, 1.0 * magnitude];
            assert!(
                (kernels.cosine_f32(&a, &[5.0, 0.0, 0.0, 0.0]) - 0.948_683_3).abs() < 2e-3,
                "{magnitude}"
            );
            assert!((kernels.cosine_f32(&a, &a) - 1.0).abs() < 1e-6);
            assert!(kernels.cosine_f32(&a, &a) <= 1.0);
            for wrong in [0.0, f32::NAN, f32::INFINITY] {
                assert_eq!(kernels.cosine_f32(&a, &[0.0, wrong, 0.0, 0.0]).to_bits(), 0);
            }
        }
        assert_eq!(kernels.cosine_f32(&[], &[]).to_bits(), 0);
    }
}

#[test]
fn signs_flip_and_the_transform_is_that_of_hadamard() {
    let kernels = all_kernels();
    let mut random = Random(30);
    for len in 0..=LENGTH_MAX {
        let offset = len % 5;
        let (values, bits) = (random.floats(len + offset), random.bytes(len.div_ceil(8)));
        let values = &values[offset..];
        let flipped: Vec<f32> =
            values.iter().zip(oracle::bits(&bits, len)).map(|(x, set)| if set { -x } else { *x }).collect();
        for kernels in &kernels {
            let mut found = values.to_vec();
            kernels.flip_signs_f32(&mut found, &bits);
            assert_eq!(bits_of(&found), bits_of(&flipped), "flip_signs_f32 of {len} on {}", kernels.level());
            found.copy_from_slice(values);
            kernels.scale_f32(&mut found, 0.3);
            let scaled: Vec<f32> = values.iter().map(|x| x * 0.3).collect();
            assert_eq!(bits_of(&found), bits_of(&scaled), "scale_f32 of {len} on {}", kernels.level());
        }
    }
    for len in (0..13).map(|exponent| 1 << exponent) {
        for offset in 0..5 {
            let values = random.floats(len + offset);
            let expected = oracle::hadamard(&values[offset..]);
            for kernels in &kernels {
                let mut found = values.clone();
                kernels.hadamard_f32(&mut found[offset..]);
                assert_eq!(bits_of(&found[offset..]), bits_of(&expected), "{len} on {}", kernels.level());
            }
        }
    }
}

#[test]
fn quantizing_rounds_half_to_even_and_reaches_the_ends_of_the_range() {
    for kernels in all_kernels() {
        for repeat in [1, 5, 40] {
            // Peak 127: the factor is 1, and halves are exact.
            let values = [127.0, -127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -0.0].repeat(repeat);
            let mut codes = vec![0; values.len()];
            assert_eq!(kernels.quantize_i8(&values, &mut codes), 1.0);
            assert_eq!(codes, [127, -127, 0, 2, 2, 0, -2, -2, 126, 0].repeat(repeat));
        }
        let mut codes = [1; 2];
        assert_eq!(kernels.quantize_i8(&[QUANTIZE_PEAK_MIN / 2.0, 0.0], &mut codes), 0.0);
        assert_eq!(codes, [0, 0]);
        for peak in [QUANTIZE_PEAK_MIN, f32::MAX] {
            assert!(kernels.quantize_i8(&[-peak, peak / 4.0], &mut codes) >= f32::MIN_POSITIVE);
            assert_eq!(codes, [-CODE_MAX, 32]);
        }
    }
}

#[test]
#[cfg_attr(not(panic = "unwind"), ignore = "a panic ends the process")]
fn lengths_that_do_not_fit_panic() {
    for kernels in all_kernels() {
        let panics = |call: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err();
        assert!(panics(&|| {
            _ = kernels.dot_f32(&[1.0], &[]);
        }));
        assert!(panics(&|| {
            _ = kernels.squared_l2_f32(&[1.0], &[]);
        }));
        assert!(panics(&|| {
            _ = kernels.dot_i8(&[1], &[]);
        }));
        assert!(panics(&|| {
            _ = kernels.quantize_i8(&[1.0], &mut []);
        }));
        assert!(panics(&|| kernels.dot_i8_many(&[1, 2], &[1, 2, 3], &mut [0])));
        let mut dots = [7; 3];
        kernels.dot_i8_many(&[], &[], &mut dots);
        assert_eq!(dots, [0; 3]);
    }
}

/// Two vectors of one length, of any bits but NaN, and where their slices start.
fn float_pairs() -> impl Strategy<Value = (Vec<f32>, Vec<f32>, usize)> {
    let any =
        prop_oneof![6 => -2.0_f32..2.0, 2 => prop::num::f32::ANY, 1 => Just(0.0_f32), 1 => Just(f32::MAX)];
    let any = any.prop_map(|value| if value.is_nan() { 0.5 } else { value });
    prop::collection::vec((any.clone(), any), 0..=LENGTH_MAX)
        .prop_flat_map(|pairs| (Just(pairs.clone()), 0..=pairs.len().min(33)))
        .prop_map(|(pairs, start)| {
            let (a, b) = pairs.into_iter().unzip();
            (a, b, start)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn float_kernels_give_the_bits_of_the_oracle((a, b, start) in float_pairs()) {
        for level in Level::available() {
            let kernels = Kernels::for_level(level).unwrap();
            check_floats(kernels, &a[start..], &b[..b.len() - start]);
        }
    }

    #[test]
    fn a_code_restores_its_value_within_half_a_scale(
        values in prop::collection::vec(-1e6_f32..1e6, 1..=LENGTH_MAX),
    ) {
        for level in Level::available() {
            let mut codes = vec![0; values.len()];
            let scale = Kernels::for_level(level).unwrap().quantize_i8(&values, &mut codes);
            prop_assert!(codes.iter().any(|code| code.unsigned_abs() == 127) || scale == 0.0);
            for (&value, &code) in values.iter().zip(&codes) {
                let error = (f64::from(code) * f64::from(scale) - f64::from(value)).abs();
                prop_assert!(error <= f64::from(scale) * 0.5001, "{value} became {code} × {scale}");
            }
        }
    }
}
