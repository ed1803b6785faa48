//! A million columns and a thousand: nanoseconds of a call at two fillings, milliseconds of putting all in order.
#![allow(clippy::unwrap_used, reason = "a benchmark stops on errors")]

use cortexkg_columns::{ColumnAllocator, ColumnId};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// A number that looks random, from a position.
fn draw(position: u64) -> u64 {
    let mut z = position.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A pool with this share of its columns taken, in groups of 32 related concepts that came in a mixed order, a tenth of them gone again.
fn filled(columns: u32, percent: u64) -> ColumnAllocator {
    let mut pool = ColumnAllocator::with_columns(columns).unwrap();
    pool.set_changes_max(0);
    let wanted = u64::from(columns) * percent / 100;
    let groups = groups(columns, percent);
    let mut concept = 0;
    while u64::from(pool.allocated_count()) < wanted {
        let group = draw(concept) % groups;
        pool.allocate(concept, &[(hub(group), 1)]).unwrap();
        if pool.column_of(hub(group)).is_none() && pool.free_count() > 0 {
            pool.allocate(hub(group), &[(concept, 1)]).unwrap();
        }
        if concept % 10 == 9 {
            pool.deallocate(draw(concept + 7) % concept);
        }
        concept += 1;
    }
    pool
}

/// Groups of a filling.
fn groups(columns: u32, percent: u64) -> u64 {
    (u64::from(columns) * percent / 100 / 29).max(1)
}

/// The concept that those of a group come beside.
fn hub(group: u64) -> u64 {
    (1 << 40) | group
}

fn calls(criterion: &mut Criterion) {
    for columns in [1_000, 1_000_000] {
        for percent in [50, 99] {
            let pool = filled(columns, percent);
            let groups = groups(columns, percent);
            let mut bench = criterion.benchmark_group(format!("{columns} columns, {percent} % taken"));
            let (mut one, mut position) = (pool.clone(), 0);
            bench.bench_function("allocate beside one and deallocate", |b| {
                b.iter(|| {
                    position += 1;
                    one.allocate(1 << 50, &[(hub(draw(position) % groups), 1)]).unwrap();
                    one.deallocate(1 << 50)
                });
            });
            bench.bench_function("allocate beside eight and deallocate", |b| {
                b.iter(|| {
                    position += 1;
                    let related =
                        std::array::from_fn::<_, 8, _>(|n| (hub(draw(position + n as u64) % groups), 1));
                    one.allocate(1 << 50, &related).unwrap();
                    one.deallocate(1 << 50)
                });
            });
            bench.bench_function("allocate first free and deallocate", |b| {
                b.iter(|| {
                    one.allocate(1 << 50, &[]).unwrap();
                    one.deallocate(1 << 50)
                });
            });
            bench.bench_function("column of a concept", |b| {
                b.iter(|| {
                    position += 1;
                    one.column_of(hub(draw(position) % groups))
                });
            });
            bench.bench_function("concept of a column", |b| {
                b.iter(|| {
                    position += 1;
                    one.concept_of(ColumnId((draw(position) % u64::from(columns)) as u32))
                });
            });
        }
    }
}

fn order(criterion: &mut Criterion) {
    let mut pool = filled(1_000_000, 50);
    let mut group = criterion.benchmark_group("1000000 columns, 50 % taken");
    group.sample_size(10);
    group.bench_function("defragment", |b| {
        b.iter_batched_ref(|| pool.clone(), ColumnAllocator::defragment, BatchSize::LargeInput);
    });
    group.bench_function("encode", |b| b.iter(|| pool.encode()));
    let bytes = pool.encode();
    group.bench_function("decode", |b| b.iter(|| ColumnAllocator::decode(&bytes, 1_000_000).unwrap()));
    // A few concepts have most uses (Zipf), wherever they lie.
    let concepts: Vec<u64> = pool.states().map(|state| state.concept).collect();
    for use_ in 0..2_000_000 {
        let rank = (concepts.len() as f64).powf(draw(use_) as f64 / u64::MAX as f64) as u64 - 1;
        pool.activate(concepts[(draw(rank) % concepts.len() as u64) as usize], 1.0).unwrap();
    }
    let done = pool.clone().rebalance(&[]);
    eprintln!(
        "rebalance: {} moves within {} columns; blocks for four fifths of the uses {} → {}; neighbourhood {:.3} → {:.3}",
        done.moves.len(),
        done.window,
        done.blocks.0,
        done.blocks.1,
        done.neighbourhood.0.quality(),
        done.neighbourhood.1.quality()
    );
    group.bench_function("rebalance", |b| {
        b.iter_batched_ref(|| pool.clone(), |pool| pool.rebalance(&[]), BatchSize::LargeInput);
    });
}

criterion_group!(benches, calls, order);
criterion_main!(benches);
