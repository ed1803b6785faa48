//! Every snapshot in `fuzz/corpus/columns` is decoded: they lack the checksum, which the fuzz target adds. `some`, `empty` and `cut` are of the first
//! version and are not made any more.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use std::path::Path;

use cortexkg_columns::{ColumnAllocator, Spread};
use xxhash_rust::xxh3::xxh3_64;

#[test]
fn columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/columns");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        let mut pool = ColumnAllocator::with_columns(16).unwrap();
        pool.set_spread(Spread::Roomy);
        (0..9).for_each(|concept| assert!(pool.allocate(concept, &[(concept / 3, 1)]).is_ok()));
        pool.deallocate(4);
        assert!(!pool.grow(40).unwrap().cells_moved);
        let bytes = pool.encode();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("grown"), &bytes[..bytes.len() - 8]).unwrap();
        // As the fuzz target puts it on its pool: without the checksums of the snapshot it goes on from, and of its own.
        let mut pool = ColumnAllocator::with_columns(100).unwrap();
        (0..40).for_each(|concept| assert!(pool.allocate(concept, &[(concept / 3, 1)]).is_ok()));
        let before = pool.encode();
        pool.deallocate(7);
        pool.defragment();
        pool.allocate(41, &[(3, 1)]).unwrap();
        pool.activate(5, 0.5).unwrap();
        let delta = pool.encode_since(&before).unwrap();
        let bytes = [&delta[..12], &delta[20..delta.len() - 8]].concat();
        std::fs::write(folder.join("delta"), bytes).unwrap();
    }
    let mut decoded = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let mut bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        if let Ok(pool) = ColumnAllocator::decode(&bytes, 1 << 16) {
            let again = pool.encode();
            // The first version is not written any more.
            assert!(again == bytes || bytes[8] == 1);
            assert_eq!(ColumnAllocator::decode(&again, 1 << 16).unwrap().encode(), again);
            decoded += 1;
        }
    }
    assert!(decoded > 0);
}
