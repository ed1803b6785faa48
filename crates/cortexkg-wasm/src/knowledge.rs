//! The graph of `CortexKGWasm`: facts in, answers out.

use cortexkg::{Fact, MentionName, NodeId};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::allocation::message;
use crate::clock::date_ms;
use crate::facts::{embedding, fact};
use crate::foreign::{Foreign, Parts};
use crate::graph::{Graph, GraphError, Verdict};
use crate::kg::{CortexKGWasm, State, with};
use crate::map::Map;
use crate::objects::object;
use crate::values::{error, given, is_array, items, name, pair, quoted, text, whole_number};
use crate::views;

/// Hits of a search and items of a list if nothing is said, and at most.
const ITEMS_USUAL: u32 = 10;
const ITEMS_MAX: u32 = 1_000;
/// Most facts of one call.
const FACTS_MAX: usize = 1 << 20;
/// Largest whole number that a `number` holds exactly.
const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

#[wasm_bindgen]
impl CortexKGWasm {
    /// Decides which node a fact belongs to: `{text}`, `{subject, predicate, object}` or `{fields}`, with `id`, `source`, `time` (seconds),
    /// `confidence` and `embedding` where there are any. Fields are an object or pairs of name and value; JavaScript puts names that are
    /// whole numbers first in an object, pairs keep their order.
    ///
    /// # Errors
    /// If it is no fact, or breaks a bound: then nothing has changed.
    #[wasm_bindgen(unchecked_return_type = "AllocationResult")]
    pub fn allocate_fact(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Fact")] fact_given: &JsValue,
    ) -> Result<Object, JsValue> {
        let fact = fact(fact_given)?;
        with(&self.phase, |state| {
            let (graph, mut map) = state.parts();
            let before = map.pool.allocated_count();
            let outcome = graph.allocate(fact, &mut map).map_err(error)?.map_err(error)?;
            let told = views::result(&outcome, map.pool);
            state.note_allocated_since(before);
            Ok(told)
        })
    }

    /// Decides on one fact after the other. One object for each, in their order: what `allocate_fact` gives, or `{error}`.
    ///
    /// # Errors
    /// If it is no array.
    #[wasm_bindgen(unchecked_return_type = "(AllocationResult | {error: string})[]")]
    pub fn allocate_facts(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Iterable<Fact>")] facts: &JsValue,
    ) -> Result<Array, JsValue> {
        let told = |why: &JsValue| object([("error", message(why))]);
        let facts = items(facts, "facts", FACTS_MAX)?;
        // Of what is no fact its mistake; the others are decided on all the same.
        let facts: Vec<Result<Fact, JsValue>> = facts.iter().map(fact).collect();
        with(&self.phase, |state| {
            let (graph, mut map) = state.parts();
            let before = map.pool.allocated_count();
            let outcomes = facts.into_iter().map(|fact| {
                let fact = match fact {
                    Ok(fact) => fact,
                    Err(why) => return Ok(told(&why)),
                };
                Ok(match graph.allocate(fact, &mut map).map_err(error)? {
                    Ok(outcome) => views::result(&outcome, map.pool),
                    Err(why) => told(&error(why)),
                })
            });
            let outcomes = outcomes.collect::<Result<Array, JsValue>>();
            state.note_allocated_since(before);
            outcomes
        })
    }

