//! Metrics as text: whatever the bytes, reading ends and nothing panics; what is found can be shown.
#![no_main]

use cortexkg_cli::monitoring::exposition::drain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drain(data);
});
