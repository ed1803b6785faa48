//! `AllocationEngine` for JavaScript: a pool of columns with clock and books.

use cortexkg_columns::{ColumnAllocator, ColumnId, Request};
use cortexkg_simd::{Kernels, Level};
use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::clock::{Times, date_ms, now_ms};
use crate::objects::{object, set};
use crate::requests::related;
use crate::values::{error, given, items, whole_number};

/// Most columns of a pool here: 4 Mi, about 400 MB.
pub(crate) const COLUMNS_MAX: u32 = 1 << 22;
/// Most concepts of one batch.
const BATCH_MAX: usize = COLUMNS_MAX as usize;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(line: &str);
}

/// A pool of columns on a grid, each holding at most one concept.
#[wasm_bindgen]
#[derive(Debug)]
pub struct AllocationEngine {
    pool: ColumnAllocator,
    is_simd_wanted: bool,
    times: Times,
    cycles: u32,
}

#[wasm_bindgen]
impl AllocationEngine {
    /// A pool of so many columns, 1 to 4,194,304. `enable_simd` says that SIMD may be used, where the module has it.
    ///
    /// # Errors
    /// If the number is none of these, or `enable_simd` is no boolean.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "number")] column_count: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "boolean")] enable_simd: &JsValue,
    ) -> Result<AllocationEngine, JsValue> {
        let columns = whole_number(column_count, "column_count")?;
        let is_simd_wanted = match given(enable_simd.clone()) {
            None => true,
            Some(value) => value.as_bool().ok_or_else(|| error("enable_simd must be true or false"))?,
        };
        Self::of(columns, is_simd_wanted)
    }

    /// Gives a concept a column and returns its number; a concept that has one keeps it. It lies as near as can be to the columns of what is
    /// related: numbers of concepts, or pairs of number and weight, at most 64. Without any it is the first free one.
    ///
    /// # Errors
    /// If no column is free, or something is no whole number.
    pub fn allocate_concept(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number | bigint")] concept_id: &JsValue,
        #[wasm_bindgen(
            unchecked_optional_param_type = "Iterable<number | bigint | [number | bigint, number]>"
        )]
        related_concepts: &JsValue,
    ) -> Result<u32, JsValue> {
        let start = now_ms();
        let allocated = self.allocate(concept_id, related_concepts);
        // Also of what was refused.
        self.times.push(now_ms() - start);
        allocated
    }

    /// Takes a concept's column from it, and its history. Whether it had one.
    ///
    /// # Errors
    /// If the concept is no whole number.
    pub fn deallocate_concept(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "number | bigint")] concept_id: &JsValue,
    ) -> Result<bool, JsValue> {
        let concept = whole_number(concept_id, "concept_id")?;
        Ok(self.pool.deallocate(u64::from(concept)).is_some())
    }

    /// Allocates one concept after the other. One object for each, in their order: `{conceptId, columnId, success: true}` or
    /// `{conceptId, success: false, error}`.
    ///
    /// # Errors
    /// If it is no array.
    #[wasm_bindgen(
        unchecked_return_type = "{conceptId: number, columnId?: number, success: boolean, error?: string}[]"
    )]
    pub fn allocate_batch(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Iterable<number | bigint>")] concept_ids: &JsValue,
    ) -> Result<Array, JsValue> {
        let results = Array::new();
        for concept in items(concept_ids, "concept_ids", BATCH_MAX)? {
            let result = object([("conceptId", concept.clone())]);
            match self.allocate_concept(&concept, &JsValue::UNDEFINED) {
                Ok(column) => {
                    set(&result, "columnId", &column.into());
                    set(&result, "success", &true.into());
                }
                Err(why) => {
                    set(&result, "success", &false.into());
                    set(&result, "error", &message(&why));
                }
            }
            results.push(&result);
        }
        Ok(results)
    }

    /// Closes gaps and brings together what is used together. Returns the number of moves, and logs it.
    pub fn optimize_allocations(&mut self) -> u32 {
        let start = now_ms();
        let moves = self.optimize();
        log(&format!("optimized in {:.2} ms: {moves} columns moved", now_ms() - start));
        moves
    }

    /// The column of a concept; `undefined` if it has none.
    ///
    /// # Errors
    /// If the concept is no whole number.
    pub fn get_allocation_info(
        &self,
        #[wasm_bindgen(unchecked_param_type = "number | bigint")] concept_id: &JsValue,
    ) -> Result<Option<u32>, JsValue> {
        let concept = whole_number(concept_id, "concept_id")?;
        Ok(self.pool.column_of(u64::from(concept)).map(|column| column.0))
    }

    /// How many columns are free.
    pub fn get_free_column_count(&self) -> u32 {
        self.pool.free_count()
    }

    /// How many columns are taken.
    pub fn get_allocated_count(&self) -> u32 {
        self.pool.allocated_count()
    }

    /// Milliseconds of an allocation: the mean of the last 1,000, refused ones too; 0 without any.
    pub fn get_average_time(&self) -> f64 {
        self.times.mean_ms()
    }

    /// The share of the columns that is taken.
    pub fn get_allocation_efficiency(&self) -> f64 {
        f64::from(self.pool.allocated_count()) / f64::from(self.pool.grid().column_count())
    }

    /// What is allocated now, in the order in which it came: `{conceptId, columnId, timestamp, confidence}`. The time is in milliseconds since
    /// 1970; the confidence is 1 where nothing was related or the best column was free, and less the farther from it the column lies.
    #[wasm_bindgen(
        unchecked_return_type = "{conceptId: number, columnId: number, timestamp: number, confidence: number}[]"
    )]
    pub fn get_allocation_history(&self) -> Array {
        let mut states: Vec<_> = self.pool.states().collect();
        states.sort_unstable_by_key(|state| (state.allocated, state.column));
        let diameter = f64::from(self.pool.grid().diameter().max(1));
        let records = states.into_iter().map(|state| {
            // From 1 on: beside a relative is as near as can be.
            let farther = f64::from(state.distance.saturating_sub(1));
            object([
                ("conceptId", (state.concept as f64).into()),
                ("columnId", state.column.0.into()),
                ("timestamp", (state.time as f64).into()),
                ("confidence", (1.0 - farther / diameter).max(0.0).into()),
            ])
        });
        records.collect()
    }

    /// Whether SIMD is used: it was asked for, and this module has it.
    #[wasm_bindgen(getter)]
    pub fn simd_enabled(&self) -> bool {
        self.is_simd_wanted && Kernels::active().level() != Level::Scalar
    }
}

