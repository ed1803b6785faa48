//! Columns of `CortexKGWasm`: concepts of the caller's and nodes of the graph on one map.

use cortexkg_simd::Kernels;
use js_sys::futures::{JsFuture, future_to_promise};
use js_sys::{Array, Float32Array, Float64Array, Object, Promise, Uint8Array, Uint16Array, Uint32Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::kg::{CortexKGWasm, with};
use crate::map::Holder;
use crate::objects::object;
use crate::saving::save;

#[wasm_bindgen]
impl CortexKGWasm {
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

    /// The columns that are taken, along the curve: `{columnId, x, y, conceptId, activation_level}`, or `node` in the place of `conceptId` where it is
    /// that of a node. The level is 1 when the concept is used, and halves with every so many calls.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{columnId: number, x: number, y: number, conceptId?: number, node?: number, activation_level: number}[]"
    )]
    pub fn get_column_states(&self) -> Result<Array, JsValue> {
        with(&self.phase, |state| {
            let states = state.columns.pool().states().map(|state| {
                let (holder, number) = match Holder::of(state.concept) {
                    Holder::Concept(concept) => ("conceptId", concept as f64),
                    Holder::Node(node) => ("node", node.0 as f64),
                };
                object([
                    ("columnId", state.column.0.into()),
                    ("x", state.cell.x.into()),
                    ("y", state.cell.y.into()),
                    (holder, number.into()),
                    ("activation_level", state.activation.into()),
                ])
            });
            Ok(states.collect())
        })
    }

    /// The same as arrays, one item for each column: `{width, height, columns, concepts, isNode, x, y, activations}`. Where `isNode` is 1 the concept
    /// is a node. Their buffers are the caller's, so that they can be handed on without a copy.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{width: number, height: number, columns: Uint32Array, concepts: Float64Array, isNode: Uint8Array, x: Uint16Array, y: Uint16Array, activations: Float32Array}"
    )]
    pub fn get_column_arrays(&self) -> Result<Object, JsValue> {
        with(&self.phase, |state| {
            let pool = state.columns.pool();
            let taken: Vec<_> = pool.states().collect();
            let holders: Vec<_> = taken.iter().map(|state| Holder::of(state.concept)).collect();
            let numbers: Vec<f64> = holders
                .iter()
                .map(|&holder| match holder {
                    Holder::Concept(concept) => concept as f64,
                    Holder::Node(node) => node.0 as f64,
                })
                .collect();
            let is_node: Vec<u8> =
                holders.iter().map(|holder| u8::from(matches!(holder, Holder::Node(_)))).collect();
            let columns: Vec<u32> = taken.iter().map(|state| state.column.0).collect();
            let (x, y): (Vec<u16>, Vec<u16>) = taken.iter().map(|state| (state.cell.x, state.cell.y)).unzip();
            let activations: Vec<f32> = taken.iter().map(|state| state.activation).collect();
            Ok(object([
                ("width", pool.grid().width().into()),
                ("height", pool.grid().height().into()),
                ("columns", Uint32Array::from(&*columns).into()),
                ("concepts", Float64Array::from(&*numbers).into()),
                ("isNode", Uint8Array::from(&*is_node).into()),
                ("x", Uint16Array::from(&*x).into()),
                ("y", Uint16Array::from(&*y).into()),
                ("activations", Float32Array::from(&*activations).into()),
            ]))
        })
    }

    /// How it does: concepts and nodes that got a column since it was initialized, the mean time of the
    /// former in milliseconds, columns that are taken and free, facts and nodes of the
    /// graph, how often it was optimized, and the instructions of the kernels.
    ///
    /// # Errors
    /// Before it is initialized.
    #[wasm_bindgen(
        unchecked_return_type = "{totalAllocations: number, averageTime: number, allocatedCount: number, freeCount: number, efficiency: number, optimizationCycles: number, neighbourhoodQuality: number, facts: number, nodes: number, simdLevel: string, simdEnabled: boolean}"
    )]
    pub fn get_performance_metrics(&self) -> Result<Object, JsValue> {
        with(&self.phase, |state| {
            let (facts, nodes) = state.graph.counts();
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
}
