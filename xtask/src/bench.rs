//! `cargo xtask bench`: figures measured on real data, and at scale on made-up data, printed beside what they are to reach.

mod adaptation;
mod browser;
mod chart;
mod churn;
mod first_light;
mod growth;
mod kernels;
mod layers;
mod leaks;
mod made_up;
mod ten_million;
mod tiers;

use clap::Subcommand;

pub(crate) use first_light::{Set, number, table};
pub(crate) use made_up::MadeUp;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The whole path over each data set: quality, rate, latency, memory, state hash.
    FirstLight(first_light::Args),
    /// The vector index: additions, removals and searches at a constant size, then recall beside a fresh build.
    Churn(churn::Args),
    /// Layers that set themselves, beside a grid of fixed settings on three loads.
    Adaptation(adaptation::Args),
    /// The tiers above the store: hit rates beside the optimum, speed of hits.
    Tiers(tiers::Args),
    /// The SIMD kernels beside scalar code, and beside what memory can give.
    Kernels(kernels::Args),
    /// The scalable engine as its graph grows to a million nodes: cost of a decision, memory.
    Growth(growth::Args),
    /// Ten million vectors in little memory, the full ones on disk: memory, recall, latency.
    TenMillion(ten_million::Args),
    /// Instructions of the scalable engine beside the plain one, in small graphs. Needs valgrind.
    Layers(layers::Args),
    /// Memory that the scalable engine never gives back. Needs valgrind.
    Leaks,
    /// The package for JavaScript in Chromium: a first answer, rates, memory, columns.
    Browser(browser::Args),
}

/// Runs one bench.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::FirstLight(args) => first_light::run(args),
        Bench::Adaptation(args) => adaptation::run(args),
        Bench::Churn(args) => churn::run(args),
        Bench::Tiers(args) => tiers::run(args),
        Bench::Kernels(args) => kernels::run(args),
        Bench::Growth(args) => growth::run(args),
        Bench::TenMillion(args) => ten_million::run(args),
        Bench::Layers(args) => layers::run(args),
        Bench::Leaks => leaks::run(),
        Bench::Browser(args) => browser::run(args),
    }
}
