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

/// The same with copies: behind every node, or before it.
fn index_with_copies() -> HnswAllocationIndex {
    let mut index = index();
    let embeddings = clustered(400, 24, 21);
    for (id, embedding) in embeddings.iter().enumerate().take(60) {
        let vector = index.vector(embedding).unwrap();
        (1..4).for_each(|copy| index.add(id as u64 * 7 + copy, &vector).unwrap());
    }
    (0..60).step_by(4).for_each(|id| index.remove(id * 7 + 2).unwrap());
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
    opens_and_goes_on(index());
    opens_and_goes_on(index_with_copies());
    let empty = HnswAllocationIndex::new(HnswConfig::new(3)).unwrap();
    assert!(HnswAllocationIndex::open(saved(&empty).into()).unwrap().is_empty());
}

fn opens_and_goes_on(mut index: HnswAllocationIndex) {
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
    assert_eq!(saved(&opened), saved(&index));
}

#[test]
fn the_fixture_of_every_version_opens() {
    for (version, index) in [(1, index()), (2, index_with_copies())] {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(fixture(version), saved(&index)).unwrap();
        }
        let bytes = std::fs::read(fixture(version)).unwrap();
        let opened = HnswAllocationIndex::open(bytes.clone().into()).unwrap();
        assert_eq!(answers(&opened), answers(&index));
        assert_eq!(saved(&opened), bytes);
        assert_eq!(u32::from_le_bytes(bytes[8..12].try_into().unwrap()), version);
    }
}

#[test]
fn damage_is_found_and_named() {
    damaged_anywhere(&saved(&index()));
    damaged_anywhere(&saved(&index_with_copies()));
}

fn damaged_anywhere(bytes: &[u8]) {
    let open = |bytes: &[u8]| HnswAllocationIndex::open(bytes.to_vec().into());
    assert_eq!(open(&[]).unwrap_err(), SnapshotError::NotASnapshot);
    assert_eq!(open(b"CKGINDEX").unwrap_err(), SnapshotError::Truncated { section: "settings" });
    let mut other = bytes.to_vec();
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
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 1 << random.below(8);
        let error = open(&damaged).map(|_| ()).expect_err("a turned bit is found");
        assert!(!error.to_string().is_empty(), "byte {at}");
    }
}

#[test]
fn a_section_with_a_right_checksum_and_wrong_contents_is_refused() {
    forged_anywhere(&saved(&index()));
    forged_anywhere(&saved(&index_with_copies()));
}

fn forged_anywhere(bytes: &[u8]) {
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
        let mut forged = bytes.to_vec();
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

/// What a section is, and its contents.
type Section = (u32, Vec<u8>);

fn sections(bytes: &[u8]) -> Vec<Section> {
    let (mut sections, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let len = u64::from_le_bytes(bytes[at + 16..at + 24].try_into().unwrap()) as usize;
        let number = u32::from_le_bytes(bytes[at + 12..at + 16].try_into().unwrap());
        sections.push((number, bytes[at + 64..at + 64 + len].to_vec()));
        at = (at + 64 + len).next_multiple_of(64);
    }
    sections
}

/// A snapshot of these sections, with every checksum right.
fn file(sections: &[Section]) -> Vec<u8> {
    let version: u32 = if sections.iter().any(|section| section.0 == 9) { 2 } else { 1 };
    let mut bytes = Vec::new();
    for (number, contents) in sections {
        let mut head = b"CKGINDEX".to_vec();
        head.extend(version.to_le_bytes());
        head.extend(number.to_le_bytes());
        head.extend((contents.len() as u64).to_le_bytes());
        head.extend(xxhash_rust::xxh3::xxh3_64(contents).to_le_bytes());
        head.extend(xxhash_rust::xxh3::xxh3_64(&head).to_le_bytes());
        head.resize(64, 0);
        bytes.extend(head);
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(64), 0);
    }
    bytes
}

fn set(contents: &mut [u8], position: usize, number: u32) {
    contents[4 * position..][..4].copy_from_slice(&number.to_le_bytes());
}

