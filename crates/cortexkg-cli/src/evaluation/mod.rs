//! A scorecard: one pass over a stream with an eye on every decision.
//!
//! - `Witness`: each decision beside the truth, at the moment when it was taken;
//! - `ExhaustiveSample`: without truth, whether a look at every node would have found a better one;
//! - `Review`: without truth, the decisions that somebody should look at;
//! - `in_orders`: the same facts in several orders, and how far the outcomes agree;
//! - [`Scorecard`]: all of it as a table and as JSON; [`reliability_svg`]: whether probabilities come true, as a picture.

mod diagram;
mod exhaustive;
mod orders;
mod review;
mod scorecard;
mod seen;
mod stage;
mod witness;

pub use self::diagram::reliability_svg;
pub(crate) use self::exhaustive::ExhaustiveSample;
pub use self::exhaustive::SampleFigures;
pub(crate) use self::orders::in_orders;
pub use self::orders::{OrderFigures, OrderStage, Spread};
pub use self::review::Doubt;
pub(crate) use self::review::Review;
pub use self::scorecard::{Bands, Scorecard, TruthFigures};
pub(crate) use self::seen::Seen;
pub(crate) use self::stage::Stage;
pub use self::stage::{Estimate, Figures, StageScore};
pub use self::witness::DecisionFigures;
pub(crate) use self::witness::Witness;

/// The graph that is measured; it ends with the process. Over a store, since what comes after a stream works on a log.
pub(crate) type Graph = cortexkg::DurableEngine<cortexkg_store::MemoryStore>;
