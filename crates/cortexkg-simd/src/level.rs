//! Which instruction set the kernels use: detected, or asked for by name.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

/// Environment variable that forces a level for the whole process: `scalar`, `simd128`, `neon`, `avx2` or `avx512`.
///
/// Read once, at the first [`Kernels::active`](crate::Kernels::active). A value that is unknown, or that this CPU
/// cannot run, is passed over there in favour of the detected level; [`Level::from_env`] tells a program that wants
/// to complain.
pub const LEVEL_VARIABLE: &str = "CORTEXKG_SIMD";

/// An instruction set that the kernels are written for. All give the same bits; they differ in speed only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Plain Rust: the definition of every result, on every machine.
    Scalar,
    /// WebAssembly with fixed-width SIMD: 128-bit registers. Chosen when the module is built (feature `simd128` of this
    /// crate), because an engine without these instructions refuses a module that has them.
    Simd128,
    /// 64-bit ARM with NEON: 128-bit registers.
    Neon,
    /// x86-64 with AVX2, F16C and POPCNT: 256-bit registers.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI: 512-bit registers. CPUs with AVX-512 but without VNNI use [`Level::Avx2`].
    Avx512,
}

/// Why a level cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LevelError {
    /// No level has this name.
    #[error("unknown SIMD level {name:?}: use one of scalar, simd128, neon, avx2, avx512")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// The level exists, but this CPU does not report its instructions.
    #[error("this CPU does not support the SIMD level {level}: the best it has is {best}")]
    Unsupported {
        /// The level that was asked for.
        level: Level,
        /// The best level that can be had instead.
        best: Level,
    },
}

impl Level {
    /// Every level, those of one architecture from the slowest to the fastest.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Simd128, Self::Neon, Self::Avx2, Self::Avx512];

    /// The fastest level that this CPU reports. Ignores [`LEVEL_VARIABLE`].
    #[must_use]
    pub fn detect() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.is_supported()).unwrap_or(Self::Scalar)
    }

    /// The levels that this CPU reports, from the slowest to the fastest. Holds at least [`Level::Scalar`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| level.is_supported()).collect()
    }

    /// Whether this CPU (and its operating system) can run the level.
    #[must_use]
    pub fn is_supported(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("f16c")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(all(target_arch = "wasm32", any(feature = "simd128", target_feature = "simd128")))]
            Self::Simd128 => true,
            _ => false,
        }
    }

    /// The level that [`LEVEL_VARIABLE`] asks for; `None` if it is unset or empty.
    ///
    /// # Errors
    ///
    /// [`LevelError::Unknown`] if its value names no level, [`LevelError::Unsupported`] if this CPU cannot run it.
    pub fn from_env() -> Result<Option<Self>, LevelError> {
        Self::requested(std::env::var_os(LEVEL_VARIABLE).as_deref())
    }

    /// The level that a value of [`LEVEL_VARIABLE`] asks for.
    fn requested(value: Option<&OsStr>) -> Result<Option<Self>, LevelError> {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
        let level: Self = value.to_string_lossy().parse()?;
        if level.is_supported() { Ok(Some(level)) } else { Err(level.unsupported()) }
    }

    /// The error of asking this CPU for this level.
    pub(crate) fn unsupported(self) -> LevelError {
        LevelError::Unsupported { level: self, best: Self::detect() }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Simd128 => "simd128",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    /// Reads `scalar`, `simd128`, `neon`, `avx2` or `avx512`, in any case.
    fn from_str(name: &str) -> Result<Self, LevelError> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| LevelError::Unknown { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(level.to_string().to_uppercase().parse(), Ok(level));
        }
    }

    #[test]
    fn the_scalar_level_is_always_there_and_detection_picks_the_last() {
        let available = Level::available();
        assert_eq!(available.first(), Some(&Level::Scalar));
        assert_eq!(available.last(), Some(&Level::detect()));
    }

    #[test]
    fn a_request_is_absent_known_unknown_or_unsupported() {
        assert_eq!(Level::requested(None), Ok(None));
        assert_eq!(Level::requested(Some(OsStr::new(""))), Ok(None));
        assert_eq!(Level::requested(Some(OsStr::new("Scalar"))), Ok(Some(Level::Scalar)));
        assert_eq!(
            Level::requested(Some(OsStr::new("sse9"))),
            Err(LevelError::Unknown { name: "sse9".to_owned() })
        );
        for level in Level::ALL.into_iter().filter(|level| !level.is_supported()) {
            assert_eq!(Level::requested(Some(OsStr::new(level.name()))), Err(level.unsupported()));
        }
    }
}
