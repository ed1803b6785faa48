//! Kernels for 64-bit ARM, little-endian.

pub(crate) mod neon;
