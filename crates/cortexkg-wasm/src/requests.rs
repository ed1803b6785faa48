//! What a caller relates a concept to.

use cortexkg_columns::RELATED_MAX;
use wasm_bindgen::JsValue;

use crate::values::{is_array, items, pair, whole_number};

/// Related concepts with their weights: each a number, which weighs 1, or a pair of number and weight.
pub(crate) fn related(value: &JsValue) -> Result<Vec<(u64, u32)>, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(Vec::new());
    }
    items(value, "what is related", RELATED_MAX)?
        .into_iter()
        .map(|item| {
            if !is_array(&item) {
                return Ok((u64::from(whole_number(&item, "a related concept")?), 1));
            }
            let (concept, weight) = pair(&item)?;
            let concept = whole_number(&concept, "a related concept")?;
            Ok((u64::from(concept), whole_number(&weight, "the weight of a related concept")?))
        })
        .collect()
}
