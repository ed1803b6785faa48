//! The seam to whatever keeps bytes: an object of the caller's, or what the package that these bindings are in opens by name.

use std::cell::RefCell;

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::values::{bytes, error, given, is_array, items, object, quoted};

thread_local! {
    static OPENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Says what opens a storage by its name where none is given: a function `(name) => Promise<Storage>`. The package for JavaScript says it;
/// `undefined` takes it back.
///
/// # Errors
/// If it is no function.
#[wasm_bindgen]
pub fn set_storage_opener(
    #[wasm_bindgen(unchecked_param_type = "((name: string) => Promise<Storage>) | undefined")] open: &JsValue,
) -> Result<(), JsValue> {
    let opener = given(open.clone()).map(|open| {
        let refused = |open: JsValue| error(format!("open must be a function, and is {}", quoted(&open)));
        open.dyn_into::<Function>().map_err(refused)
    });
    OPENER.set(opener.transpose()?);
    Ok(())
}

/// Where pieces of a state are kept.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    name: String,
    this: JsValue,
    load: Function,
    append: Function,
    replace: Function,
}

impl Storage {
    /// What the package opens under a name.
    pub(crate) async fn open(name: String, storage: JsValue) -> Result<Self, JsValue> {
        if given(storage.clone()).is_some() {
            return Self::over(name, &storage);
        }
        let Some(opener) = OPENER.with_borrow(Clone::clone) else {
            return Err(error(format!(
                "storage {name:?}: bindings without their package have no storage of their own; give an object with load(), \
                 append(piece) and replace(piece), or call initialize() to keep everything in memory"
            )));
        };
        let opened = opener.call1(&JsValue::UNDEFINED, &JsValue::from_str(&name))?;
        Self::over(name, &JsFuture::from(Promise::resolve(&opened)).await?)
    }

    /// Over `{load(), append(piece), replace(piece)}`.
    fn over(name: String, value: &JsValue) -> Result<Self, JsValue> {
        object(value, "the storage")?;
        let function = |called: &str| {
            let found = Reflect::get(value, &JsValue::from_str(called))?;
            found
                .dyn_into::<Function>()
                .map_err(|_| error(format!("storage {name:?} has no function {called}")))
        };
        let (load, append, replace) = (function("load")?, function("append")?, function("replace")?);
        Ok(Self { load, append, replace, this: value.clone(), name })
    }

    /// All pieces that are kept; none if there is nothing yet.
    pub(crate) async fn load(&self) -> Result<Vec<Vec<u8>>, JsValue> {
        let loaded = self.load.call0(&self.this)?;
        let loaded = JsFuture::from(Promise::resolve(&loaded)).await?;
        let refused = |what: &JsValue| {
            let (name, what) = (&self.name, quoted(what));
            error(format!("storage {name:?} must load an array of Uint8Array, and gave {what}"))
        };
        if !is_array(&loaded) {
            return Err(refused(&loaded));
        }
        let piece = |piece: &JsValue| Ok(bytes(piece.dyn_ref::<Uint8Array>().ok_or_else(|| refused(piece))?));
        items(&loaded, "what a storage loads", usize::MAX)?.iter().map(piece).collect()
    }

    /// Keeps a piece behind the others; returns when the storage says that it is kept.
    pub(crate) async fn append(&self, piece: &[u8]) -> Result<(), JsValue> {
        self.keep(&self.append, piece).await
    }

    /// Keeps a piece in the place of all; returns when the storage says that it is kept.
    pub(crate) async fn replace(&self, piece: &[u8]) -> Result<(), JsValue> {
        self.keep(&self.replace, piece).await
    }

    /// Lets go of it, if it can be let go of.
    pub(crate) async fn close(&self) -> Result<(), JsValue> {
        let found = Reflect::get(&self.this, &JsValue::from_str("close"))?;
        let Ok(close) = found.dyn_into::<Function>() else { return Ok(()) };
        let closed = close.call0(&self.this)?;
        JsFuture::from(Promise::resolve(&closed)).await.map(|_| ())
    }

    async fn keep(&self, how: &Function, piece: &[u8]) -> Result<(), JsValue> {
        let kept = how.call1(&self.this, &Uint8Array::from(piece))?;
        JsFuture::from(Promise::resolve(&kept)).await.map(|_| ())
    }
}
