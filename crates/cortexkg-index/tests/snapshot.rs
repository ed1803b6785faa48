//! Snapshots: written, opened, damaged, and the files of every version so far.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use common::{Random, clustered};
use cortexkg_index::{HnswAllocationIndex, HnswConfig, Neighbour, Precision, SnapshotError, Vector};

/// An index that has been through everything: removals, finer codes, several layers.
fn index() -> HnswAllocationIndex {
    let embeddings = clustered(400, 24, 21);
    let config = HnswConfig { max_connections: 4, precision: Precision::Four, ..HnswConfig::new(24) };
    let mut index = HnswAllocationIndex::new(config).unwrap();
    for (id, embedding) in embeddings.iter().enumerate() {
        let vector = index.vector(embedding).unwrap();
        index.add(id as u64 * 7, &vector).unwrap();
        if id % 9 == 0 {
            index.set_precision(id as u64 * 7, Precision::ALL[1 + id % 4], Some(&vector)).unwrap();
        }
    }
    (0..400).step_by(11).for_each(|id| index.remove(id * 7).unwrap());
    index
}

fn saved(index: &HnswAllocationIndex) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.save(&mut bytes).unwrap();
    bytes
}

fn answers(index: &HnswAllocationIndex) -> Vec<Vec<Neighbour>> {
    let queries: Vec<Vector> =
        clustered(30, 24, 22).iter().map(|embedding| index.vector(embedding).unwrap()).collect();
    index.search_batch(&queries, 8).unwrap()
}

fn fixture(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("v{version}.ckgindex"))
}

#[test]
fn what_is_opened_answers_and_goes_on_as_what_was_saved() {
    let mut index = index();
    let bytes = saved(&index);
    let mut opened = HnswAllocationIndex::open(bytes.clone().into()).unwrap();
    assert_eq!(saved(&opened), bytes);
    assert_eq!(answers(&opened), answers(&index));
    assert_eq!(opened.precisions(), index.precisions());
    assert!(opened.audit().is_clean());
    for index in [&mut index, &mut opened] {
        let embeddings = clustered(100, 24, 23);
        for (id, embedding) in embeddings.iter().enumerate() {
            let vector = index.vector(embedding).unwrap();
            index.add(10_000 + id as u64, &vector).unwrap();
            let _ = index.remove(id as u64 * 14);
        }
    }
    assert_eq!(answers(&opened), answers(&index));
    let empty = HnswAllocationIndex::new(HnswConfig::new(3)).unwrap();
    assert!(HnswAllocationIndex::open(saved(&empty).into()).unwrap().is_empty());
}

#[test]
fn the_fixture_of_every_version_opens() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(fixture(1), saved(&index())).unwrap();
    }
    let bytes = std::fs::read(fixture(1)).unwrap();
    let opened = HnswAllocationIndex::open(bytes.clone().into()).unwrap();
    assert_eq!(answers(&opened), answers(&index()));
    assert_eq!(saved(&opened), bytes);
}

#[test]
fn damage_is_found_and_named() {
    let bytes = saved(&index());
    let open = |bytes: &[u8]| HnswAllocationIndex::open(bytes.to_vec().into());
    assert_eq!(open(&[]).unwrap_err(), SnapshotError::NotASnapshot);
    assert_eq!(open(b"CKGINDEX").unwrap_err(), SnapshotError::Truncated { section: "settings" });
    let mut other = bytes.clone();
    other[8] = 9;
    assert_eq!(open(&other).unwrap_err(), SnapshotError::Version { version: 9 });
    // Cut anywhere: never opened, never a panic.
    for len in (0..bytes.len()).step_by(61) {
        assert!(open(&bytes[..len]).is_err(), "cut to {len} bytes");
    }
    // Any bit turned, in heads, contents and padding.
    let mut random = Random(1);
    let places: Vec<usize> =
        (0..256).chain((0..600).map(|_| random.below(bytes.len() as u64) as usize)).collect();
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << random.below(8);
        let error = open(&damaged).map(|_| ()).expect_err("a turned bit is found");
        assert!(!error.to_string().is_empty(), "byte {at}");
    }
}

#[test]
fn a_section_with_a_right_checksum_and_wrong_contents_is_refused() {
    let bytes = saved(&index());
    let mut random = Random(2);
    // Where each section begins.
    let mut heads = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        heads.push(at);
        let len = u64::from_le_bytes(bytes[at + 16..at + 24].try_into().unwrap()) as usize;
        at = (at + 64 + len).next_multiple_of(64);
    }
    for round in 0..2_000 {
        let head = heads[round % (heads.len() - 1)];
        let len = u64::from_le_bytes(bytes[head + 16..head + 24].try_into().unwrap()) as usize;
        if len == 0 {
            continue;
        }
        let mut forged = bytes.clone();
        let at = head + 64 + random.below(len as u64) as usize;
        forged[at] = random.bits() as u8;
        let check = xxhash_rust::xxh3::xxh3_64(&forged[head + 64..head + 64 + len]);
        forged[head + 24..head + 32].copy_from_slice(&check.to_le_bytes());
        let check = xxhash_rust::xxh3::xxh3_64(&forged[head..head + 32]);
        forged[head + 32..head + 40].copy_from_slice(&check.to_le_bytes());
        // Another code or setting may well be one; whatever opens must work.
        if let Ok(mut opened) = HnswAllocationIndex::open(forged.into())
            && opened.config().dimension == 24
        {
            answers(&opened);
            let vector = opened.vector(&[1.0; 24]).unwrap();
            let _ = opened.add(77_777, &vector);
            let _ = opened.remove(7);
            opened.reorder();
        }
    }
}