    /// The nodes that a text speaks of, best first: `{node, label, scoreBits, matched}`; 10, or as many as `limit` says, at most 1,000.
    ///
    /// # Errors
    /// If `text` is no text, or `limit` no such number.
    #[wasm_bindgen(
        unchecked_return_type = "{node: number, label: string, scoreBits: number, matched: string[]}[]"
    )]
    pub fn search(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] text_given: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] limit: &JsValue,
    ) -> Result<Array, JsValue> {
        let text = text(text_given, "what is searched for")?;
        let limit = limited(limit)?;
        with(&self.phase, |state| {
            let hits = state.graph.search(&text, limit).map_err(error)?;
            Ok(hits.iter().map(|hit| views::hit(hit, state.columns.pool())).collect())
        })
    }

    /// The nodes whose vectors lie nearest to one, nearest first: `{node, label, cosine}`; 10, or as many as `limit` says, at most 1,000. None where facts
    /// bring no vectors.
    ///
    /// # Errors
    /// If `vector` has no direction or another dimension than those of the graph, or `limit` is no such number.
    #[wasm_bindgen(unchecked_return_type = "NearHit[]")]
    pub fn search_near(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array | readonly number[]")] vector: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] limit: &JsValue,
    ) -> Result<Array, JsValue> {
        let (vector, limit) = (embedding(vector)?, limited(limit)?);
        with(&self.phase, |state| {
            let hits = state.graph.search_near(&vector, limit).map_err(error)?;
            Ok(hits.iter().map(|hit| views::near_hit(hit, state.columns.pool())).collect())
        })
    }

    /// Explains the decision on a record, in words.
    ///
    /// # Errors
    /// If there is no such record.
    pub fn why(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] record_id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] source: &JsValue,
    ) -> Result<String, JsValue> {
        let (record, source) = named(record_id, source)?;
        with(&self.phase, |state| Ok(state.graph.why(source.as_deref(), &record).map_err(error)?.to_string()))
    }

    /// Explains the decision on a record, as data: every competitor with the walk from the prior to the evidence.
    ///
    /// # Errors
    /// If there is no such record.
    #[wasm_bindgen(unchecked_return_type = "Explanation")]
    pub fn explain(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] record_id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] source: &JsValue,
    ) -> Result<Object, JsValue> {
        let (record, source) = named(record_id, source)?;
        with(&self.phase, |state| {
            let why = state.graph.why(source.as_deref(), &record).map_err(error)?;
            Ok(views::explanation(&why, state.columns.pool()))
        })
    }

    /// A node as it stands, or the one that it was merged into; `undefined` if nothing belongs to it.
    ///
    /// # Errors
    /// If `node` is no whole number.
    #[wasm_bindgen(unchecked_return_type = "NodeView | undefined")]
    pub fn node(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] node: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let node = NodeId(counted(node, "node")?);
        with(&self.phase, |state| {
            let found = state.graph.node(node).map_err(error)?;
            Ok(found.map_or(JsValue::UNDEFINED, |found| views::node(&found, state.columns.pool()).into()))
        })
    }

    /// What was said of a node, oldest first.
    ///
    /// # Errors
    /// If `node` is no whole number.
    #[wasm_bindgen(unchecked_return_type = "MemberFact[]")]
    pub fn facts(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] node: &JsValue,
    ) -> Result<Array, JsValue> {
        let node = NodeId(counted(node, "node")?);
        with(&self.phase, |state| {
            Ok(state.graph.facts(node).map_err(error)?.iter().map(views::member_fact).collect())
        })
    }

    /// The edges of a node.
    ///
    /// # Errors
    /// If `node` is no whole number.
    #[wasm_bindgen(unchecked_return_type = "Neighbour[]")]
    pub fn neighbours(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] node: &JsValue,
    ) -> Result<Array, JsValue> {
        let node = NodeId(counted(node, "node")?);
        with(&self.phase, |state| {
            Ok(state.graph.neighbours(node).map_err(error)?.iter().map(views::neighbour).collect())
        })
    }

    /// Close calls that nobody has settled, the most likely first; 10, or as many as `limit` says, at most 1,000.
    ///
    /// # Errors
    /// If `limit` is no such number.
    #[wasm_bindgen(unchecked_return_type = "CloseCall[]")]
    pub fn review(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] limit: &JsValue,
    ) -> Result<Array, JsValue> {
        let limit = limited(limit)?;
        with(&self.phase, |state| {
            Ok(state.graph.open_calls(limit).map_err(error)?.iter().map(views::close_call).collect())
        })
    }

    /// Says that two records are the same, from now on; their nodes become one. A record is its identifier, or a pair of that and its source.
    ///
    /// # Errors
    /// If there is no such record, or it was said already, or the opposite.
    #[wasm_bindgen(unchecked_return_type = "Linked")]
    pub fn must_link(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string | [string, string]")] left: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string | [string, string]")] right: &JsValue,
    ) -> Result<Object, JsValue> {
        self.link(Verdict::Same, left, right)
    }

    /// Says that two records are not the same, from now on; a node that has both becomes two.
    ///
    /// # Errors
    /// As `must_link`.
    #[wasm_bindgen(unchecked_return_type = "Linked")]
    pub fn cannot_link(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string | [string, string]")] left: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "string | [string, string]")] right: &JsValue,
    ) -> Result<Object, JsValue> {
        self.link(Verdict::Different, left, right)
    }

    /// Takes back the operation at a position of the log: a link, a merge, a split, a forgetting. The position of what does so.
    ///
    /// # Errors
    /// If there is no such operation, or it cannot be taken back.
    pub fn undo(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number")] log_position: &JsValue,
    ) -> Result<f64, JsValue> {
        let position = counted(log_position, "log_position")?;
        self.changed(|graph| graph.undo(position)).map(|position| position as f64)
    }

    /// Looks again at every node and every close call in the light of all facts: `{merged, split}`, how many nodes became one with another and how
    /// many parts became nodes of their own.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(unchecked_return_type = "{merged: number, split: number}")]
    pub fn consolidate(&self) -> Result<Object, JsValue> {
        let done = self.changed(Graph::consolidate)?;
        Ok(object([("merged", (done.merges as f64).into()), ("split", (done.splits as f64).into())]))
    }

    /// Forgets a record, with everything that was counted because of it: `{facts, logPosition}`, how many facts that were, and the position in the log
    /// by which it can be undone.
    ///
    /// # Errors
    /// If there is no such record.
    #[wasm_bindgen(unchecked_return_type = "{facts: number, logPosition: number}")]
    pub fn forget(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] record_id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] source: &JsValue,
    ) -> Result<Object, JsValue> {
        let (record, source) = named(record_id, source)?;
        let (position, facts) = self.changed(|graph| graph.forget(source.as_deref(), &record))?;
        Ok(object([("facts", (facts as f64).into()), ("logPosition", (position as f64).into())]))
    }

    /// The whole graph with its history, as the bytes of a `.ckg` file, which `cortexkg import` reads as well. Columns are not in it.
    ///
    /// # Errors
    /// Before it is initialized.
    pub fn export(&self) -> Result<Uint8Array, JsValue> {
        with(&self.phase, |state| {
            let mut parts = Parts::default();
            state.graph.export(&mut parts).map_err(error)?;
            Ok(parts.joined())
        })
    }

    /// Puts the graph of a `.ckg` file in the place of this one. Its nodes get columns; those of concepts stay as they are.
    ///
    /// # Errors
    /// If it is no such file, or damaged: then everything is as it was.
    pub fn import(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<(), JsValue> {
        let refused = || error(format!("a .ckg file must be a Uint8Array, and is {}", quoted(bytes)));
        let file = Foreign::array(bytes.dyn_ref::<Uint8Array>().ok_or_else(refused)?.clone());
        with(&self.phase, |state| {
            // The rows of the graph that is there stay until it is certain that there is another.
            let rows = state.configuration.rows(state.graph.heap_end());
            let setting = state.configuration.setting(state.graph.swap_end());
            let graph = Graph::import(file, rows, setting).map_err(error)?;
            let before = state.columns.pool().clone();
            let (_, mut map) = state.parts();
            map.keep_only(|_| false);
            if let Err(why) = graph.settle(&mut map) {
                *state.columns.pool_mut() = before;
                return Err(error(why));
            }
            state.graph = graph;
            Ok(())
        })
    }

    /// The fingerprint of the graph: the same facts give the same one, here and natively.
    ///
    /// # Errors
    /// Before it is initialized.
    pub fn state_hash(&self) -> Result<String, JsValue> {
        with(&self.phase, |state| state.graph.state_hash().map_err(error))
    }
}

