//! The subcommands, one file each.

pub mod allocate;
pub mod as_of;
pub mod assignments;
pub mod backup;
pub mod compact;
pub mod completions;
pub mod demo;
pub mod export;
pub mod facts;
pub mod forget;
pub mod get;
pub mod how;
pub mod import;
pub mod log;
pub mod merge;
pub mod neighbours;
pub mod restore;
pub mod score;
pub mod search;
pub mod split;
pub mod stats;
pub mod undo;
pub mod unmerge;
pub mod verify;
pub mod why;
pub mod why_not;
