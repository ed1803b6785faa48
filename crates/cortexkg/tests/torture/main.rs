//! What a graph must survive. Ordinary runs are short; `cargo xtask torture` makes them long and adds killed processes.
//!
//! - `CORTEXKG_TORTURE=full`: a hundred times as much.
//! - `CORTEXKG_TORTURE_SEED=N`: another seed. What fails prints the seed it failed with.
//!
//! Each test prints what it did as lines `torture|test|what|how many`, which the chore makes a table of.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod faults;
mod flips;
mod layers;
mod links;
mod model;
mod random_operations;
mod stream;

/// Whether to run in full.
fn is_full() -> bool {
    std::env::var("CORTEXKG_TORTURE").is_ok_and(|value| value == "full")
}

/// How many of something: a hundredth of it in an ordinary run.
fn scaled(full: usize) -> usize {
    if is_full() { full } else { full / 100 }
}

fn seed() -> u64 {
    std::env::var("CORTEXKG_TORTURE_SEED").map_or(1, |value| value.parse().expect("a number"))
}

/// Tells how much was done.
fn tell(test: &str, what: &str, count: impl std::fmt::Display) {
    println!("torture|{test}|{what}|{count}");
}

/// Redb panics on pages that no redb has written; the store catches that, and nobody needs to read about it.
fn silence_redb() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let of_redb = info.location().is_some_and(|location| location.file().contains("/redb-"));
            // Slices that are too short and the like are reported from the standard library.
            let of_std = info.location().is_some_and(|location| location.file().starts_with("/rustc/"));
            if !of_redb && !of_std {
                hook(info);
            }
        }));
    });
}
