//! Kernels for every architecture.

pub(crate) mod scalar;
