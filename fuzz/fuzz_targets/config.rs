//! Config files: whatever the bytes, nothing panics, refusals are one line, and what is taken is in range.
#![no_main]

use cortexkg_cli::drain_config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = drain_config(data);
});
