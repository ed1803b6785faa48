//! The subcommands, one file each.

pub mod allocate;
pub mod completions;
pub mod demo;
pub mod score;
