//! What goes to JavaScript: plain objects.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// A new object with these properties.
pub(crate) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        set(&object, name, &value);
    }
    object
}

/// Sets a property of an object that was made here, which cannot fail: it is plain, and nothing froze it.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// Sets a property if there is something to set.
pub(crate) fn set_given(object: &Object, name: &str, value: Option<impl Into<JsValue>>) {
    if let Some(value) = value {
        set(object, name, &value.into());
    }
}
