//! A graph in a store: what is acknowledged survives, whatever is taken back comes back, and all roads lead to the same graph.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod compact;
mod consolidate;
mod feedback;
mod fields;
mod forget;
mod load;
mod merge;
mod model;
mod near;
mod refusals;
mod reopen;
mod review;
mod undo;
