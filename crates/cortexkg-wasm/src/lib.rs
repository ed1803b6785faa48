//! CortexKG for JavaScript: [`AllocationEngine`], a pool of columns, and [`CortexKGWasm`], the pool beside the engine itself.
//!
//! Works on the main thread, in a worker and in Node. The classes and their methods have the names that the project's seed gave
//! them; objects that come out have keys in camel case, but for `activation_level`, which that text names.
//!
//! # Numbers
//!
//! Concepts and columns are whole numbers from 0 to 2³² − 1, given as `number` or `bigint`. Anything else, also a fraction, NaN, a
//! negative number, 2³² or a text, is refused with an `Error` that says what was given, and nothing is taken for 0.
//!
//! # Errors
//!
//! What is refused throws an `Error` (or rejects the promise) with a message that names the concept, column, record or field, and
//! changes nothing. Using an object after `free()` throws as well.
//!
//! # What is kept, and where
//!
//! `initialize()` begins in memory, and what is in memory goes with the page. `initialize_with_storage(name, storage)` takes an object with
//! `load()`, `append(piece)` and `replace(piece)`, whose promises are waited for; without one it is what the package around these bindings opens
//! under that name (`set_storage_opener`), and if nobody said what does, it is refused: nothing ever claims to be saved that is not. `save_state()` hands over what
//! has changed since the last time, as one piece of bytes, or everything anew where that costs less than reading all the pieces.
//!
//! A module's memory never shrinks. What was said need not be in it: with a file that answers at once (`scratch`), rows beyond 256 KiB lie there
//! for as long as the graph is open. With another one (`swap`) the engine's tables take no more memory than they may (`maxMemoryBytes`). A storage that has `open()` and `begin()` is read and written part by part.
//!
//! # Same bits
//!
//! The same facts give the same `state_hash()` as in the native library, with SIMD and without; `export()` and `import()` speak `.ckg`
//! with the program. SIMD is chosen when the module is built (feature `simd128`), because an engine without these
//! instructions refuses a module that has them: `enable_simd` can be true and have no effect, which `simd_enabled` tells. Columns are found
//! by looking at 64 at a time in a word, with SIMD and without.

mod allocation;
mod changed;
mod clock;
mod concepts;
mod configuration;
mod facts;
mod foreign;
mod graph;
mod heap;
mod kg;
mod knowledge;
mod map;
mod objects;
mod pieces;
mod requests;
mod saving;
mod storage;
mod tracked;
mod types;
mod values;
mod views;

pub use allocation::AllocationEngine;
pub use kg::CortexKGWasm;
pub use storage::set_storage_opener;
