//! CortexKG decides where knowledge belongs.
//!
//! Facts stream in: records, triples, short texts, with or without an embedding. For each one the engine decides, in
//! microseconds and without a language model, which node of a knowledge graph it belongs to or that it needs a new one, and
//! can say why. This is online entity resolution: one fact at a time, each visible to the next, no labels, no rules to write,
//! no hint about what a column means.
//!
//! ```
//! use cortexkg::{AllocationEngine, Decision, EngineConfig, Fact};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut engine = AllocationEngine::new(EngineConfig::default());
//! let facts = [
//!     [("name", "Arnie Morton's of Chicago"), ("city", "Los Angeles"), ("phone", "310/246-1501")],
//!     [("name", "Art's Delicatessen"), ("city", "Studio City"), ("phone", "818/762-1221")],
//!     [("name", "arnie mortons of chicago"), ("city", "los angeles"), ("phone", "310-246-1501")],
//! ];
//! let mut results = Vec::new();
//! for (fields, id) in facts.into_iter().zip(["a", "b", "c"]) {
//!     results.push(engine.allocate_fact(Fact::record(fields).with_id(id))?);
//! }
//! assert_eq!(results[1].decision, Decision::New);
//! assert_eq!(results[2].allocated_node, results[0].allocated_node);
//! assert!(results[2].confidence > 0.8);
//! println!("{}", engine.explain(None, "c").expect("the ballots of all mentions are kept"));
//! # Ok(())
//! # }
//! ```
//!
//! # The path of a fact
//!
//! ```text
//! Fact ─perceive─▶ Perceived ─recall─▶ Candidates ─decide─▶ Ballot ─commit─▶ graph
//! ```
//!
//! [`AllocationEngine::allocate_fact`] walks it whole. The steps are public too, so that the path can be cut in two:
//!
//! ```
//! # use cortexkg::{AllocationEngine, EngineConfig, Fact};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut engine = AllocationEngine::new(EngineConfig::default());
//! let perceived = engine.perceive(Fact::text("Multicystic kidney dysplasia"))?;
//! let candidates = engine.recall(&perceived, 0);
//! let ballot = engine.decide(&perceived, 0, &candidates);
//! let result = engine.commit(&perceived, vec![ballot])?;
//! assert_eq!(engine.node(result.allocated_node).expect("committed").aliases, ["Multicystic kidney dysplasia"]);
//! # Ok(())
//! # }
//! ```
//!
//! 1. **perceive** ([`fact`], [`normalise`], [`embed`]): validates, brings values into normal form, embeds.
//! 2. **encode** ([`spike`]): the most telling features of the mention spike first; only the earliest count.
//! 3. **recall** ([`candidates`]): exact key ∪ early spikes ∪ vectors ∪ graph neighbours, at most 64 nodes.
//! 4. **vote** ([`columns`]): four columns weigh each candidate in bits of evidence ([`evidence`], [`weights`]).
//! 5. **inhibit** ([`inhibition`]): candidates and "a new node" compete; out comes a [`Decision`] with its confidence.
//! 6. **commit**: the mention joins its node, and the weights learn from the stream.
//!
//! # What always holds
//!
//! - The same facts in the same order under the same configuration give the same [`StateHash`], on every processor and level of
//!   SIMD, with one thread or many. Decisions are taken on integers; no clock, no hash order, no platform logarithm has a say.
//! - A fact that cannot be taken in gives a [`FactError`] that names record and field, and changes nothing.
//! - Every bound is explicit: [`fact::limits`], [`RecallConfig`](candidates::RecallConfig).
//! - Every decision can be explained from its stored ballot: [`AllocationEngine::explain`].
//! - The engine reads no clock, touches no network, and starts no thread that it was not given.

// What tests share names the crate as others do.
#[cfg(test)]
extern crate self as cortexkg;

pub mod ablation;
pub mod ballot;
mod base;
pub mod candidates;
pub mod columns;
mod commit;
mod comparator;
mod compare;
mod config;
mod consolidation;
mod counters;
mod dates;
mod decision;
mod dependence;
mod dictionary;
mod durable;
pub mod embed;
mod engine;
mod entries;
mod error;
pub mod evidence;
mod exceptions;
mod explain;
pub mod fact;
mod feedback;
mod field_config;
mod graph;
mod history;
mod image;
mod inheritance;
pub mod inhibition;
mod journal;
mod layers;
mod learn;
mod ledger;
mod load;
mod membership;
mod near;
mod node_code;
pub mod normalise;
mod old_learner;
mod opening;
mod operation_error;
mod operations;
mod paged;
mod pair;
mod perceive;
mod placing;
mod postings;
mod profile;
mod quantization;
mod reading;
mod report;
mod residency;
mod scores;
mod search;
mod search_near;
mod spelling;
pub mod spike;
mod stopwatch;
mod stored_fact;
mod surroundings;
mod tuning;
mod vectors;
mod verify;
mod view;
mod waterfall;
pub mod weights;

pub use ballot::Ballot;
pub use base::Compaction;
pub use comparator::Comparator;
pub use compare::Level;
pub use config::EngineConfig;
pub use consolidation::Consolidation;
/// What a vector is kept at; of `cortexkg-index`.
pub use cortexkg_index::Precision;
pub use decision::{AllocationMethod, AllocationResult, Decision};
pub use durable::DurableEngine;
pub use engine::{AllocationEngine, hundredth};
pub use error::{CommitError, FactError, LoadError};
pub use exceptions::{ExceptionKind, Inherited, KeptException};
pub use explain::{CandidateExplanation, Explanation, VoteExplanation};
pub use fact::{Fact, FactContent, Field, FieldValue, Term};
pub use feedback::{LinkKind, LinkView, Linked, MentionName};
pub use field_config::{FieldConfig, FieldConfigError, FieldConfigs};
pub use graph::{NodeId, POSSIBLY_SAME};
pub use history::{LogView, Verdict, WhyNot};
pub use journal::{MentionRef, PlacedFact};
pub use layers::{HnswLayer, Layers, QuantizationLayer, UNIT};
pub use load::{GraphEdge, GraphNode, KnowledgeGraph};
pub use opening::Opening;
pub use operation_error::OperationError;
pub use operations::Forget;
pub use paged::SwapFile;
pub use perceive::Perceived;
pub use profile::FieldKind;
pub use quantization::{ImportanceScorer, QuantizationReport, QuantizationStrategy};
pub use report::{
    ExceptionView, FieldModel, FieldOverlap, LearnedModel, MemberView, NodeView, Origin, StateHash,
};
pub use search::SearchHit;
pub use search_near::NearHit;
pub use stopwatch::{Stage, Stopwatch};
pub use verify::{Depth, VerifyReport};
pub use view::{Assignment, CloseCall, Counts, MemberFact, Neighbour, View};
pub use waterfall::{StepKind, WaterfallStep};
