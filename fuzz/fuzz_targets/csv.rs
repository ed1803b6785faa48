//! Tables: whatever the bytes, reading ends and nothing panics.
#![no_main]

use cortexkg_cli::input::{Format, drain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drain(data, Some(Format::Csv));
});
