//! stub
#![allow(missing_docs, clippy::all)]
pub mod ballot; pub mod candidates; pub mod columns; mod commit; mod compare; pub mod config; mod dates;
pub mod decision; mod dictionary; pub mod embed; pub mod engine; pub mod error; pub mod evidence; pub mod explain; pub mod fact; mod graph;
pub mod inhibition; mod learn; pub mod normalise; pub mod perceive; pub mod profile; mod report; pub use report::*; pub mod spike; mod vectors; pub mod weights;
pub use compare::Level; pub use graph::NodeId; pub use config::*;
pub use decision::*; pub use engine::AllocationEngine; pub use error::*; pub use explain::*; pub use fact::*; 
