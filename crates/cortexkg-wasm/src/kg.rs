//! `CortexKGWasm`: its life, from new over initialized to closed. What it does stands in `concepts.rs` and `knowledge.rs`.

use std::cell::RefCell;
use std::rc::Rc;

use cortexkg_columns::ColumnAllocator;
use js_sys::Promise;
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::allocation::{AllocationEngine, COLUMNS_MAX};
use crate::configuration::Configuration;
use crate::graph::Graph;
use crate::pieces::{self, Piece};
use crate::saving::{Kept, save};
use crate::storage::Storage;
use crate::values::{error, text};

/// What there is once it is initialized.
pub(crate) struct State {
    pub(crate) columns: AllocationEngine,
    pub(crate) graph: Graph,
    /// Where it is kept, if anywhere.
    pub(crate) kept: Option<Kept>,
    pub(crate) total_allocations: u64,
    /// What it began with.
    pub(crate) configuration: Configuration,
}

pub(crate) enum Phase {
    New,
    /// With the promise of being ready.
    Initializing(Promise),
    Ready(Box<State>),
    /// Its storage is being let go of.
    Closing,
}

/// Shared with the promises that are under way.
pub(crate) type Shared = Rc<RefCell<Phase>>;

/// CortexKG: facts find their nodes, concepts their columns.
#[wasm_bindgen]
pub struct CortexKGWasm {
    configuration: Configuration,
    pub(crate) phase: Shared,
}

const WITHIN: &str = "CortexKG is in use: it was called from within one of its own calls";

/// Runs something on the state.
pub(crate) fn with<T>(
    phase: &RefCell<Phase>,
    run: impl FnOnce(&mut State) -> Result<T, JsValue>,
) -> Result<T, JsValue> {
    match &mut *phase.try_borrow_mut().map_err(|_| error(WITHIN))? {
        Phase::Ready(state) => {
            let done = run(state);
            state.graph.keep_to_budget();
            done
        }
        Phase::Closing => Err(error("CortexKG is being closed: await close(), then initialize it again")),
        _ => Err(error(
            "CortexKG not initialized: await initialize() or initialize_with_storage(name, storage) first",
        )),
    }
}

impl State {
    fn begin(configuration: Configuration, storage: Option<Storage>) -> Result<Self, JsValue> {
        let columns = configuration.columns()?;
        let graph = Graph::new(configuration.rows(0), configuration.setting(0)).map_err(error)?;
        Ok(Self { columns, graph, kept: storage.map(Kept::nothing), total_allocations: 0, configuration })
    }

    /// As it was saved.
    fn restore(configuration: Configuration, storage: Storage, pieces: &[Piece]) -> Result<Self, JsValue> {
        let restored = pieces::restore(pieces, configuration.rows(0)).map_err(error)?;
        let graph = Graph::restored(restored.rows, configuration.setting(0)).map_err(error)?;
        let pool = ColumnAllocator::decode(&restored.columns, COLUMNS_MAX).map_err(error)?;
        let columns = AllocationEngine::over(pool, configuration.is_simd_wanted);
        let kept = Kept::pieces(storage, restored.chain, restored.columns, columns.pool().tick());
        Ok(Self { columns, graph, kept: Some(kept), total_allocations: 0, configuration })
    }
}

/// Refuses to initialize what is not new.
fn check_new(phase: &RefCell<Phase>) -> Result<(), JsValue> {
    match &*phase.try_borrow().map_err(|_| error(WITHIN))? {
        Phase::New => Ok(()),
        Phase::Closing => Err(error("CortexKG is being closed: await close() first")),
        _ => Err(error("CortexKG is initialized already, or about to be")),
    }
}

/// Begins, with what a storage has.
async fn start(
    phase: Shared,
    configuration: Configuration,
    storage: Option<(String, JsValue)>,
) -> Result<JsValue, JsValue> {
    let begun = async {
        let Some((name, storage)) = storage else { return State::begin(configuration, None) };
        let storage = Storage::open(name, storage).await?;
        let begun = match storage.load().await {
            Ok(pieces) if pieces.is_empty() => State::begin(configuration, Some(storage.clone())),
            Ok(pieces) => State::restore(configuration, storage.clone(), &pieces),
            Err(why) => Err(why),
        };
        if begun.is_err() {
            // Why it could not begin says more than why it could not let go.
            let _ = storage.close().await;
        }
        begun
    };
    let begun = begun.await;
    let mut phase = phase.borrow_mut();
    match begun {
        Ok(state) => {
            *phase = Phase::Ready(Box::new(state));
            Ok(JsValue::UNDEFINED)
        }
        Err(why) => {
            *phase = Phase::New;
            Err(why)
        }
    }
}

