//! `CortexKGWasm`: the engine, its columns, and where they are kept.

use std::cell::RefCell;
use std::rc::Rc;

use cortexkg_columns::ColumnAllocator;
use cortexkg_simd::Kernels;
use js_sys::futures::{JsFuture, future_to_promise};
use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::allocation::{AllocationEngine, COLUMNS_MAX, message};
use crate::configuration::Configuration;
use crate::facts::{fact, result};
use crate::graph::Graph;
use crate::objects::object;
use crate::state::{join, part};
use crate::storage::Storage;
use crate::values::{error, given, items, quoted, text, whole_number};

/// Hits of a search if nothing is said, and at most.
const HITS_USUAL: u32 = 10;
const HITS_MAX: u32 = 1_000;
/// Most facts of one call.
const FACTS_MAX: usize = 1 << 20;

/// What there is once it is initialized.
struct State {
    columns: AllocationEngine,
    graph: Graph,
    storage: Option<Storage>,
    /// The last save that was asked for: the next one waits for it.
    last_save: Option<Promise>,
    total_allocations: u64,
}

enum Phase {
    New,
    Initializing,
    Ready(Box<State>),
}

/// CortexKG: facts find their nodes, concepts their columns.
#[wasm_bindgen]
pub struct CortexKGWasm {
    configuration: Configuration,
    phase: Rc<RefCell<Phase>>,
}

/// Runs something on the state.
fn with<T>(phase: &RefCell<Phase>, run: impl FnOnce(&mut State) -> Result<T, JsValue>) -> Result<T, JsValue> {
    let within = |_| error("CortexKG is in use: it was called from within one of its own calls");
    match &mut *phase.try_borrow_mut().map_err(within)? {
        Phase::Ready(state) => run(state),
        _ => Err(error(
            "CortexKG not initialized: await initialize() or initialize_with_storage(name, storage) first",
        )),
    }
}

impl State {
    fn begin(configuration: Configuration) -> Result<Self, JsValue> {
        let (columns, graph) = (configuration.columns()?, Graph::new().map_err(error)?);
        Ok(Self { columns, graph, storage: None, last_save: None, total_allocations: 0 })
    }

    /// As it was saved.
    fn restore(configuration: Configuration, bytes: &[u8]) -> Result<Self, JsValue> {
        let (graph, columns) = part(bytes).map_err(error)?;
        let graph = Graph::import(graph.to_vec()).map_err(error)?;
        let pool = ColumnAllocator::decode(columns, COLUMNS_MAX).map_err(error)?;
        let columns = AllocationEngine::over(pool, configuration.is_simd_wanted);
        Ok(Self { columns, graph, storage: None, last_save: None, total_allocations: 0 })
    }

    fn bytes(&self) -> Result<Vec<u8>, JsValue> {
        Ok(join(&self.graph.export().map_err(error)?, &self.columns.pool().encode()))
    }
}

/// A promise of what is saved, as it is once all earlier saves are through; none without a storage.
fn save(phase: &Rc<RefCell<Phase>>) -> Result<Option<Promise>, JsValue> {
    let shared = phase.clone();
    with(phase, |state| {
        let Some(storage) = state.storage.clone() else { return Ok(None) };
        let before = state.last_save.take();
        let saved = future_to_promise(async move {
            if let Some(before) = before {
                // Its failure was told to whoever asked for it.
                let _ = JsFuture::from(before).await;
            }
            let bytes = with(&shared, |state| state.bytes())?;
            storage.save(&bytes).await?;
            Ok(JsValue::UNDEFINED)
        });
        state.last_save = Some(saved.clone());
        Ok(Some(saved))
    })
}

/// Begins, with what a storage has.
async fn start(
    phase: Rc<RefCell<Phase>>,
    configuration: Configuration,
    storage: Option<Storage>,
) -> Result<JsValue, JsValue> {
    match &mut *phase.borrow_mut() {
        new @ Phase::New => *new = Phase::Initializing,
        _ => return Err(error("CortexKG is initialized already, or about to be")),
    }
    let begun = async {
        let kept = match &storage {
            Some(storage) => storage.load().await?,
            None => None,
        };
        match kept {
            Some(bytes) => State::restore(configuration, &bytes),
            None => State::begin(configuration),
        }
    };
    let begun = begun.await;
    let mut phase = phase.borrow_mut();
    match begun {
        Ok(state) => {
            *phase = Phase::Ready(Box::new(State { storage, ..state }));
            Ok(JsValue::UNDEFINED)
        }
        Err(why) => {
            *phase = Phase::New;
            Err(why)
        }
    }
}

