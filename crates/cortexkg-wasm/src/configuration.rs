//! What `CortexKGWasm` can be told.

use cortexkg::SwapFile;
use cortexkg_columns::HALF_LIFE_USUAL;
use wasm_bindgen::JsValue;

use crate::allocation::{AllocationEngine, COLUMNS_MAX};
use crate::foreign::{Foreign, has_function};
use crate::graph::Setting;
use crate::heap::HeapRows;
use crate::values::{error, given, keys, object, property, quoted, whole_number};

/// Columns of the pool if nothing is said: 64 by 64.
const COLUMNS_USUAL: u32 = 4_096;
/// Columns that a map may grow to if nothing is said: 1,024 by 1,024, about 100 MB.
const GROWN_USUAL: u32 = 1 << 20;
const KNOWN: [&str; 8] = [
    "columnCount",
    "maxColumnCount",
    "enableSimd",
    "halfLife",
    "scratch",
    "swap",
    "maxMemoryBytes",
    "quantizeVectors",
];

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
    /// Most bytes of the engine's structures, and where the rest lies.
    memory: Option<(usize, JsValue)>,
    is_quantized: bool,
}

impl Configuration {
    /// Reads what [`KNOWN`] names, each of which may be left out, as the whole may be.
    pub(crate) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let mut configuration = Self {
            columns: COLUMNS_USUAL,
            columns_max: GROWN_USUAL,
            is_simd_wanted: true,
            half_life: HALF_LIFE_USUAL,
            scratch: None,
            memory: None,
            is_quantized: false,
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
        let switch = |name: &str| {
            let value = property(&value, name)?;
            let on = value
                .map(|value| value.as_bool().ok_or_else(|| error(format!("{name} must be true or false"))));
            on.transpose()
        };
        configuration.is_simd_wanted = switch("enableSimd")?.unwrap_or(true);
        configuration.is_quantized = switch("quantizeVectors")?.unwrap_or(false);
        let file = |name: &str| {
            let file = property(&value, name)?;
            let is_file = |file: &JsValue| ["read", "write"].into_iter().all(|name| has_function(file, name));
            match file {
                Some(file) if !is_file(&file) => {
                    Err(error(format!("{name} must be an object with read(at, into) and write(at, bytes)")))
                }
                file => Ok(file),
            }
        };
        configuration.scratch = file("scratch")?;
        let swap = file("swap")?;
        if let Some(most) = property(&value, "maxMemoryBytes")? {
            // More than there can be is no bound.
            let whole = most.as_f64().filter(|most| most.fract() == 0.0 && *most >= 0.0);
            let refused =
                || error(format!("maxMemoryBytes must be a whole number, and is {}", quoted(&most)));
            let most = whole.ok_or_else(refused)? as usize;
            // Without a file for the rest memory is what there is.
            configuration.memory = swap.map(|swap| (most, swap));
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

    /// What a graph may take, which uses of the file for the rest what is behind `from`.
    pub(crate) fn setting(&self, from: u64) -> Setting {
        let memory = self.memory.as_ref().map(|(most, swap)| {
            let file: Box<dyn SwapFile> = Box::new(Foreign::file(swap.clone(), from));
            (*most, file, from)
        });
        Setting { memory, is_quantized: self.is_quantized }
    }

    /// An empty pool.
    pub(crate) fn columns(&self) -> Result<AllocationEngine, JsValue> {
        let mut engine = AllocationEngine::of(self.columns, self.is_simd_wanted)?;
        engine.set_half_life(self.half_life);
        Ok(engine)
    }
}
