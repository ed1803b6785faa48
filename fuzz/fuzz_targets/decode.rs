//! Compression and the choice of the format: whatever the bytes, reading ends and nothing panics.
#![no_main]

use cortexkg_cli::input::drain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drain(data, None);
});
