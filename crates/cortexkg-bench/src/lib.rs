//! Made-up facts with vectors and truth: as many as wanted, the same everywhere.
//!
//! [`Mentions`] is the stream: mentions of people that never were, each with the number of the one it speaks of.
//!
//! ```
//! use cortexkg_bench::{Mentions, Recipe};
//!
//! let recipe = Recipe { things: 100, mentions: 130, dimension: 16, seed: 1 };
//! let mentions: Vec<_> = Mentions::new(recipe)?.collect();
//! assert_eq!(mentions.len(), 130);
//! assert!(mentions.iter().all(|mention| mention.thing < 100));
//! # Ok::<(), cortexkg_bench::RecipeError>(())
//! ```
//!
//! The program of this crate writes such streams to files and holds the benches that need them; `cargo xtask generate` and
//! `cargo xtask bench` start it.
//!
//! **Invariant:** mention, vector and draw follow from a seed and a number alone, by whole numbers and operations that IEEE 754
//! rounds correctly, so that every machine makes the same.

pub mod machine;

mod clustered;
mod mentions;
mod people;
mod random;
mod zipf;

pub use clustered::Clustered;
pub use mentions::{Mention, Mentions, Recipe, RecipeError};
pub use random::Random;
pub use zipf::Zipf;
