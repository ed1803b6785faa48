//! Snapshots of a vector index: whatever the bytes, opening ends and nothing panics; what opens can be used.
#![no_main]

use cortexkg_index::HnswAllocationIndex;
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the head of a section, and what each begins at a multiple of.
const HEAD: usize = 64;

/// Puts every checksum right, so that what they protect is reached.
fn with_checksums(mut data: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(head) = data.get(at..).and_then(|rest| rest.first_chunk::<HEAD>()) {
        let len = u64::from_le_bytes(head[16..24].try_into().expect("eight bytes"));
        let Some(contents) = usize::try_from(len).ok().and_then(|len| data[at + HEAD..].get(..len)) else { break };
        let check = xxh3_64(contents).to_le_bytes();
        let len = contents.len();
        data[at + 24..at + 32].copy_from_slice(&check);
        let check = xxh3_64(&data[at..at + 32]).to_le_bytes();
        data[at + 32..at + 40].copy_from_slice(&check);
        at = (at + HEAD + len).next_multiple_of(HEAD);
    }
    data
}

fuzz_target!(|data: &[u8]| {
    let Ok(mut index) = HnswAllocationIndex::open(with_checksums(data.to_vec()).into()) else { return };
    let embedding = vec![1.0; index.config().dimension];
    let Ok(vector) = index.vector(&embedding) else { return };
    let mut hits = Vec::new();
    let _ = index.search(&vector, 3, &mut hits);
    let _ = index.add(u64::MAX, &vector);
    hits.iter().for_each(|hit| drop(index.remove(hit.id)));
    assert!(index.audit().broken_links == 0);
});
