//! The seam to whatever keeps bytes: an object of the caller's with `load` and `save`.

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::values::{error, given, object, quoted};

/// Where a state is kept, under a name.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    name: String,
    this: JsValue,
    load: Function,
    save: Function,
}

impl Storage {
    /// Over `{load(name), save(name, bytes)}`.
    pub(crate) fn over(name: String, value: &JsValue) -> Result<Self, JsValue> {
        if given(value.clone()).is_none() {
            return Err(error(format!(
                "storage {name:?}: these bindings have no storage of their own; give an object with load(name) and \
                 save(name, bytes), or call initialize() to keep everything in memory"
            )));
        }
        object(value, "the storage")?;
        let function = |called: &str| {
            let found = Reflect::get(value, &JsValue::from_str(called))?;
            found
                .dyn_into::<Function>()
                .map_err(|_| error(format!("storage {name:?} has no function {called}")))
        };
        Ok(Self { load: function("load")?, save: function("save")?, this: value.clone(), name })
    }

    /// What is kept; none if there is nothing yet.
    pub(crate) async fn load(&self) -> Result<Option<Vec<u8>>, JsValue> {
        let loaded = self.load.call1(&self.this, &JsValue::from_str(&self.name))?;
        let Some(loaded) = given(JsFuture::from(Promise::resolve(&loaded)).await?) else { return Ok(None) };
        let bytes = loaded.dyn_ref::<Uint8Array>().ok_or_else(|| {
            error(format!(
                "storage {:?} must load a Uint8Array or undefined, and gave {}",
                self.name,
                quoted(&loaded)
            ))
        })?;
        Ok(Some(bytes.to_vec()))
    }

    /// Keeps bytes; returns when the storage says that they are kept.
    pub(crate) async fn save(&self, bytes: &[u8]) -> Result<(), JsValue> {
        let bytes = Uint8Array::from(bytes);
        let saved = self.save.call2(&self.this, &JsValue::from_str(&self.name), &bytes)?;
        JsFuture::from(Promise::resolve(&saved)).await.map(|_| ())
    }
}