/// Every checksum is right, and every part for itself may be one: only together they are none. Each of these was opened once, and
/// led to a panic, to an answer that is none, or to a vector that cannot be found.
#[test]
fn parts_that_do_not_fit_together_are_refused() {
    const NONE: u32 = u32::MAX;
    let bytes = saved(&index());
    let good = sections(&bytes);
    assert_eq!(file(&good), bytes);
    let refused = |what: &str, name: &str, forge: &dyn Fn(&mut Vec<Section>)| {
        let mut forged = good.clone();
        forge(&mut forged);
        match HnswAllocationIndex::open(file(&forged).into()) {
            Err(SnapshotError::Damaged { section, .. }) => assert_eq!(section, name, "{what}"),
            other => panic!("{what}: {:?}", other.map(|index| index.len())),
        }
    };
    let at = |number: u32| good.iter().position(|section| section.0 == number).unwrap();
    let live = |slot: usize| good[at(3)].1[slot / 8] >> (slot % 8) & 1 == 1;
    let slots = (good[at(4)].1.len() / 64) as u32;
    let free = (0..slots).find(|&slot| !live(slot as usize)).unwrap();
    let finer = |forged: &mut Vec<Section>, slot: u32| {
        let places = &mut forged[at(6)].1;
        let first = places.as_chunks::<4>().0.iter().position(|&place| place != [255; 4]).unwrap();
        let place = u32::from_le_bytes(places[4 * first..][..4].try_into().unwrap());
        set(places, first, NONE);
        places.resize(places.len().max(4 * slot as usize + 4), 255);
        set(places, slot as usize, place);
    };
    refused("a finer code beyond the slots", "finer places", &|forged| finer(forged, slots + 3));
    refused("a finer code of a free slot", "finer places", &|forged| finer(forged, free));
    refused("a finer code that is as coarse as all", "finer places", &|forged| {
        let row = forged[at(2)].1[..64].to_vec();
        forged[at(7) + Precision::Four as usize].1 = row;
        let places = &mut forged[at(6)].1;
        let first = places.as_chunks::<4>().0.iter().position(|&place| place == [255; 4]).unwrap();
        set(places, first, (Precision::Four as u32) << 29);
    });
    refused("links of a free slot", "links", &|forged| set(&mut forged[at(4)].1, 16 * free as usize, 1));
    let lonely = |forged: &mut Vec<Section>, layer: usize, slot: u32| {
        let mut node = vec![255; 4 * 17];
        set(&mut node, 0, slot);
        forged[at(5) + layer].1.extend(node);
    };
    let is_in = |layer: usize, slot: u32| {
        good[at(5) + layer].1.chunks_exact(68).any(|node| node[..4] == slot.to_le_bytes())
    };
    refused("a free slot on a layer", "layer", &|forged| lonely(forged, 0, free));
    let low = (0..slots).find(|&slot| live(slot as usize) && !is_in(0, slot)).unwrap();
    refused("a node that is not in the layer below", "layer", &|forged| lonely(forged, 1, low));
    refused("an entry that is not on top", "settings", &|forged| set(&mut forged[0].1, 6, low));
    refused("no entry", "settings", &|forged| set(&mut forged[0].1, 6, NONE));
    refused("a vector that nothing leads to", "links", &|forged| {
        let links = &mut forged[at(4)].1;
        for end in links.as_chunks_mut::<64>().0 {
            let kept: Vec<u8> = end
                .as_chunks::<4>()
                .0
                .iter()
                .filter(|one| **one != low.to_le_bytes())
                .flatten()
                .copied()
                .collect();
            end.fill(255);
            end[..kept.len()].copy_from_slice(&kept);
        }
        links[64 * low as usize..][..64].fill(255);
    });
    refused("more layers than there are", "layer", &|forged| set(&mut forged[0].1, 5, NONE - 1));
    refused("something after the end", "end", &|forged| forged.push((8, Vec::new())));
    refused("something in the end", "end", &|forged| forged[at(8)].1.push(0));
}

#[test]
fn copies_that_are_none_are_refused() {
    let bytes = saved(&index_with_copies());
    let good = sections(&bytes);
    assert_eq!(file(&good), bytes);
    let at = good.iter().position(|section| section.0 == 9).unwrap();
    let numbers: Vec<u32> =
        good[at].1.as_chunks::<4>().0.iter().map(|&number| u32::from_le_bytes(number)).collect();
    // Nodes with at least two copies each, so that there is something to exchange.
    let lists: Vec<usize> = {
        let (mut lists, mut next) = (Vec::new(), 0);
        while next < numbers.len() {
            lists.push(next);
            next += 2 + numbers[next + 1] as usize;
        }
        lists.into_iter().filter(|&list| numbers[list + 1] >= 2).collect()
    };
    let (one, other) = (lists[0], lists[1]);
    let refused = |what: &str, forge: &dyn Fn(&mut Vec<u32>)| {
        let (mut forged, mut numbers) = (good.clone(), numbers.clone());
        forge(&mut numbers);
        forged[at].1 = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        match HnswAllocationIndex::open(file(&forged).into()) {
            Err(SnapshotError::Damaged { section, .. }) => assert_eq!(section, "copies", "{what}"),
            other => panic!("{what}: {:?}", other.map(|index| index.len())),
        }
    };
    refused("another code", &|numbers| numbers.swap(one + 2, other + 2));
    refused("not by id", &|numbers| numbers.swap(one + 2, one + 3));
    refused("twice in a list", &|numbers| numbers[one + 3] = numbers[one + 2]);
    refused("in two lists", &|numbers| numbers[other + 2] = numbers[one + 2]);
    refused("behind itself", &|numbers| numbers[one] = numbers[one + 2]);
    refused("behind a copy", &|numbers| numbers[one] = numbers[other + 2]);
    refused("beyond the slots", &|numbers| numbers[one + 2] = u32::MAX - 1);
    refused("a node twice", &|numbers| numbers[other] = numbers[one]);
    refused("a node with links", &|numbers| numbers.swap(one, one + 2));
    refused("longer than the section", &|numbers| numbers[one + 1] = u32::MAX);
    refused("an empty list", &|numbers| numbers.extend([numbers[one + 2], 0]));
    refused("a number left over", &|numbers| numbers.push(1));
    // A copy that nothing stands in front of is a vector that nothing leads to.
    let mut forged = good.clone();
    forged[at].1.clear();
    assert!(HnswAllocationIndex::open(file(&forged).into()).is_err());
}
