//! stub
#![allow(missing_docs, clippy::all)]
pub mod decision;
pub mod engine;
pub mod error;
pub mod explain;
pub mod fact;
pub mod graph;
pub use decision::*;
pub use engine::*;
pub use error::*;
pub use explain::*;
pub use fact::*;
pub use graph::*;