impl AllocationEngine {
    /// A pool of so many columns.
    pub(crate) fn of(columns: u32, is_simd_wanted: bool) -> Result<Self, JsValue> {
        if !(1..=COLUMNS_MAX).contains(&columns) {
            return Err(error(format!("column_count is {columns}, and may be from 1 to {COLUMNS_MAX}")));
        }
        Ok(Self::over(ColumnAllocator::with_columns(columns).map_err(error)?, is_simd_wanted))
    }

    /// A pool that is there.
    pub(crate) fn over(mut pool: ColumnAllocator, is_simd_wanted: bool) -> Self {
        // Nobody follows it from here: pages look at columns, and storages are told by logical time.
        pool.set_changes_max(0);
        Self { pool, is_simd_wanted, times: Times::default(), cycles: 0 }
    }

    pub(crate) fn pool(&self) -> &ColumnAllocator {
        &self.pool
    }

    pub(crate) fn pool_mut(&mut self) -> &mut ColumnAllocator {
        &mut self.pool
    }

    pub(crate) fn set_half_life(&mut self, ticks: u32) {
        self.pool.set_half_life(ticks);
    }

    /// How often it was optimized.
    pub(crate) fn cycles(&self) -> u32 {
        self.cycles
    }

    /// Defragments and rebalances; the number of moves.
    pub(crate) fn optimize(&mut self) -> u32 {
        let closed = self.pool.defragment().len();
        let moved = self.pool.rebalance(&[]).moves.len();
        self.cycles = self.cycles.saturating_add(1);
        (closed + moved) as u32
    }

    fn allocate(&mut self, concept_id: &JsValue, related_concepts: &JsValue) -> Result<u32, JsValue> {
        let concept = u64::from(whole_number(concept_id, "concept_id")?);
        let related = related(related_concepts)?;
        let request = Request { concept, related: &related, time: date_ms() as u64 };
        let placed = self.pool.allocate_request(&request).map_err(error)?;
        if !placed.is_new {
            // To ask for it is to use it. It is allocated, and 1 is an activation.
            self.pool.activate(concept, 1.0).map_err(error)?;
        }
        let ColumnId(column) = placed.column;
        Ok(column)
    }
}

/// The message of an error.
pub(crate) fn message(why: &JsValue) -> JsValue {
    crate::values::property(why, "message").ok().flatten().unwrap_or_else(|| why.clone())
}