#[wasm_bindgen]
impl CortexKGWasm {
    /// With a configuration `{columnCount, enableSimd, halfLife}`: columns of the pool (4,096), whether SIMD may be used (true), and in how many
    /// calls an activation halves (1,024). Each may be left out.
    ///
    /// # Errors
    /// If it has something else, or a value that cannot be.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(
            unchecked_optional_param_type = "{columnCount?: number, enableSimd?: boolean, halfLife?: number}"
        )]
        configuration: &JsValue,
    ) -> Result<CortexKGWasm, JsValue> {
        let configuration = Configuration::read(configuration)?;
        Ok(Self { configuration, phase: Rc::new(RefCell::new(Phase::New)) })
    }

    /// Begins with nothing, in memory: what comes in goes with the page, unless it is exported.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn initialize(&self) -> Promise {
        future_to_promise(start(self.phase.clone(), self.configuration, None))
    }

    /// Begins with what a storage has under a name, or with nothing if it has nothing. The storage is an object with two functions: `load(name)`
    /// gives a `Uint8Array` or `undefined`, `save(name, bytes)` keeps one; their promises are waited for. The columns are then those that
    /// were saved, whatever the configuration says of their number.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn initialize_with_storage(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(
            unchecked_param_type = "{load(name: string): Promise<Uint8Array | undefined>, save(name: string, bytes: Uint8Array): Promise<void>}"
        )]
        storage: &JsValue,
    ) -> Promise {
        let storage = text(name, "the name of a storage").and_then(|name| Storage::over(name, storage));
        let (phase, configuration) = (self.phase.clone(), self.configuration);
        future_to_promise(async move { start(phase, configuration, Some(storage?)).await })
    }

    /// Whether it can be used.
    #[wasm_bindgen(getter)]
    pub fn is_initialized(&self) -> bool {
        with(&self.phase, |_| Ok(())).is_ok()
    }

    /// Hands everything over to the storage; resolves when the storage has it. Saves follow one another.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn save_state(&self) -> Promise {
        let nowhere =
            || error("there is no storage: it was initialized in memory; export() gives the graph as bytes");
        match save(&self.phase).and_then(|saved| saved.ok_or_else(nowhere)) {
            Ok(saved) => saved,
            Err(why) => Promise::reject(&why),
        }
    }

    /// See `AllocationEngine.allocate_concept`.
    ///
    /// # Errors
    /// Those, and before it is initialized.
    pub fn allocate_concept(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | bigint")] concept_id: &JsValue,
        #[wasm_bindgen(
            unchecked_optional_param_type = "Iterable<number | bigint | [number | bigint, number]>"
        )]
        related_concepts: &JsValue,
    ) -> Result<u32, JsValue> {
        with(&self.phase, |state| {
            let column = state.columns.allocate_concept(concept_id, related_concepts)?;
            state.total_allocations += 1;
            Ok(column)
        })
    }

    /// See `AllocationEngine.deallocate_concept`.
    ///
    /// # Errors
    /// Those, and before it is initialized.
    pub fn deallocate_concept(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | bigint")] concept_id: &JsValue,
    ) -> Result<bool, JsValue> {
        with(&self.phase, |state| state.columns.deallocate_concept(concept_id))
    }

    /// See `AllocationEngine.allocate_batch`.
    ///
    /// # Errors
    /// Those, and before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{conceptId: number, columnId?: number, success: boolean, error?: string}[]"
    )]
    pub fn allocate_batch(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Iterable<number | bigint>")] concept_ids: &JsValue,
    ) -> Result<Array, JsValue> {
        with(&self.phase, |state| {
            let before = state.columns.get_allocated_count();
            let results = state.columns.allocate_batch(concept_ids)?;
            state.total_allocations += u64::from(state.columns.get_allocated_count() - before);
            Ok(results)
        })
    }

    /// Closes gaps, brings together what is used together, and saves if anything moved and there is a storage. The number of moves.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn optimize_allocations(&self) -> Promise {
        let phase = self.phase.clone();
        future_to_promise(async move {
            let moves = with(&phase, |state| Ok(state.columns.optimize_allocations()))?;
            if moves > 0
                && let Some(saved) = save(&phase)?
            {
                JsFuture::from(saved).await?;
            }
            Ok(moves.into())
        })
    }

    /// The columns that are taken, along the curve: `{columnId, x, y, conceptId, activation_level}`. The level is 1 when the concept is
    /// used, and halves with every so many calls.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{columnId: number, x: number, y: number, conceptId: number, activation_level: number}[]"
    )]
    pub fn get_column_states(&self) -> Result<Array, JsValue> {
        with(&self.phase, |state| {
            let states = state.columns.pool().states().map(|state| {
                object([
                    ("columnId", state.column.0.into()),
                    ("x", state.cell.x.into()),
                    ("y", state.cell.y.into()),
                    ("conceptId", (state.concept as f64).into()),
                    ("activation_level", state.activation.into()),
                ])
            });
            Ok(states.collect())
        })
    }

    /// How it does: allocations since it was initialized, their mean time in milliseconds, columns that are taken and free, facts and nodes of the
    /// graph, how often it was optimized, and the instructions of the kernels.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{totalAllocations: number, averageTime: number, allocatedCount: number, freeCount: number, efficiency: number, optimizationCycles: number, neighbourhoodQuality: number, facts: number, nodes: number, simdLevel: string, simdEnabled: boolean}"
    )]
    pub fn get_performance_metrics(&self) -> Result<Object, JsValue> {
        with(&self.phase, |state| {
            let (facts, nodes) = state.graph.counts().map_err(error)?;
            let columns = &state.columns;
            Ok(object([
                ("totalAllocations", (state.total_allocations as f64).into()),
                ("averageTime", columns.get_average_time().into()),
                ("allocatedCount", columns.get_allocated_count().into()),
                ("freeCount", columns.get_free_column_count().into()),
                ("efficiency", columns.get_allocation_efficiency().into()),
                ("optimizationCycles", columns.cycles().into()),
                ("neighbourhoodQuality", columns.pool().own_neighbourhood().quality().into()),
                ("facts", (facts as f64).into()),
                ("nodes", (nodes as f64).into()),
                ("simdLevel", Kernels::active().level().to_string().into()),
                ("simdEnabled", columns.simd_enabled().into()),
            ]))
        })
    }

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
            let outcome = state.graph.allocate(vec![fact]).map_err(error)?.pop();
            let outcome = outcome.ok_or_else(|| error("the fact came to nothing"))?;
            Ok(result(&outcome.map_err(error)?))
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
        let mut good = Vec::new();
        // Of what is no fact its mistake; the others are decided on together.
        let mistakes: Vec<Option<JsValue>> = items(facts, "facts", FACTS_MAX)?
            .iter()
            .map(|item| fact(item).map(|fact| good.push(fact)).err())
            .collect();
        with(&self.phase, |state| {
            let mut outcomes = state.graph.allocate(good).map_err(error)?.into_iter();
            let all = mistakes.iter().map(|mistake| match mistake {
                Some(why) => told(why),
                None => match outcomes.next() {
                    Some(Ok(found)) => result(&found),
                    Some(Err(why)) => told(&error(why)),
                    None => told(&error("the fact came to nothing")),
                },
            });
            Ok(all.collect())
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
        let limit = given(limit.clone()).map_or(Ok(HITS_USUAL), |limit| whole_number(&limit, "limit"))?;
        if limit > HITS_MAX {
            return Err(error(format!("limit may be {HITS_MAX} at most, and is {limit}")));
        }
        with(&self.phase, |state| {
            let hits = state.graph.search(&text, limit as usize).map_err(error)?;
            let told = hits.iter().map(|hit| {
                let matched: Array = hit.matched.iter().map(|word| JsValue::from_str(word)).collect();
                object([
                    ("node", (hit.node.0 as f64).into()),
                    ("label", (&*hit.label).into()),
                    ("scoreBits", hit.score_bits.into()),
                    ("matched", matched.into()),
                ])
            });
            Ok(told.collect())
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
        with(&self.phase, |state| state.graph.why(source.as_deref(), &record).map_err(error))
    }

    /// Forgets a record, with everything that was counted because of it. How many facts that were.
    ///
    /// # Errors
    /// If there is no such record.
    pub fn forget(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] record_id: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] source: &JsValue,
    ) -> Result<usize, JsValue> {
        let (record, source) = named(record_id, source)?;
        with(&self.phase, |state| state.graph.forget(source.as_deref(), &record).map_err(error))
    }

    /// The whole graph with its history, as the bytes of a `.ckg` file, which `cortexkg import` reads as well. Columns are not in it.
    ///
    /// # Errors
    /// Before it is initialized.
    pub fn export(&self) -> Result<Uint8Array, JsValue> {
        with(&self.phase, |state| Ok(Uint8Array::from(&*state.graph.export().map_err(error)?)))
    }

    /// Puts the graph of a `.ckg` file in the place of this one. Columns stay as they are.
    ///
    /// # Errors
    /// If it is no such file, or damaged: then everything is as it was.
    pub fn import(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] bytes: &JsValue,
    ) -> Result<(), JsValue> {
        let refused = || error(format!("a .ckg file must be a Uint8Array, and is {}", quoted(bytes)));
        let bytes = bytes.dyn_ref::<Uint8Array>().ok_or_else(refused)?.to_vec();
        with(&self.phase, |state| {
            state.graph = Graph::import(bytes).map_err(error)?;
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

/// A record by its identifier and, if it has one, its source.
fn named(record_id: &JsValue, source: &JsValue) -> Result<(String, Option<String>), JsValue> {
    let source = given(source.clone()).map(|source| text(&source, "source")).transpose()?;
    Ok((text(record_id, "record_id")?, source))
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** One end of a triple. */
export type Term = string | {iri: string} | {blank: string} | {value: string, datatype?: string, language?: string};
type Scalar = string | number | boolean | null | undefined;
type FieldValue = Scalar | Scalar[];
/** What comes in. */
export type Fact = ({text: string} | {subject: Term, predicate: string, object: Term} | {fields: Record<string, FieldValue> | [string, FieldValue][]})
  & {id?: string, source?: string, time?: number, confidence?: number, embedding?: Iterable<number>};
/** Where a fact went. */
export interface AllocationResult {
  recordId: string, node: number, decision: 'existing' | 'new' | 'possible', confidence: number, marginBits: number,
  method: string, candidates: number, logPosition: number, repeated: boolean, object?: AllocationResult,
}
";