impl CortexKGWasm {
    fn started(&self, storage: Result<Option<(String, JsValue)>, JsValue>) -> Promise {
        let storage = match storage.and_then(|storage| check_new(&self.phase).map(|()| storage)) {
            Ok(storage) => storage,
            Err(why) => return Promise::reject(&why),
        };
        // It runs once this call is over.
        let ready = future_to_promise(start(self.phase.clone(), self.configuration.clone(), storage));
        *self.phase.borrow_mut() = Phase::Initializing(ready.clone());
        ready
    }
}

#[wasm_bindgen]
impl CortexKGWasm {
    /// With a configuration, of which each part may be left out: `columnCount` of the pool (4,096), `maxColumnCount` to which it may grow where nodes
    /// of the graph need more (1,048,576), `enableSimd` (true), `halfLife` of an activation in calls (1,024). `scratch` is a file in which what was
    /// said lies rather than in memory where it is much (none). `maxMemoryBytes` is what the engine's tables may take where there is `swap`, a file for
    /// the rest (as much as they need). With `quantizeVectors` a new graph finds vectors by one bit of each value, and ranks what it finds by eight
    /// (false: eight for both); decisions may then differ, as they do in the program.
    ///
    /// # Errors
    /// If it has something else, or a value that cannot be.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "Configuration")] configuration: &JsValue,
    ) -> Result<CortexKGWasm, JsValue> {
        let configuration = Configuration::read(configuration)?;
        Ok(Self { configuration, phase: Rc::new(RefCell::new(Phase::New)) })
    }

    /// Begins with nothing, in memory: what comes in goes with the page, unless it is exported.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn initialize(&self) -> Promise {
        self.started(Ok(None))
    }

    /// Begins with what a storage has under a name, or with nothing if it has nothing. Without a storage of the caller's it is what the package
    /// opens under that name. The columns are then those that were saved, whatever the configuration says of their number.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn initialize_with_storage(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Storage")] storage: &JsValue,
    ) -> Promise {
        self.started(text(name, "the name of a storage").map(|name| Some((name, storage.clone()))))
    }

    /// Whether it can be used.
    #[wasm_bindgen(getter)]
    pub fn is_initialized(&self) -> bool {
        with(&self.phase, |_| Ok(())).is_ok()
    }

    /// Whether there is something that the storage does not have yet.
    ///
    /// # Errors
    /// Before it is initialized.
    pub fn has_unsaved_changes(&self) -> Result<bool, JsValue> {
        with(&self.phase, |state| Ok(state.is_changed()))
    }

    /// Hands what has changed over to the storage; resolves when the storage has it. Saves follow one another. What cannot be saved stays to be saved.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn save_state(&self) -> Promise {
        let nowhere =
            || error("there is no storage: it was initialized in memory; export() gives the graph as bytes");
        match save(&self.phase).and_then(|saved| saved.ok_or_else(nowhere)) {
            Ok(saved) => saved,
            Err(why) => Promise::reject(&why),
        }
    }

    /// Lets go of storage and memory, after an initialization or saves that are under way; what is not saved is gone. It can be initialized again.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn close(&self) -> Promise {
        let phase = self.phase.clone();
        future_to_promise(async move {
            let beginning = match &*phase.borrow() {
                Phase::Initializing(ready) => Some(ready.clone()),
                _ => None,
            };
            if let Some(ready) = beginning {
                // Its failure was told to whoever asked for it.
                let _ = js_sys::futures::JsFuture::from(ready).await;
            }
            let storage = loop {
                let kept = with(&phase, |state| Ok(state.kept.as_ref().map(Kept::last_save)))?;
                let Some((storage, last_save)) = kept else { break None };
                let Some(last_save) = last_save else { break Some(storage) };
                // Its failure was told to whoever asked for it. Meanwhile another one may have been asked for.
                let _ = js_sys::futures::JsFuture::from(last_save.clone()).await;
                with(&phase, |state| {
                    state.kept.iter_mut().for_each(|kept| kept.is_through(&last_save));
                    Ok(())
                })?;
            };
            // From here on no save can begin, which would write behind the closing.
            *phase.borrow_mut() = Phase::Closing;
            let closed = match storage {
                Some(storage) => storage.close().await,
                None => Ok(()),
            };
            *phase.borrow_mut() = Phase::New;
            closed.map(|()| JsValue::UNDEFINED)
        })
    }
}
