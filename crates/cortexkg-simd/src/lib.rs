//! Distance kernels of CortexKG: dot products, distances, normalising and quantizing, on the widest registers that
//! the CPU has, with **the same bits on every CPU**.
//!
//! An engine whose decisions must be the same on every machine cannot let the instruction set choose how a sum is
//! rounded. So every kernel here has one definition, written plainly in its scalar form, and every wider form gives
//! the very same bits:
//!
//! * Integer kernels ([`Kernels::dot_i8`], [`Kernels::dot_i8_many`]) are exact, and wrap modulo 2³² beyond `i32`.
//! * Float sums ([`Kernels::dot_f32`], [`Kernels::squared_l2_f32`]) run in [`LANES`] partial sums: lane `i` adds the
//!   terms of the elements `i`, `i + LANES`, `i + 2·LANES` … in this order, then the upper half of the lanes is added to
//!   the lower half until one is left. Product and sum are rounded apart: no fused multiply-add on any level.
//! * Everything else works element by element, with IEEE 754 operations that round correctly.
//!
//! Promised for the default floating point environment (round to nearest even, subnormals kept). If a sum is NaN, it
//! is NaN on every level; which NaN is left open.
//!
//! # Use
//!
//! ```
//! use cortexkg_simd::{Kernels, Level};
//!
//! let kernels = Kernels::active(); // the best level of this CPU, chosen once
//!
//! let mut a = [3.0, 4.0, 0.0];
//! assert!(kernels.normalize_f32(&mut a));
//! assert_eq!(a, [0.6, 0.8, 0.0]);
//!
//! let mut codes = [0_i8; 3];
//! let scale = kernels.quantize_i8(&a, &mut codes);
//! assert_eq!(codes, [95, 127, 0]);
//! assert!((f32::from(codes[0]) * scale - a[0]).abs() <= scale / 2.0);
//!
//! // Every level that this CPU has gives the same bits.
//! for level in Level::available() {
//!     let same = Kernels::for_level(level)?;
//!     assert_eq!(same.dot_f32(&a, &a).to_bits(), kernels.dot_f32(&a, &a).to_bits());
//!     assert_eq!(same.dot_i8(&codes, &codes), 95 * 95 + 127 * 127);
//! }
//! # Ok::<(), cortexkg_simd::LevelError>(())
//! ```
//!
//! # Levels
//!
//! | [`Level`] | needs | found in |
//! |---|---|---|
//! | `Scalar` | nothing | every machine; the oracle of the tests |
//! | `Avx2` | AVX2 | x86-64 since 2013 |
//! | `Avx512` | AVX-512 F, BW, VL and VNNI | Cascade Lake, Ice Lake, Zen 4 and later |
//!
//! The level is detected at the first use. The environment variable [`LEVEL_VARIABLE`] (`CORTEXKG_SIMD=scalar`)
//! forces another for the whole process, [`Kernels::for_level`] for one caller.
//!
//! # Where to start reading
//!
//! `level.rs` says which instructions are used, `kernels.rs` what each kernel computes, `arch/all/scalar.rs` the
//! definition of every result, `arch/x86_64/` the wide forms, `batch.rs` the processor for rows of embeddings.
//!
//! **Invariant:** all `unsafe` of this crate stands in `arch/` (loads and stores) and in the dispatch of `kernels.rs`.

mod arch;
mod batch;
mod kernels;
mod level;

pub use arch::LANES;
pub use batch::{BatchError, SimdBatchProcessor};
pub use kernels::{CODE_MAX, Kernels, QUANTIZE_PEAK_MIN};
pub use level::{LEVEL_VARIABLE, Level, LevelError};
