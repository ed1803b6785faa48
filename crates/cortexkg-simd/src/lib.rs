//! Distance kernels of CortexKG: products, distances and codes of vectors, on the widest registers that the CPU has,
//! with **the same bits on every CPU**.
//!
//! An engine whose decisions must be the same on every machine cannot let the instruction set choose how a sum is
//! rounded. So every kernel here has one definition, written plainly in its scalar form, and every wider form gives
//! the very same bits:
//!
//! * Integer kernels ([`Kernels::dot_i8`], [`Kernels::dot_i8_u4`], [`Kernels::dot_i8_b1`], [`Kernels::hamming`]) are
//!   exact, and wrap modulo 2³² beyond their type.
//! * Float sums ([`Kernels::dot_f32`], [`Kernels::squared_l2_f32`], [`Kernels::dot_f32_f16`] …) run in [`LANES`] partial
//!   sums: lane `i` adds the terms of the elements `i`, `i + LANES`, `i + 2·LANES` … in this order, then the upper half of
//!   the lanes is added to the lower half until one is left. Product and sum are rounded apart: no fused multiply-add on any
//!   level.
//! * Everything else works element by element, with IEEE 754 operations that round correctly, half to even.
//!
//! Promised for the default floating point environment (round to nearest even, subnormals kept). If a sum is NaN, it
//! is NaN on every level; which NaN is left open.
//!
//! # Kernels
//!
//! | query | codes of | one code | rows picked by number | row after row |
//! |---|---|---|---|---|
//! | `f32` | `f32` | [`dot_f32`](Kernels::dot_f32), [`squared_l2_f32`](Kernels::squared_l2_f32), [`cosine_f32`](Kernels::cosine_f32) | [`dot_f32_at`](Kernels::dot_f32_at) | [`dot_f32_rows`](Kernels::dot_f32_rows) |
//! | `f32` | binary16 | [`dot_f32_f16`](Kernels::dot_f32_f16) | [`dot_f32_f16_at`](Kernels::dot_f32_f16_at) | [`dot_f32_f16_rows`](Kernels::dot_f32_f16_rows) |
//! | `f32` | `i8`, nibbles, bits | [`dot_f32_i8`](Kernels::dot_f32_i8), [`dot_f32_u4`](Kernels::dot_f32_u4), [`dot_f32_b1`](Kernels::dot_f32_b1) | | |
//! | `i8` | `i8` | [`dot_i8`](Kernels::dot_i8) | [`dot_i8_at`](Kernels::dot_i8_at) | [`dot_i8_rows`](Kernels::dot_i8_rows), [`dot_i8_many`](Kernels::dot_i8_many) |
//! | `i8` | nibbles | [`dot_i8_u4`](Kernels::dot_i8_u4) | [`dot_i8_u4_at`](Kernels::dot_i8_u4_at) | [`dot_i8_u4_rows`](Kernels::dot_i8_u4_rows) |
//! | `i8` | bits | [`dot_i8_b1`](Kernels::dot_i8_b1) | [`dot_i8_b1_at`](Kernels::dot_i8_b1_at) | [`dot_i8_b1_rows`](Kernels::dot_i8_b1_rows) |
//! | bits | bits | [`hamming`](Kernels::hamming) | [`hamming_at`](Kernels::hamming_at) | [`hamming_rows`](Kernels::hamming_rows) |
//!
//! Codes are made by [`quantize_i8`](Kernels::quantize_i8), [`quantize_u4`](Kernels::quantize_u4),
//! [`pack_signs`](Kernels::pack_signs), [`f32_to_f16`](Kernels::f32_to_f16) and [`pack_u4`](Kernels::pack_u4), and vectors turned
//! before that by [`flip_signs_f32`](Kernels::flip_signs_f32) and [`hadamard_f32`](Kernels::hadamard_f32).
//!
//! # Layouts
//!
//! * **Nibbles** lie in blocks of 64 dimensions, 32 bytes: byte `j` of a block holds dimension `j` of it in its low nibble and
//!   dimension `j + 32` in its high one. A code is `ceil(dimension / 64) · 32` bytes; nibbles beyond the dimension are written
//!   as 0 and not read.
//! * **Bits**: dimension `i` is bit `i % 8` of byte `i / 8`. A code is `ceil(dimension / 8)` bytes; bits beyond the dimension
//!   are written as 0, and not read, but by [`Kernels::hamming`], which knows bytes only.
//! * **Many codes** are [`Rows`]: each starts a multiple of the stride after the first. Dimensions that are a multiple of 64
//!   are the fast path.
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
//! | `Avx2` | AVX2, F16C and POPCNT | x86-64 since 2013 |
//! | `Avx512` | AVX-512 F, BW, VL and VNNI; counts bits with VPOPCNTDQ where there is one | Cascade Lake, Ice Lake, Zen 4 and later |
//! | `Neon` | NEON | every 64-bit ARM |
//! | `Simd128` | fixed-width SIMD, and the feature `simd128` of this crate | WebAssembly engines since 2021 |
//!
//! A WebAssembly module cannot ask what its engine knows: an engine without SIMD refuses a module that has it. So a program that is
//! to run on both is built twice. Only the kernels use these instructions; no compiler flag is needed.
//!
//! The wide levels of x86-64 are tested on the CPU at hand, NEON in QEMU and `simd128` in Node (`cargo xtask levels`). The speed of
//! NEON has not been measured: there was no such machine.
//!
//! The level is detected at the first use. The environment variable [`LEVEL_VARIABLE`] (`CORTEXKG_SIMD=scalar`)
//! forces another for the whole process, [`Kernels::for_level`] for one caller.
//!
//! # Where to start reading
//!
//! `level.rs` says which instructions are used, `kernels/` what each kernel computes, `arch/all/scalar/` the definition of
//! every result, the other folders of `arch/` the wide forms, `rows.rs` how many codes are walked over, `part_vec.rs` and `parts.rs` how lists and codes lie in memory, by parts that `layout.rs` divides, `batch.rs` the processor
//! for rows of embeddings.
//!
//! **Invariant:** all `unsafe` of this crate stands in `arch/` (loads, stores, hints) and in the dispatch of `kernels/`.

mod arch;
mod batch;
mod kernels;
mod layout;
mod level;
mod part_vec;
mod parts;
mod rows;

pub use arch::LANES;
pub use arch::prefetch::{CAN_PREFETCH, prefetch, prefetch_start};
pub use batch::{BatchError, SimdBatchProcessor};
pub use kernels::{CODE_MAX, Kernels, QUANTIZE_PEAK_MIN};
pub use level::{LEVEL_VARIABLE, Level, LevelError};
pub use part_vec::PartVec;
pub use parts::RowParts;
pub use rows::Rows;
