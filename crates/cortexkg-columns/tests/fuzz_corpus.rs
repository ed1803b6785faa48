//! Every snapshot in `fuzz/corpus/columns` is decoded: they lack the checksum, which the fuzz target adds.
#![allow(clippy::unwrap_used, reason = "a test stops on errors")]

use std::path::Path;

use cortexkg_columns::{ColumnAllocator, Grid};
use xxhash_rust::xxh3::xxh3_64;

#[test]
fn columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/columns");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        let mut pool = ColumnAllocator::new(Grid::rectangle(5, 3).unwrap());
        (0..9).for_each(|concept| assert!(pool.allocate(concept, &[(concept / 3, 1)]).is_ok()));
        pool.deallocate(4);
        let bytes = pool.encode();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("some"), &bytes[..bytes.len() - 8]).unwrap();
        let empty = ColumnAllocator::with_columns(1).unwrap().encode();
        std::fs::write(folder.join("empty"), &empty[..empty.len() - 8]).unwrap();
        std::fs::write(folder.join("cut"), &bytes[..60]).unwrap();
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
