//! What comes from JavaScript: checked, never coerced.

use js_sys::{Array, BigInt, Error, Float32Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

// Whatever runs code of the caller's may throw, and what is thrown past Rust leaves borrows behind that never end: so it is caught.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Array, js_name = isArray)]
    fn array_is_array(value: &JsValue) -> Result<bool, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn object_entries(value: &Object) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn object_keys(value: &Object) -> Result<Array, JsValue>;
    /// An array, or a proxy of one.
    type ArrayLike;
    #[wasm_bindgen(catch, method, getter)]
    fn length(this: &ArrayLike) -> Result<JsValue, JsValue>;
}

/// Most characters of a value that a message quotes.
const QUOTED_MAX: usize = 40;

/// An `Error` with a message.
pub(crate) fn error(message: impl std::fmt::Display) -> JsValue {
    Error::new(&message.to_string()).into()
}

/// A number that is whole and below 2³².
pub(crate) fn whole(number: f64) -> Option<u32> {
    // NaN is in no range.
    let is_whole = (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u32)
}

/// A value as a message quotes it.
pub(crate) fn quoted(value: &JsValue) -> String {
    if let Some(text) = value.as_string() {
        let short: String = text.chars().take(QUOTED_MAX).collect();
        return format!("the text {short:?}{}", if short.len() < text.len() { "…" } else { "" });
    }
    if let Some(number) = value.as_f64() {
        return number.to_string();
    }
    if let Some(big) = value.dyn_ref::<BigInt>() {
        let digits = big.to_string(10).map_or_else(|_| String::new(), String::from);
        return if digits.len() > QUOTED_MAX { "a huge bigint".to_owned() } else { format!("{digits}n") };
    }
    if value.is_null() || value.is_undefined() || value.as_bool().is_some() {
        return format!("{value:?}").trim_start_matches("JsValue(").trim_end_matches(')').to_owned();
    }
    let kind = value.js_typeof().as_string().unwrap_or_default();
    if is_array(value) { "an array".to_owned() } else { format!("a value of type {kind}") }
}

/// A whole number below 2³² from a `number` or a `bigint`.
pub(crate) fn whole_number(value: &JsValue, what: &str) -> Result<u32, JsValue> {
    let found = match value.as_f64() {
        Some(number) => whole(number),
        None if value.is_bigint() => u64::try_from(value.clone()).ok().and_then(|big| big.try_into().ok()),
        None => None,
    };
    found.ok_or_else(|| {
        error(format!("{what} must be a whole number from 0 to 4294967295, and is {}", quoted(value)))
    })
}

/// A text.
pub(crate) fn text(value: &JsValue, what: &str) -> Result<String, JsValue> {
    value.as_string().ok_or_else(|| error(format!("{what} must be a text, and is {}", quoted(value))))
}

/// A text that names something. Half a character (a surrogate without its other half) would turn into the mark that every half turns into, and two
/// names into one.
pub(crate) fn name(value: &JsValue, what: &str) -> Result<String, JsValue> {
    let name = text(value, what)?;
    if name.contains(char::REPLACEMENT_CHARACTER) && JsValue::from_str(&name) != *value {
        let told = quoted(value);
        return Err(error(format!(
            "{what} is {told}, which holds half a character (a surrogate without its other half)"
        )));
    }
    Ok(name)
}

/// What may be left out: `undefined` and `null` are nothing.
pub(crate) fn given(value: JsValue) -> Option<JsValue> {
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A property of an object that may lack it.
pub(crate) fn property(object: &JsValue, name: &str) -> Result<Option<JsValue>, JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).map(given)
}

/// An object that is neither an array nor a text.
pub(crate) fn object<'a>(value: &'a JsValue, what: &str) -> Result<&'a Object, JsValue> {
    match value.dyn_ref::<Object>() {
        Some(object) if !is_array(value) && !value.is_function() => Ok(object),
        _ => Err(error(format!("{what} must be an object, and is {}", quoted(value)))),
    }
}

/// Whether it is an array; a proxy that was revoked is none.
pub(crate) fn is_array(value: &JsValue) -> bool {
    array_is_array(value).unwrap_or(false)
}

/// The first two items of an array.
pub(crate) fn pair(array: &JsValue) -> Result<(JsValue, JsValue), JsValue> {
    Ok((Reflect::get_u32(array, 0)?, Reflect::get_u32(array, 1)?))
}

/// Pairs of name and value.
pub(crate) fn entries(object: &Object) -> Result<Vec<JsValue>, JsValue> {
    Ok(object_entries(object)?.iter().collect())
}

/// Names of properties.
pub(crate) fn keys(object: &Object) -> Result<Vec<JsValue>, JsValue> {
    Ok(object_keys(object)?.iter().collect())
}

/// A copy. One whose buffer went elsewhere has nothing, and would throw.
pub(crate) fn bytes(array: &Uint8Array) -> Vec<u8> {
    if array.length() == 0 { Vec::new() } else { array.to_vec() }
}

/// The same of floats.
pub(crate) fn floats(array: &Float32Array) -> Vec<f32> {
    if array.length() == 0 { Vec::new() } else { array.to_vec() }
}

/// The items of an array, a typed array or anything else that can be walked over, but a text; at most so many.
pub(crate) fn items(value: &JsValue, what: &str, max: usize) -> Result<Vec<JsValue>, JsValue> {
    let refused = || error(format!("{what} must be an array, and is {}", quoted(value)));
    let too_many = || error(format!("{what} may have at most {max} items"));
    // By far the most usual, and quicker without an iterator.
    if is_array(value) {
        let length = value.unchecked_ref::<ArrayLike>().length()?.as_f64().and_then(whole);
        let length = length.ok_or_else(refused)?;
        if length as usize > max {
            return Err(too_many());
        }
        return (0..length).map(|at| Reflect::get_u32(value, at)).collect();
    }
    // A text could be walked over, letter by letter.
    if !value.is_object() {
        return Err(refused());
    }
    let mut items = Vec::new();
    for item in js_sys::try_iter(value)?.ok_or_else(refused)? {
        if items.len() == max {
            return Err(too_many());
        }
        items.push(item?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn only_whole_numbers_below_2_to_the_32_are_taken() {
        assert_eq!(whole(0.0), Some(0));
        assert_eq!(whole(-0.0), Some(0));
        assert_eq!(whole(4_294_967_295.0), Some(u32::MAX));
        for bad in [4_294_967_296.0, -1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(whole(bad), None, "{bad}");
        }
    }
}