impl CortexKGWasm {
    /// Does something after which nodes may be others, and settles their columns.
    fn changed<T>(&self, change: impl FnOnce(&mut Graph) -> Result<T, GraphError>) -> Result<T, JsValue> {
        with(&self.phase, |state| {
            let (graph, mut map) = state.parts();
            let done = change(graph).map_err(error)?;
            // It is done, whatever cannot be read now: the map is a view, and gets what it lacks with the next change.
            let _ = graph.settle(&mut map);
            Ok(done)
        })
    }

    fn link(&self, verdict: Verdict, left: &JsValue, right: &JsValue) -> Result<Object, JsValue> {
        let (left, right) = (record(left)?, record(right)?);
        let (left, right) = (mention(&left), mention(&right));
        let position = self.changed(|graph| graph.link(verdict, left, right))?;
        let nodes = with(&self.phase, |state| {
            let node =
                |name| Ok::<_, JsValue>(JsValue::from(state.graph.node_of(name).map_err(error)?.0 as f64));
            Ok(Array::of2(&node(left)?, &node(right)?))
        })?;
        Ok(object([("logPosition", (position as f64).into()), ("nodes", nodes.into())]))
    }
}

impl State {
    /// Counts nodes that got a column.
    fn note_allocated_since(&mut self, before: u32) {
        let now = self.columns.pool().allocated_count();
        self.total_allocations += u64::from(now.saturating_sub(before));
    }

    /// The graph, and the columns on which its nodes are.
    fn parts(&mut self) -> (&mut Graph, Map<'_>) {
        let (time, columns_max) = (date_ms() as u64, self.configuration.columns_max);
        (&mut self.graph, Map { pool: self.columns.pool_mut(), time, columns_max })
    }
}

/// A record by its identifier and, if it has one, its source.
fn named(record_id: &JsValue, source: &JsValue) -> Result<(String, Option<String>), JsValue> {
    let source = given(source.clone()).map(|source| name(&source, "source")).transpose()?;
    Ok((name(record_id, "record_id")?, source))
}

/// The same from one value: an identifier, or a pair of identifier and source.
fn record(value: &JsValue) -> Result<(String, Option<String>), JsValue> {
    if !is_array(value) {
        return named(value, &JsValue::UNDEFINED);
    }
    let (id, source) = pair(value)?;
    let (id, source) = named(&id, &source)?;
    // The source of facts that named none is told as an empty text.
    Ok((id, source.filter(|source| !source.is_empty())))
}

fn mention((record, source): &(String, Option<String>)) -> MentionName<'_> {
    MentionName { source: source.as_deref(), record }
}

/// A whole number from 0 to 2⁵³ − 1.
fn counted(value: &JsValue, what: &str) -> Result<u64, JsValue> {
    let whole = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=SAFE_MAX).contains(number));
    let refused = || error(format!("{what} must be a whole number from 0 on, and is {}", quoted(value)));
    whole.map(|number| number as u64).ok_or_else(refused)
}

/// How many items are wanted.
fn limited(limit: &JsValue) -> Result<usize, JsValue> {
    let limit = given(limit.clone()).map_or(Ok(ITEMS_USUAL), |limit| whole_number(&limit, "limit"))?;
    if limit > ITEMS_MAX {
        return Err(error(format!("limit may be {ITEMS_MAX} at most, and is {limit}")));
    }
    Ok(limit as usize)
}
