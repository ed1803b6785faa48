//! Every level against an oracle of its own, written naively here: bit for bit, at every length and alignment.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it has tested"
)]

use cortexkg_simd::{CODE_MAX, Kernels, LANES, Level, QUANTIZE_PEAK_MIN};
use proptest::prelude::*;

const LENGTH_MAX: usize = 1024;

/// The kernels of every level of this CPU; says once per test which these are.
fn all_kernels() -> Vec<&'static Kernels> {
    let levels = Level::available();
    let names: Vec<String> = levels.iter().map(ToString::to_string).collect();
    println!("SIMD levels tested: {}", names.join(", "));
    levels.into_iter().map(|level| Kernels::for_level(level).unwrap()).collect()
}

mod oracle {
    use super::LANES;

    pub(super) fn sum(terms: impl Iterator<Item = f32>) -> f32 {
        let mut lanes = vec![0.0_f32; LANES];
        for (i, term) in terms.enumerate() {
            lanes[i % LANES] += term;
        }
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            for (lane, upper) in lanes.iter_mut().zip(upper) {
                *lane += upper;
            }
        }
        lanes[0]
    }

    pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
        sum(a.iter().zip(b).map(|(x, y)| x * y))
    }

    pub(super) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
        sum(a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)))
    }

    pub(super) fn max_abs(values: &[f32]) -> f32 {
        values.iter().fold(0.0, |max, value| if value.abs() > max { value.abs() } else { max })
    }

    pub(super) fn quantize(values: &[f32]) -> (Vec<i8>, f32) {
        let peak = max_abs(values);
        if peak < super::QUANTIZE_PEAK_MIN {
            return (vec![0; values.len()], 0.0);
        }
        let factor = 127.0 / peak;
        (values.iter().map(|value| (value * factor).round_ties_even() as i8).collect(), peak / 127.0)
    }

    pub(super) fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
        let exact: i64 = a.iter().zip(b).map(|(&x, &y)| i64::from(x) * i64::from(y)).sum();
        exact as i32
    }
}

/// splitmix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Of either sign and many magnitudes, with some zeros of both signs.
    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| {
                let bits = self.bits();
                let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
                let magnitude = if bits & 0xe == 0 { 0.0 } else { (bits >> 40) as f32 / 16_777_216.0 };
                sign * magnitude * 2_f32.powi((bits >> 4 & 15) as i32 - 8)
            })
            .collect()
    }

    fn codes(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| if self.bits().is_multiple_of(8) { -128 } else { self.bits() as i8 }).collect()
    }
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
    assert_same(kernels.max_abs_f32(a), oracle::max_abs(a), || format!("max_abs_f32 of {len} on {level}"));
}

/// The same bits, or NaN both.
fn assert_same(found: f32, expected: f32, what: impl Fn() -> String) {
    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    assert!(same, "{}: {found:e} is not {expected:e}", what());
}

#[test]
fn code_kernels_give_the_bits_of_the_oracle_at_every_length() {
    let kernels = all_kernels();
    let mut random = Random(2);
    for len in 0..=LENGTH_MAX {
        let rows = len % 11;
        let (query, codes) = (random.codes(len + 3), random.codes(len * rows + 7));
        let (query, codes) = (&query[3..], &codes[7..]);
        let expected: Vec<i32> =
            (0..rows).map(|row| oracle::dot_i8(query, &codes[row * len..][..len])).collect();
        for kernels in &kernels {
            let level = kernels.level();
            let mut dots = vec![1; rows];
            kernels.dot_i8_many(query, codes, &mut dots);
            assert_eq!(dots, expected, "dot_i8_many of {rows} rows of {len} on {level}");
            for (row, &expected) in expected.iter().enumerate() {
                let dot = kernels.dot_i8(&codes[row * len..][..len], query);
                assert_eq!(dot, expected, "dot_i8 of {len} on {level}");
            }
        }
    }
}

#[test]
fn the_largest_codes_do_not_saturate_and_very_long_sums_wrap_alike() {
    for kernels in all_kernels() {
        for len in [4096, 131_071, 140_001] {
            for (x, y) in [(127, 127), (-127, 127), (-128, 127), (-128, -128)] {
                let (a, b) = (vec![x; len], vec![y; len]);
                let expected = oracle::dot_i8(&a, &b);
                assert_eq!(kernels.dot_i8(&a, &b), expected, "{len} × {x}·{y} on {}", kernels.level());
                let mut dots = [0; 4];
                kernels.dot_i8_many(&a, &[b.as_slice(); 4].concat(), &mut dots);
                assert_eq!(dots, [expected; 4], "rows of {len} × {x}·{y} on {}", kernels.level());
            }
        }
    }
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
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected), "{len} values on {}", kernels.level());
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
