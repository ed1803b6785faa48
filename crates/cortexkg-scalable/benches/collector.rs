//! What it costs to count a decision.

use std::hint::black_box;
use std::time::Duration;

use cortexkg::{AllocationEngine, EngineConfig, Fact};
use cortexkg_scalable::{MetricsCollector, ScalabilityMonitor};
use criterion::{Criterion, criterion_group, criterion_main};

fn collector(criterion: &mut Criterion) {
    let mut engine = AllocationEngine::new(EngineConfig::default());
    let Ok(result) = engine.allocate_fact(Fact::text("Ada Lovelace").with_id("a")) else { return };
    let collector = MetricsCollector::new();
    let mut us = 0;
    criterion.bench_function("record a decision", |bench| {
        bench.iter(|| {
            us = (us + 37) % 1000;
            collector.record_allocation(black_box(&result), Some(Duration::from_micros(us)));
        });
    });
    let mut monitor = ScalabilityMonitor::default();
    let mut now = Duration::ZERO;
    criterion.bench_function("monitor_performance", |bench| {
        bench.iter(|| {
            now += Duration::from_secs(1);
            monitor.monitor_performance(black_box(now))
        });
    });
    criterion.bench_function("encode", |bench| bench.iter(|| black_box(collector.encode())));
}

criterion_group!(benches, collector);
criterion_main!(benches);
