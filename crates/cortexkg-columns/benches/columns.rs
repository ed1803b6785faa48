//! A million columns and a thousand: nanoseconds of a call at two fillings, milliseconds of putting all in order.
#![allow(clippy::unwrap_used, reason = "a benchmark stops on errors")]

use cortexkg_columns::{ColumnAllocator, ColumnId, Spread};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use crate::filling::{draw, filled, groups, hub};

mod filling;

fn calls(criterion: &mut Criterion) {
    for columns in [1_000, 1_000_000] {
        for percent in [50, 99] {
            let pool = filled(columns, percent, Spread::Compact);
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
    let mut pool = filled(1_000_000, 50, Spread::Compact);
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
