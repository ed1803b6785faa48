//! `ColumnAllocator`: a fixed pool of columns on a grid, each holding at most one concept, related concepts side by side.
//!
//! A cortex is thought to have columns: a sheet of places, of which each stands for one thing, and neighbours for things that
//! have to do with each other (a *topographic map*). This is the sheet. It knows concepts by numbers alone, and nothing of the engine.
//!
//! ```
//! use cortexkg_columns::{ChangeKind, ColumnAllocator};
//!
//! # fn main() -> Result<(), cortexkg_columns::ColumnError> {
//! let mut pool = ColumnAllocator::with_columns(1_024)?; // 32 by 32
//! let ada = pool.allocate(0, &[])?; // nothing is related: the first free column along the curve
//! let charles = pool.allocate(1, &[(0, 5)])?; // beside concept 0
//! assert_eq!(charles.distance, 1);
//! assert_eq!(pool.column_of(0), Some(ada.column));
//! assert_eq!(pool.concept_of(charles.column), Some(1));
//!
//! pool.deallocate(0);
//! assert_eq!(pool.defragment().len(), 1); // concept 1 moves to the front, with its state
//! let last = pool.changes_since(3)?.next().expect("three changes were before it");
//! assert_eq!(last.kind, ChangeKind::Moved { from: charles.column, to: ada.column });
//! # Ok(())
//! # }
//! ```
//!
//! # Where things lie
//!
//! Columns are numbered along a generalised Hilbert curve through a [`Grid`]: columns with near numbers are near on the grid. On squares
//! whose side is a power of two it is Hilbert's own (1891), on other rectangles that of Červený (2018).
//!
//! A concept that comes with related ones goes to the free column nearest to the cell where the weighted sum of Manhattan distances to
//! their columns is least: the weighted median of each axis. Of equally near columns it is the first along the curve. A concept that
//! comes with its number alone, or whose relatives have no columns, gets the first free column along the curve, or one with room around it for
//! relatives to come: the pool's [`Spread`].
//!
//! # What it costs
//!
//! Lookups are one step, either way. Free columns are found in two bitmaps with summaries, along the curve and on the grid
//! (tiles of 8 × 8, four levels for 16 Mi columns): each step looks at 64 columns, or 64 tiles, in one register. A search on the grid visits a
//! few tiles, and remembers of those that it looked into in vain how far their free columns are at least; where many columns are equally
//! near, tiles whose columns all come later are passed over. An allocation takes 0.1 to 2 µs in pools of a thousand to a million columns
//! (`examples/speed.rs`). Defragmenting and rebalancing take time proportional to the columns (and to the pairs, and to sorting the uses).
//! Memory: about 80 bytes per column, all of it taken at the beginning.
//!
//! # What always holds
//!
//! - The same calls give the same columns, on every machine: everything is decided on whole numbers and in a fixed order. There is no clock:
//!   *logical time* counts calls.
//! - A concept has at most one column, a column at most one concept; concept 0 is a concept.
//! - What is refused changes nothing, and the [error](ColumnError) names the concept or column.
//! - Every [`Change`] is told in order; [`ColumnAllocator::changes_since`] says if some are gone.
//! - Every bound is explicit: [`COLUMNS_MAX`], [`SIDE_MAX`], [`RELATED_MAX`], [`CHANGES_MAX_USUAL`].
//!
//! # Where to start reading
//!
//! `allocator.rs` is the pool. `curve.rs` and `grid.rs` say where columns lie, `growth.rs` where more of them, `index.rs` which has which concept, `free.rs` and `tiles.rs` which are free, `room.rs` where most are, `nearness.rs` what near
//! is worth, `optimise.rs` how they are put into order, `feed.rs` who is told, `snapshot.rs` how they are kept, `delta.rs` what has changed.

mod allocator;
mod curve;
mod delta;
mod error;
mod feed;
mod free;
mod grid;
mod growth;
mod index;
mod nearness;
mod optimise;
mod reader;
mod record;
mod room;
mod slot;
mod snapshot;
mod tiles;

pub use allocator::{ColumnAllocator, HALF_LIFE_USUAL, Placement, Request, Spread};
pub use delta::apply_delta;
pub use error::ColumnError;
pub use feed::{CHANGES_MAX_USUAL, Change, ChangeKind};
pub use grid::{COLUMNS_MAX, Cell, ColumnId, Grid, SIDE_MAX};
pub use growth::Growth;
pub use nearness::{Neighbourhood, RELATED_MAX, weight_of_evidence};
pub use optimise::{BLOCK, Move, QUALITY_LEFT_MIN, Rebalance};
pub use slot::ColumnState;
