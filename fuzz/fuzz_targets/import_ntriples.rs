//! N-Triples as a graph: whatever the bytes, reading ends and nothing panics.
#![no_main]

use cortexkg_interchange::{InterchangeFormat, drain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drain(data, InterchangeFormat::NTriples);
});
