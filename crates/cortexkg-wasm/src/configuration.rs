//! What `CortexKGWasm` can be told.

use cortexkg_columns::HALF_LIFE_USUAL;
use wasm_bindgen::JsValue;

use crate::allocation::{AllocationEngine, COLUMNS_MAX};
use crate::foreign::{Foreign, has_function};
use crate::heap::HeapRows;
use crate::values::{error, given, keys, object, property, whole_number};

/// Columns of the pool if nothing is said: 64 by 64.
const COLUMNS_USUAL: u32 = 4_096;
/// Columns that a map may grow to if nothing is said: 1,024 by 1,024, about 100 MB.
const GROWN_USUAL: u32 = 1 << 20;
const KNOWN: [&str; 5] = ["columnCount", "maxColumnCount", "enableSimd", "halfLife", "scratch"];

/// What can be set.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) columns: u32,
    /// How many there may be once nodes have needed more.
    pub(crate) columns_max: u32,
    pub(crate) is_simd_wanted: bool,
    pub(crate) half_life: u32,
    /// Where rows lie rather than in memory, if anywhere.
    scratch: Option<JsValue>,
}

impl Configuration {
    /// Reads `{columnCount, maxColumnCount, enableSimd, halfLife, scratch}`, each of which may be left out, as the whole may be.
    pub(crate) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let mut configuration = Self {
            columns: COLUMNS_USUAL,
            columns_max: GROWN_USUAL,
            is_simd_wanted: true,
            half_life: HALF_LIFE_USUAL,
            scratch: None,
        };
        let Some(value) = given(value.clone()) else { return Ok(configuration) };
        for key in keys(object(&value, "the configuration")?)?.iter().filter_map(JsValue::as_string) {
            if !KNOWN.contains(&key.as_str()) {
                return Err(error(format!(
                    "configuration: there is no {key:?}; there are {}",
                    KNOWN.join(", ")
                )));
            }
        }
        if let Some(columns) = property(&value, "columnCount")? {
            configuration.columns = whole_number(&columns, "columnCount")?;
        }
        if !(1..=COLUMNS_MAX).contains(&configuration.columns) {
            let columns = configuration.columns;
            return Err(error(format!("columnCount is {columns}, and may be from 1 to {COLUMNS_MAX}")));
        }
        configuration.columns_max = match property(&value, "maxColumnCount")? {
            Some(columns) => whole_number(&columns, "maxColumnCount")?,
            None => GROWN_USUAL.max(configuration.columns),
        };
        if !(configuration.columns..=COLUMNS_MAX).contains(&configuration.columns_max) {
            let (max, columns) = (configuration.columns_max, configuration.columns);
            return Err(error(format!(
                "maxColumnCount is {max}, and may be from columnCount ({columns}) to {COLUMNS_MAX}"
            )));
        }
        if let Some(half_life) = property(&value, "halfLife")? {
            configuration.half_life = whole_number(&half_life, "halfLife")?;
        }
        if let Some(simd) = property(&value, "enableSimd")? {
            let simd = simd.as_bool().ok_or_else(|| error("enableSimd must be true or false"))?;
            configuration.is_simd_wanted = simd;
        }
        if let Some(scratch) = property(&value, "scratch")? {
            if !["read", "write"].into_iter().all(|name| has_function(&scratch, name)) {
                return Err(error("scratch must be an object with read(at, into) and write(at, bytes)"));
            }
            configuration.scratch = Some(scratch);
        }
        configuration.columns()?;
        Ok(configuration)
    }

    /// Rows that are empty, which use of the file for them what is behind `from`.
    pub(crate) fn rows(&self, from: u64) -> HeapRows {
        match &self.scratch {
            Some(scratch) => HeapRows::over(Box::new(Foreign::file(scratch.clone(), from)), from),
            None => HeapRows::default(),
        }
    }

    /// An empty pool.
    pub(crate) fn columns(&self) -> Result<AllocationEngine, JsValue> {
        let mut engine = AllocationEngine::of(self.columns, self.is_simd_wanted)?;
        engine.set_half_life(self.half_life);
        Ok(engine)
    }
}
